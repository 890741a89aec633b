//! The columns of a registry table and the headers under which offices write them.

/// A column that is understood; others are left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::config) enum Column {
    Id,
    Name,
    /// Name or id of the unit.
    Unit,
    UnitId,
    Level,
    Region,
    /// Name or id of the supervising unit.
    Supervisor,
    Kind,
    PlatformId,
    Status,
    FiledOn,
    SourceKind,
    SourceUrl,
    SourceOptions,
}

/// The columns of an export, in their order.
pub(in crate::config) const EXPORTED: [Column; 14] = [
    Column::Id,
    Column::Name,
    Column::Unit,
    Column::UnitId,
    Column::Level,
    Column::Region,
    Column::Supervisor,
    Column::Kind,
    Column::PlatformId,
    Column::Status,
    Column::FiledOn,
    Column::SourceKind,
    Column::SourceUrl,
    Column::SourceOptions,
];

impl Column {
    /// The headers that mean this column, without blanks and in lower case; the first one is written by an export.
    fn headers(self) -> &'static [&'static str] {
        match self {
            Self::Id => &["账号id", "id", "账号编号", "account_id", "account"],
            Self::Name => &["账号名称", "name", "名称", "账号名", "新媒体名称", "政务新媒体名称", "account_name"],
            Self::Unit => {
                &["主办单位", "unit", "单位", "单位名称", "主办单位名称", "开办单位", "运营单位", "unit_name"]
            }
            Self::UnitId => &["单位id", "unit_id", "主办单位id", "单位编号"],
            Self::Level => &["单位层级", "level", "层级", "级别", "单位级别", "行政层级", "unit_level"],
            Self::Region => &["地区", "region", "所属地区", "区域", "县市", "所在地", "行政区划"],
            Self::Supervisor => &["主管单位", "supervisor", "主管部门", "上级单位", "主管单位id"],
            Self::Kind => {
                &["账号类型", "kind", "平台", "类型", "平台类型", "所属平台", "平台/类型", "开设平台", "platform"]
            }
            Self::PlatformId => &["平台账号id", "platform_id", "原始id", "平台账号", "平台id", "微信原始id"],
            Self::Status => &["状态", "status", "账号状态", "备案状态", "运行状态"],
            Self::FiledOn => &["备案日期", "filed_on", "备案时间", "报备日期", "报备时间"],
            Self::SourceKind => &["采集方式", "source_kind", "来源类型", "采集类型"],
            Self::SourceUrl => &["采集地址", "source_url", "source", "url", "来源地址", "采集来源", "订阅地址"],
            Self::SourceOptions => &["采集参数", "source_options", "采集选项"],
        }
    }

    /// The header of an export.
    pub(in crate::config) fn header(self) -> String {
        self.headers()[0].replace("id", "ID")
    }

    /// The column that a header names; remarks in brackets, blanks, stars and case do not matter.
    pub(super) fn of_header(text: &str) -> Option<Self> {
        let without_remark = text.split(['（', '(', '\n']).next().unwrap_or_default();
        let plain: String = without_remark
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '*' | '＊' | ':' | '：'))
            .flat_map(char::to_lowercase)
            .collect();
        EXPORTED.into_iter().find(|column| column.headers().contains(&plain.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn headers_are_understood_as_offices_write_them() {
        let check =
            |header: &str, expected: Option<Column>| assert_eq!(Column::of_header(header), expected, "{header}");
        check("账号名称", Some(Column::Name));
        check(" * 账号 名称（全称）", Some(Column::Name));
        check("平台/类型", Some(Column::Kind));
        check("Filed_On", Some(Column::FiledOn));
        check("账号ID", Some(Column::Id));
        check("粉丝数", None);
        check("", None);
    }

    #[test]
    fn no_header_means_two_columns() {
        let mut seen = HashSet::new();
        for column in EXPORTED {
            assert_eq!(Column::of_header(&column.header()), Some(column));
            for header in column.headers() {
                assert!(seen.insert(*header), "{header}");
            }
        }
    }
}
