//! The words that offices write for kinds, levels, states and dates.

use chrono::NaiveDate;

use crate::config::values::{self, Fault};
use crate::model::account::{AccountKind, AccountStatus, UnitLevel};

/// An account kind: configuration word, label or a usual synonym.
pub(super) fn kind(text: &str) -> Result<AccountKind, Fault> {
    let plain = plain(text);
    let by_word = AccountKind::ALL.iter().find(|kind| kind.as_str() == plain || kind.label() == plain);
    if let Some(kind) = by_word {
        return Ok(*kind);
    }
    Ok(match plain.as_str() {
        "订阅号" | "微信公众号(订阅号)" | "微信公众号订阅号" | "公众号(订阅号)" | "微信(订阅号)" | "微信订阅" => {
            AccountKind::WechatSubscription
        }
        "服务号" | "微信公众号(服务号)" | "微信公众号服务号" | "公众号(服务号)" | "微信(服务号)" => {
            AccountKind::WechatService
        }
        "视频号" | "微信(视频号)" => AccountKind::WechatChannels,
        "微博" | "新浪" | "政务微博" | "新浪政务微博" | "微博号" => AccountKind::Weibo,
        "抖音号" | "政务抖音" | "抖音短视频" | "tiktok" => AccountKind::Douyin,
        "快手号" | "快手短视频" => AccountKind::Kuaishou,
        "头条" | "头条号" | "今日头条号" | "政务头条" | "政务头条号" => AccountKind::Toutiao,
        "百家" | "百度百家号" | "百度" => AccountKind::Baijiahao,
        "人民" | "人民网人民号" | "人民日报人民号" | "人民日报客户端" => AccountKind::People,
        "b站" | "bilibili" | "哔哩" => AccountKind::Bilibili,
        "小红书号" => AccountKind::Xiaohongshu,
        "app" | "客户端" | "手机客户端" | "政务客户端" | "移动app" | "移动应用" => AccountKind::App,
        "网页" | "政府网站" | "门户网站" => AccountKind::Website,
        "其它" => AccountKind::Other,
        "微信" | "公众号" | "微信公众号" | "微信公众平台" | "政务微信" | "wechat" => {
            return Err(Fault::new(
                "may be a subscription or a service account",
                "write `微信订阅号`, `微信服务号` or `微信视频号`: their rules differ",
            ));
        }
        "短视频" | "短视频号" => {
            return Err(Fault::new("may be one of several platforms", "write `抖音`, `快手` or `微信视频号`"));
        }
        _ => {
            let labels: Vec<&str> = AccountKind::ALL.iter().map(|kind| kind.label()).collect();
            return Err(Fault::new("is not a known kind", format!("write one of: {}", labels.join("、"))));
        }
    })
}

pub(super) fn level(text: &str) -> Result<UnitLevel, Fault> {
    let plain = plain(text);
    let by_word = UnitLevel::ALL.iter().find(|level| level.as_str() == plain || level.label() == plain);
    if let Some(level) = by_word {
        return Ok(*level);
    }
    match plain.as_str() {
        "州" | "州直" | "州本级" | "市级" | "市州级" | "州直部门" | "州市级" => {
            Ok(UnitLevel::Prefecture)
        }
        "县" | "县级" | "县区" | "县区级" | "县市级" | "县市区" | "县直" => Ok(UnitLevel::County),
        "乡" | "镇" | "乡镇级" | "乡级" | "镇级" | "街道" | "乡镇街道" | "乡镇(街道)" => {
            Ok(UnitLevel::Township)
        }
        _ => Err(Fault::new("is not a known level", "write `州级`, `县市` or `乡镇`")),
    }
}

