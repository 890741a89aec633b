//! The report's tables, once for all formats: columns and typed cells. A renderer only draws them.

use super::text;
use super::violations::measure_word;
use super::weekly::{AccountRef, AccountRow, LocalTime, Problem, Tally, WeeklyReport};
use crate::model::account::AccountStatus;
use crate::model::rule::RuleLevel;
use crate::model::violation::ViolationKind;

/// A table with its heading.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub title: &'static str,
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub title: &'static str,
    /// Width in Chinese characters.
    pub width: u16,
    /// Only where there is room: in the spreadsheet, not on A4.
    pub wide_only: bool,
}

/// What a cell holds; it decides how a format aligns, links and types it.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Empty,
    Text(String),
    /// A short word, centred.
    Word(String),
    Number(u32),
    /// 0 to 1.
    Share(f64),
    Time(LocalTime),
    /// `http` or `https` only.
    Link {
        text: String,
        url: String,
    },
    /// Words found, between the words around them.
    Quote {
        before: String,
        found: String,
        after: String,
    },
}

const fn column(title: &'static str, width: u16) -> Column {
    Column { title, width, wide_only: false }
}

const fn wide(title: &'static str, width: u16) -> Column {
    Column { title, width, wide_only: true }
}

fn word(text: impl Into<String>) -> Cell {
    Cell::Word(text.into())
}

fn plain(text: impl Into<String>) -> Cell {
    Cell::Text(text.into())
}

fn time(at: Option<LocalTime>) -> Cell {
    at.map_or(Cell::Empty, Cell::Time)
}

fn serial(index: usize) -> Cell {
    Cell::Number(u32::try_from(index + 1).unwrap_or(u32::MAX))
}

/// 总览: accounts of each kind, and their sum.
pub fn kinds(report: &WeeklyReport) -> Table {
    let row = |name: &str, tally: &Tally| {
        let numbers = [
            tally.accounts,
            tally.posts,
            tally.pushes,
            tally.met,
            tally.short,
            tally.unverified,
            tally.pending,
            tally.exempt,
            tally.no_rule,
            tally.inactive,
        ];
        std::iter::once(word(name)).chain(numbers.map(Cell::Number)).collect()
    };
    let mut rows: Vec<Vec<Cell>> =
        report.overview.by_kind.iter().map(|kind| row(kind.kind.label(), &kind.tally)).collect();
    rows.push(row("合计", &report.overview.total));
    Table {
        title: "各类账号更新情况",
        columns: vec![
            column("账号类型", 7),
            column("账号数", 4),
            column("发布条数", 5),
            wide("发布批次", 5),
            column("达标", 4),
            column("未达标", 4),
            column("未核实", 4),
            column("统计中", 4),
            column("已报备", 4),
            column("无更新要求", 5),
            column("非正常状态", 5),
        ],
        rows,
    }
}

/// 未达标: one line for each account and rule.
pub fn shortfalls(report: &WeeklyReport) -> Table {
    let rows = report.shortfalls.iter().enumerate().map(|(index, row)| {
        let mut cells = vec![serial(index)];
        cells.extend(who(&row.account));
        cells.extend([
            word(row.level.label()),
            plain(row.demand.clone()),
            word(format!("{}{}", row.counted, measure_word(row.count))),
            time(row.last_post_at),
            plain(also_short_of(&row.also_short_of)),
            plain(row.basis.clone()),
            plain(row.violation.as_str()),
        ]);
        cells
    });
    let mut columns = who_columns();
    columns.extend([
        column("要求层级", 5),
        column("更新要求", 9),
        column("实际更新", 4),
        column("最近发布时间", 8),
        column("备注", 8),
        wide("依据", 30),
        wide("问题编号", 10),
    ]);
    Table { title: "更新未达标账号", columns, rows: rows.collect() }
}

/// 未核实: what could not be seen, why, and what to do.
pub fn unverified(report: &WeeklyReport) -> Table {
    let rows = report.unverified.iter().enumerate().map(|(index, row)| {
        let mut cells = vec![serial(index)];
        cells.extend(who(&row.account));
        cells.extend([
            Cell::Number(row.posts),
            Cell::Share(row.coverage_ratio),
            plain(row.reason_text.clone()),
            plain(row.advice),
            time(row.last_post_at),
        ]);
        cells
    });
    let mut columns = who_columns();
    columns.extend([
        column("已见条数", 4),
        column("核查覆盖率", 5),
        column("未核实原因", 12),
        column("处理建议", 12),
        wide("最近发布时间", 9),
    ]);
    Table { title: "未核实账号", columns, rows: rows.collect() }
}

