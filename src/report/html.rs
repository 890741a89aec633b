//! The report as one self-contained page: no script, no outside file, charts as inline SVG, made to be printed on A4.
//!
//! The templates escape everything; links are `http` or `https` (see [`super::text::link_of`]).

use askama::Template;

use super::prose::{self, Prose, prose};
use super::tables::{self, Cell, Table};
use super::text;
use super::weekly::{Tally, WeeklyReport};

/// Width of a chart's bars, in SVG units.
const BAR_WIDTH: f64 = 480.0;

#[derive(Template)]
#[template(path = "weekly.html")]
struct WeeklyPage<'a> {
    report: &'a WeeklyReport,
    period: String,
    day: String,
    prose: Prose,
    figures: Vec<Figure>,
    kinds: Vec<Bar>,
    weeks: Vec<Bar>,
    legend: Vec<(&'static str, &'static str)>,
    tables: Vec<Table>,
}

pub fn render(report: &WeeklyReport) -> Result<String, askama::Error> {
    let tables = [
        tables::corrections(report),
        tables::kinds(report),
        tables::shortfalls(report),
        tables::wording(report),
        tables::links(report),
        tables::registry(report),
        tables::unverified(report),
        tables::source_alarms(report),
        tables::accounts(report),
    ];
    let page = WeeklyPage {
        report,
        period: prose::period(report),
        day: text::day(report.issued_on),
        prose: prose(report),
        figures: figures(report),
        kinds: kind_bars(report),
        weeks: week_bars(report),
        legend: legend(report),
        tables: tables.into_iter().filter(|table| !table.rows.is_empty() && !report.accounts.is_empty()).collect(),
    };
    page.render()
}

/// A figure of the first page, with its change against last week.
struct Figure {
    label: &'static str,
    value: String,
    note: String,
    tone: &'static str,
}

fn figures(report: &WeeklyReport) -> Vec<Figure> {
    let total = &report.overview.total;
    let last = &report.overview.last_week.tally;
    let wording = &report.overview.wording;
    let against = |now: u32, before: u32| match now.cmp(&before) {
        std::cmp::Ordering::Greater => format!("较上周增加{}", now - before),
        std::cmp::Ordering::Less => format!("较上周减少{}", before - now),
        std::cmp::Ordering::Equal => "与上周持平".to_owned(),
    };
    let share = total.met_ratio().map_or_else(|| "—".to_owned(), |ratio| text::percent(ratio).into_owned());
    let coverage = &report.overview.coverage;
    vec![
        Figure {
            label: "监测账号",
            value: total.accounts.to_string(),
            note: format!("应考核{}", total.judged()),
            tone: "",
        },
        Figure {
            label: "发布信息", value: total.posts.to_string(), note: against(total.posts, last.posts), tone: ""
        },
        Figure { label: "已核实达标率", value: share, note: format!("达标{}", total.met), tone: "" },
        Figure {
            label: "未达标",
            value: total.short.to_string(),
            note: against(total.short, last.short),
            tone: "short",
        },
        Figure {
            label: "未核实",
            value: total.unverified.to_string(),
            note: against(total.unverified, last.unverified),
            tone: "unverified",
        },
        Figure {
            label: "错敏信息",
            value: wording.total.to_string(),
            note: against(wording.total, report.overview.last_week.wording),
            tone: "short",
        },
        Figure {
            label: "核查覆盖率",
            value: if coverage.accounts == 0 { "—".to_owned() } else { text::percent(coverage.ratio).into_owned() },
            note: format!("核查完整{}", coverage.full),
            tone: "",
        },
    ]
}

/// One stacked bar.
struct Bar {
    label: String,
    n: u32,
    segments: Vec<Segment>,
}

impl Bar {
    /// Where the last segment ends.
    fn end(&self) -> f64 {
        self.segments.last().map_or(0.0, |segment| segment.x + segment.width)
    }
}

struct Segment {
    tone: &'static str,
    label: &'static str,
    n: u32,
    x: f64,
    width: f64,
}

impl Segment {
    /// Whether the number fits into the segment.
    fn has_room(&self) -> bool {
        self.width >= 18.0
    }
}

fn kind_bars(report: &WeeklyReport) -> Vec<Bar> {
    let widest = report.overview.by_kind.iter().map(|row| row.tally.accounts).max().unwrap_or(0);
    report.overview.by_kind.iter().map(|row| bar(row.kind.label().to_owned(), &row.tally, widest)).collect()
}

fn week_bars(report: &WeeklyReport) -> Vec<Bar> {
    let (this, last) = (&report.overview.total, &report.overview.last_week.tally);
    let widest = this.accounts.max(last.accounts);
    vec![bar("本周".to_owned(), this, widest), bar("上周".to_owned(), last, widest)]
}

fn bar(label: String, tally: &Tally, widest: u32) -> Bar {
    let mut segments: Vec<Segment> = Vec::new();
    let mut x = 0.0;
    for (tone, label, n) in columns(tally).into_iter().filter(|(_, _, n)| *n > 0) {
        let width = f64::from(n) / f64::from(widest.max(1)) * BAR_WIDTH;
        segments.push(Segment { tone, label, n, x, width });
        x += width;
    }
    Bar { label, n: tally.accounts, segments }
}

fn columns(tally: &Tally) -> [(&'static str, &'static str, u32); 6] {
    [
        ("met", "达标", tally.met),
        ("short", "未达标", tally.short),
        ("unverified", "未核实", tally.unverified),
        ("pending", "统计中", tally.pending),
        ("exempt", "已报备", tally.exempt),
        ("none", "不列入考核", tally.no_rule + tally.inactive),
    ]
}

/// The columns that appear in a chart.
fn legend(report: &WeeklyReport) -> Vec<(&'static str, &'static str)> {
    let now = columns(&report.overview.total);
    let before = columns(&report.overview.last_week.tally);
    now.iter().zip(before).filter(|(now, before)| now.2 + before.2 > 0).map(|(now, _)| (now.0, now.1)).collect()
}