pub(super) fn status(text: &str) -> Result<AccountStatus, Fault> {
    let plain = plain(text);
    let by_word = AccountStatus::ALL.iter().find(|status| status.as_str() == plain || status.label() == plain);
    if let Some(status) = by_word {
        return Ok(*status);
    }
    match plain.as_str() {
        "正常运行" | "在用" | "运行" | "运行中" | "已备案" | "使用中" => Ok(AccountStatus::Active),
        "待备案" | "未备案" | "备案审核中" | "申请中" => Ok(AccountStatus::Pending),
        "停更" | "暂停更新" | "已暂停" => Ok(AccountStatus::Suspended),
        "拟注销" | "拟关停" | "申请注销" => Ok(AccountStatus::Closing),
        "注销" | "已关停" | "关停" | "关闭" | "已关闭" => Ok(AccountStatus::Deregistered),
        _ => {
            let labels: Vec<&str> = AccountStatus::ALL.iter().map(|status| status.label()).collect();
            Err(Fault::new("is not a known state", format!("write one of: {}", labels.join("、"))))
        }
    }
}

/// `2021-03-01`, `2021/3/1`, `2021.3.1`, `2021年3月1日`, `20210301`; a time of day after it does not matter.
pub(super) fn date(text: &str) -> Result<NaiveDate, Fault> {
    let wrong = || Fault::new("is not a day of the calendar", "write it as `2021-03-01`");
    let day = text.split([' ', 'T']).next().unwrap_or_default();
    let day = day.strip_suffix('日').unwrap_or(day);
    if day.len() == 8 && day.bytes().all(|b| b.is_ascii_digit()) {
        return values::date(&format!("{}-{}-{}", &day[..4], &day[4..6], &day[6..]));
    }
    let parts: Vec<&str> = day.split(['-', '/', '.', '年', '月']).collect();
    let [year, month, day] = parts[..] else { return Err(wrong()) };
    let lengths_fit = year.len() == 4 && (1..=2).contains(&month.len()) && (1..=2).contains(&day.len());
    if !lengths_fit {
        return Err(wrong());
    }
    values::date(&format!("{year}-{month:0>2}-{day:0>2}"))
}

/// Full-width brackets and blanks do not matter, nor does case.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| match c {
            '（' => '(',
            '）' => ')',
            c => c,
        })
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn kinds_are_understood_as_offices_write_them() {
        let check = |text: &str, expected: AccountKind| assert_eq!(kind(text).unwrap(), expected, "{text}");
        check("wechat_subscription", AccountKind::WechatSubscription);
        check("微信公众号（订阅号）", AccountKind::WechatSubscription);
        check("服务号", AccountKind::WechatService);
        check("新浪微博", AccountKind::Weibo);
        check("抖音号", AccountKind::Douyin);
        check("头条号", AccountKind::Toutiao);
        check(" APP ", AccountKind::App);
        for value in AccountKind::ALL {
            check(value.label(), *value);
        }
    }

    #[test]
    fn a_kind_that_may_mean_two_is_an_error_that_says_what_to_write() {
        assert!(kind("微信公众号").unwrap_err().remedy.contains("微信订阅号"));
        assert!(kind("短视频").unwrap_err().remedy.contains("抖音"));
        assert!(kind("论坛").unwrap_err().remedy.contains("百家号"));
    }

    #[test]
    fn levels_and_states_are_understood() {
        assert_eq!(level("州直").unwrap(), UnitLevel::Prefecture);
        assert_eq!(level("township").unwrap(), UnitLevel::Township);
        assert!(level("省级").is_err());
        assert_eq!(status("已备案").unwrap(), AccountStatus::Active);
        assert_eq!(status("已注销").unwrap(), AccountStatus::Deregistered);
        assert!(status("?").is_err());
    }

    #[test]
    fn dates_are_understood_as_offices_write_them() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(date(text).ok().map(|day| day.to_string()).as_deref(), expected, "{text}");
        };
        check("2021-03-01", Some("2021-03-01"));
        check("2021/3/1", Some("2021-03-01"));
        check("2021.3.1", Some("2021-03-01"));
        check("2021年3月1日", Some("2021-03-01"));
        check("20210301", Some("2021-03-01"));
        check("2021-03-01 00:00:00", Some("2021-03-01"));
        check("2021-02-30", None);
        check("2021年3月", None);
        check("3/1/21", None);
        check("日", None);
    }

    proptest! {
        #[test]
        fn no_text_makes_a_word_panic(text in "\\PC*|[0-9年月日/.T -]*") {
            let _ = (kind(&text), level(&text), status(&text), date(&text));
        }
    }
}