/// 错敏信息: the words, where they stand, and what is right.
pub fn wording(report: &WeeklyReport) -> Table {
    let rows = report.problems(ViolationKind::Wording).enumerate().map(|(index, problem)| {
        let mut cells = vec![serial(index)];
        cells.extend(who(&problem.account));
        cells.extend([
            title_of(problem),
            time(problem.post.as_ref().and_then(|post| post.published_at)),
            quote_of(problem),
            plain(problem.suggestion.clone().unwrap_or_else(|| "请核实修改".to_owned())),
            word(problem.class.map_or("", |class| class.label())),
            word(problem.severity.label()),
            word(problem.state.label()),
            Cell::Number(problem.occurrences),
            plain(problem.message.clone()),
            plain(problem.basis.clone()),
            plain(problem.post.as_ref().and_then(|post| post.url.clone()).unwrap_or_default()),
            plain(problem.id.as_str()),
        ]);
        cells
    });
    let mut columns = who_columns();
    // A4 has no room for it, and the title says where to look.
    columns[3].wide_only = true;
    columns.extend([
        column("标题", 10),
        column("发布时间", 8),
        column("错误表述", 10),
        column("应为", 6),
        column("类别", 5),
        column("级别", 4),
        column("整改情况", 5),
        wide("出现次数", 4),
        wide("说明", 20),
        wide("依据", 20),
        wide("链接", 30),
        wide("问题编号", 10),
    ]);
    Table { title: "错敏信息", columns, rows: rows.collect() }
}

/// 错链死链: links that lead nowhere, and where they stand.
pub fn links(report: &WeeklyReport) -> Table {
    let rows = report.problems(ViolationKind::Link).enumerate().map(|(index, problem)| {
        let mut cells = vec![serial(index)];
        cells.extend(who(&problem.account));
        cells.extend([
            title_of(problem),
            plain(problem.found.clone()),
            plain(problem.message.clone()),
            word(problem.severity.label()),
            word(problem.state.label()),
            Cell::Number(problem.occurrences),
            time(problem.post.as_ref().and_then(|post| post.published_at)),
            plain(problem.basis.clone()),
            plain(problem.id.as_str()),
        ]);
        cells
    });
    let mut columns = who_columns();
    columns.extend([
        column("标题", 10),
        column("所指网址", 12),
        column("情况", 12),
        column("级别", 4),
        column("整改情况", 5),
        column("涉及篇数", 4),
        wide("发布时间", 8),
        wide("依据", 20),
        wide("问题编号", 10),
    ]);
    Table { title: "错链死链", columns, rows: rows.collect() }
}

/// 账号管理: disorder in the registry.
pub fn registry(report: &WeeklyReport) -> Table {
    let rows = report.problems(ViolationKind::Registry).enumerate().map(|(index, problem)| {
        let mut cells = vec![serial(index)];
        cells.extend(who(&problem.account));
        cells.extend([
            plain(problem.message.clone()),
            word(problem.severity.label()),
            plain(problem.basis.clone()),
            plain(problem.id.as_str()),
        ]);
        cells
    });
    let mut columns = who_columns();
    columns.extend([column("问题描述", 20), column("级别", 4), wide("依据", 30), wide("问题编号", 10)]);
    Table { title: "账号管理问题", columns, rows: rows.collect() }
}

/// 更正情况: what later evidence changed in a report that was out.
pub fn corrections(report: &WeeklyReport) -> Table {
    let lines = report.correction.iter().flat_map(|correction| &correction.changes);
    let rows = lines.enumerate().map(|(index, line)| {
        vec![
            serial(index),
            Cell::Number(line.number),
            plain(line.account_name.clone()),
            plain(line.what.clone()),
            word(line.old.clone()),
            word(line.new.clone()),
            plain(line.reason.clone()),
            plain(line.subject.clone()),
        ]
    });
    let columns = vec![
        column("序号", 3),
        column("更正次数", 4),
        column("账号名称", 9),
        column("事项", 14),
        column("原判定", 7),
        column("现判定", 7),
        column("更正原因", 12),
        wide("规则或问题编号", 14),
    ];
    Table { title: "更正情况", columns, rows: rows.collect() }
}

/// 采集来源告警: sources that kept a week from being seen.
pub fn source_alarms(report: &WeeklyReport) -> Table {
    let rows = report.source_alarms.iter().enumerate().map(|(index, alarm)| {
        let mut cells = vec![serial(index)];
        cells.extend(who(&alarm.account));
        cells.extend([
            word(alarm.reason.label()),
            plain(alarm.reason_text.clone()),
            time(alarm.last_success_at),
            plain(alarm.detail.clone()),
            plain(alarm.url.clone()),
        ]);
        cells
    });
    let mut columns = who_columns();
    columns.extend([
        column("类别", 7),
        column("情况", 16),
        column("最近成功采集", 8),
        wide("技术信息", 24),
        wide("来源地址", 30),
    ]);
    Table { title: "采集来源告警", columns, rows: rows.collect() }
}

/// 全部账号.
pub fn accounts(report: &WeeklyReport) -> Table {
    let rows = report.accounts.iter().enumerate().map(|(index, row)| {
        vec![
            serial(index),
            plain(row.unit_name.clone()),
            plain(row.name.clone()),
            word(row.kind.label()),
            word(row.region.clone()),
            word(row.status.label()),
            Cell::Number(row.posts),
            Cell::Number(row.pushes),
            time(row.last_post_at),
            Cell::Share(row.coverage.ratio),
            word(verdict_label(row)),
            Cell::Number(row.wording),
            plain(row.id.as_str()),
        ]
    });
    let columns = vec![
        column("序号", 4),
        column("主办单位", 9),
        column("账号名称", 9),
        column("账号类型", 7),
        wide("地区", 6),
        column("备案状态", 4),
        column("发布条数", 4),
        wide("发布批次", 4),
        column("最近发布时间", 8),
        column("核查覆盖率", 5),
        column("判定", 5),
        column("错敏信息", 4),
        wide("账号编号", 12),
    ];
    Table { title: "全部账号", columns, rows: rows.collect() }
}

/// The judgement in one word, also for accounts that are not judged.
pub fn verdict_label(row: &AccountRow) -> &'static str {
    match row.verdict {
        Some(verdict) => verdict.label(),
        None if row.status == AccountStatus::Active => "无更新要求",
        None => "不列入考核",
    }
}

fn who_columns() -> Vec<Column> {
    vec![column("序号", 4), column("主办单位", 8), column("账号名称", 8), column("账号类型", 7)]
}

fn who(account: &AccountRef) -> [Cell; 3] {
    [plain(account.unit_name.clone()), plain(account.name.clone()), word(account.kind.label())]
}

fn also_short_of(levels: &[RuleLevel]) -> String {
    if levels.is_empty() {
        return String::new();
    }
    let labels: Vec<&str> = levels.iter().map(|level| level_name(*level)).collect();
    format!("同时未达{}", labels.join("、"))
}

/// A level as the object of 未达.
pub const fn level_name(level: RuleLevel) -> &'static str {
    match level {
        RuleLevel::Veto => "单项否决指标",
        RuleLevel::Provincial | RuleLevel::Local | RuleLevel::Advice => level.label(),
    }
}

fn title_of(problem: &Problem) -> Cell {
    match &problem.post {
        None => Cell::Empty,
        Some(post) => {
            let title = if post.title.is_empty() { "（无标题）".to_owned() } else { post.title.clone() };
            match &post.url {
                Some(url) => Cell::Link { text: title, url: url.clone() },
                None => Cell::Text(title),
            }
        }
    }
}

fn quote_of(problem: &Problem) -> Cell {
    let (before, after) =
        problem.context.as_ref().map_or(("", ""), |context| (context.before.as_str(), context.after.as_str()));
    Cell::Quote { before: before.to_owned(), found: problem.found.clone(), after: after.to_owned() }
}

impl Cell {
    /// The cell as one plain text.
    pub fn text(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) | Self::Word(text) | Self::Link { text, .. } => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Share(share) => text::percent(*share).into_owned(),
            Self::Time(at) => text::minute(*at),
            Self::Quote { before, found, after } => {
                let (open, close) = (if before.is_empty() { "" } else { "…" }, if after.is_empty() { "" } else { "…" });
                format!("{open}{before}【{found}】{after}{close}")
            }
        }
    }
}
