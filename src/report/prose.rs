//! The sentences of the bulletin, in the tone of official documents. Each adapts to its figures, zero among them, and
//! says no more than the figures prove.

use super::tables::level_name;
use super::text;
use super::violations::measure_word;
use super::weekly::{AccountRef, Problem, Shortfall, UnverifiedReason, WeeklyReport};
use crate::model::rule::RuleLevel;
use crate::model::violation::{ViolationKind, ViolationState};

/// Most accounts or problems named in running text; the tables name all.
const NAMED_MAX: usize = 10;

/// The paragraphs of the bulletin, by section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prose {
    pub lead: String,
    /// Only in a correction.
    pub correction: Option<String>,
    pub overview: Vec<String>,
    pub updates: Vec<String>,
    pub wording: Vec<String>,
    pub registry: Vec<String>,
    pub unverified: Vec<String>,
    /// Numbered demands: heading and text.
    pub demands: Vec<(&'static str, String)>,
}

pub fn prose(report: &WeeklyReport) -> Prose {
    Prose {
        lead: lead(report),
        correction: super::fixed::note(report),
        overview: overview(report),
        updates: updates(report),
        wording: wording(report).into_iter().chain(links(report)).collect(),
        registry: registry(report),
        unverified: unverified(report),
        demands: demands(report),
    }
}

/// `2021年6月11日至17日`.
pub fn period(report: &WeeklyReport) -> String {
    text::days(report.window.first_day, report.window.last_day)
}

fn lead(report: &WeeklyReport) -> String {
    let so_far = if report.complete {
        String::new()
    } else {
        format!("监测期尚未结束，以下为截至{}的情况。", text::moment_end(report.judged_at))
    };
    format!(
        "按照政务新媒体监管有关要求，{}对{}政务新媒体{}信息更新、内容表述和账号管理情况进行了监测。现将有关情况通报如下。{so_far}",
        report.office,
        report.area,
        period(report)
    )
}

fn overview(report: &WeeklyReport) -> Vec<String> {
    if report.accounts.is_empty() {
        return vec!["监测期内账号台账中尚无登记账号。".to_owned()];
    }
    vec![accounts_and_posts(report), updating(report), reading(report), seeing(report)]
}

fn accounts_and_posts(report: &WeeklyReport) -> String {
    let total = &report.overview.total;
    let kinds: Vec<String> =
        report.overview.by_kind.iter().map(|row| format!("{}{}个", row.kind.label(), row.tally.accounts)).collect();
    let wechat: u32 =
        report.overview.by_kind.iter().filter(|row| row.kind.is_wechat_account()).map(|row| row.tally.pushes).sum();
    let pushes = if wechat > 0 { format!("，其中微信公众号群发{wechat}次") } else { String::new() };
    let posts = if total.posts == 0 {
        "监测期内未采集到发布信息。".to_owned()
    } else {
        let change = change(total.posts, report.overview.last_week.tally.posts, "条");
        format!("监测期内共采集到发布信息{}条{pushes}，较上周{change}。", total.posts)
    };
    let kinds = if let [only] = kinds.as_slice() {
        format!("均为{}", only.trim_end_matches(|c: char| c.is_ascii_digit() || c == '个'))
    } else {
        format!("其中{}", kinds.join("、"))
    };
    format!("纳入监测的政务新媒体账号{}个，{kinds}。{posts}", total.accounts)
}

fn updating(report: &WeeklyReport) -> String {
    let total = &report.overview.total;
    let last = &report.overview.last_week.tally;
    let first = if total.judged() == 0 {
        "监测期内没有账号适用更新要求。".to_owned()
    } else {
        let columns = [
            ("达标", total.met),
            ("未达标", total.short),
            ("未核实", total.unverified),
            ("统计中", total.pending),
            ("已报备", total.exempt),
        ];
        let columns: Vec<String> =
            columns.iter().filter(|(_, n)| *n > 0).map(|(label, n)| format!("{label}{n}个")).collect();
        format!("按照现行更新要求，应考核账号{}个，其中{}。", total.judged(), columns.join("、"))
    };
    let mut sentences = vec![first];
    if total.no_rule + total.inactive > 0 {
        let parts: Vec<String> = [(total.no_rule, "无更新次数要求"), (total.inactive, "处于备案、暂停或注销状态")]
            .iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, why)| format!("{n}个账号{why}"))
            .collect();
        sentences.push(format!("另有{}，不列入考核。", parts.join("，")));
    }
    if let Some(ratio) = total.met_ratio() {
        sentences.push(format!("已核实账号达标率为{}。", text::percent(ratio)));
    }
    if report.complete && total.judged() > 0 && last.judged() > 0 {
        sentences.push(format!(
            "与上周相比，未达标账号{}，未核实账号{}。",
            change(total.short, last.short, "个"),
            change(total.unverified, last.unverified, "个")
        ));
    }
    sentences.concat()
}

fn reading(report: &WeeklyReport) -> String {
    let wording = &report.overview.wording;
    let first = if report.overview.total.posts == 0 && wording.total == 0 {
        "监测期内无可供检查的信息。".to_owned()
    } else if wording.total == 0 {
        "在已采集到正文的信息中，未发现错敏信息。".to_owned()
    } else {
        let classes: Vec<String> =
            wording.by_class.iter().map(|row| format!("{}{}处", row.class.label(), row.count)).collect();
        let severities: Vec<String> =
            wording.by_severity.iter().map(|row| format!("{}{}处", row.severity.label(), row.count)).collect();
        let open = wording.total - wording.rectified;
        let state = match (wording.rectified, open) {
            (0, _) => "均待整改".to_owned(),
            (_, 0) => "均已整改".to_owned(),
            (done, open) => format!("已整改{done}处、待整改{open}处"),
        };
        format!(
            "内容检查发现错敏信息{}处，涉及账号{}个。按类别分，{}；按级别分，{}；{state}。",
            wording.total,
            wording.accounts,
            classes.join("、"),
            severities.join("、")
        )
    };
    let mut sentences = vec![first];
    if wording.suspects > 0 {
        sentences.push(format!("另有疑似问题{}处待人工确认，未计入上述数字。", wording.suspects));
    }
    if report.overview.posts_to_fill > 0 {
        sentences.push(format!("尚有{}条信息未取得正文，仅检查了标题。", report.overview.posts_to_fill));
    }
    sentences.concat()
}

fn seeing(report: &WeeklyReport) -> String {
    let coverage = &report.overview.coverage;
    if coverage.accounts == 0 {
        return "监测期内没有处于正常状态的账号。".to_owned();
    }
    let full = if coverage.full == coverage.accounts {
        "均已核查完整".to_owned()
    } else {
        format!("其中监测时段核查完整的{}个", coverage.full)
    };
    format!(
        "处于正常状态的账号{}个，{full}，按时长计核查覆盖率为{}。",
        coverage.accounts,
        text::percent(coverage.ratio)
    )
}

fn updates(report: &WeeklyReport) -> Vec<String> {
    let n_short = report.overview.total.short;
    if n_short == 0 {
        let unseen = report.overview.total.unverified > 0;
        let except = if unseen { "（未核实账号除外）" } else { "" };
        return vec![format!("监测期内未发现更新不及时的账号{except}。")];
    }
    let several = report.shortfalls.iter().filter(|row| !row.also_short_of.is_empty());
    let mut several: Vec<&str> = several.map(|row| row.account.id.as_str()).collect();
    several.sort_unstable();
    several.dedup();
    let also = if several.is_empty() {
        String::new()
    } else {
        format!("，其中{}个账号同时未达到两个以上层级的要求，在各层级分别列出", several.len())
    };
    let mut paragraphs = vec![format!("{n_short}个账号更新次数未达到要求{also}。")];
    for level in RuleLevel::ALL {
        let of_level: Vec<&Shortfall> = report.shortfalls.iter().filter(|row| row.level == *level).collect();
        let mut demands: Vec<&str> = Vec::new();
        for row in &of_level {
            if !demands.contains(&row.demand.as_str()) {
                demands.push(&row.demand);
            }
        }
        for demand in demands {
            let rows: Vec<&&Shortfall> = of_level.iter().filter(|row| row.demand == demand).collect();
            let named =
                rows.iter().map(|row| format!("{}更新{}{}", name(&row.account), row.counted, measure_word(row.count)));
            let level = level_name(*level);
            paragraphs.push(format!("未达到{level}（{demand}）的账号{}个：{}。", rows.len(), list(named)));
        }
    }
    paragraphs
}

fn wording(report: &WeeklyReport) -> Vec<String> {
    let problems: Vec<&Problem> = report.problems(ViolationKind::Wording).collect();
    if problems.is_empty() {
        return vec!["监测期内在已采集到正文的信息中未发现内容表述问题。".to_owned()];
    }
    let named = problems.iter().map(|problem| {
        let wrong = match &problem.suggestion {
            Some(right) => format!("“{}”应为“{right}”", problem.found),
            None => problem.message.trim_end_matches('。').to_owned(),
        };
        format!("{}中，{wrong}{}", place(problem), done(problem.state))
    });
    vec![format!("{}。", joined(named, "；", "处"))]
}

/// Dead links; nothing is said where there are none.
fn links(report: &WeeklyReport) -> Option<String> {
    let problems: Vec<&Problem> = report.problems(ViolationKind::Link).collect();
    let named = problems.iter().map(|problem| {
        let message = problem.message.trim_end_matches('。');
        let others = match problem.occurrences {
            0 | 1 => String::new(),
            n => format!("等{n}篇"),
        };
        format!("{}{others}中，{message}{}", place(problem), done(problem.state))
    });
    (!problems.is_empty()).then(|| format!("错链死链{}处：{}。", problems.len(), joined(named, "；", "处")))
}

/// `州教育局“甘南教育”（微信订阅号）6月11日发布的《标题》`.
fn place(problem: &Problem) -> String {
    let (title, day) = match &problem.post {
        Some(post) if post.title.is_empty() => (String::new(), post.published_at),
        Some(post) => (format!("《{}》", text::clean(&post.title, 40)), post.published_at),
        None => (String::new(), None),
    };
    let day = day.map(|at| at.format("%-m月%-d日").to_string()).unwrap_or_default();
    format!("{}{day}发布的{}", name(&problem.account), if title.is_empty() { "信息" } else { &title })
}

const fn done(state: ViolationState) -> &'static str {
    match state {
        ViolationState::Rectified => "（已整改）",
        ViolationState::Removed => "（已删除）",
        _ => "",
    }
}

fn registry(report: &WeeklyReport) -> Vec<String> {
    let problems: Vec<&Problem> = report.problems(ViolationKind::Registry).collect();
    if problems.is_empty() {
        return vec!["监测期内账号台账未发现问题。".to_owned()];
    }
    let named = problems.iter().map(|problem| {
        let unit = problem.account.unit_name.as_str();
        let message = problem.message.trim_end_matches('。').replace('。', "，");
        if message.contains(unit) { message } else { format!("{unit}{message}") }
    });
    vec![format!("账号台账存在问题{}项。{}。", problems.len(), joined(named, "；", "项"))]
}

fn unverified(report: &WeeklyReport) -> Vec<String> {
    let rows = &report.unverified;
    if rows.is_empty() {
        let all_proved = report.complete && report.overview.total.judged() > 0;
        let text = if all_proved {
            "应考核账号均已核实，没有未核实账号。"
        } else {
            "没有未核实账号。"
        };
        return vec![text.to_owned()];
    }
    let reasons = [
        UnverifiedReason::NoSource,
        UnverifiedReason::NotCrawled,
        UnverifiedReason::SourceFailing,
        UnverifiedReason::BridgeSilent,
        UnverifiedReason::NotFarBack,
    ];
    let counts: Vec<String> = reasons
        .iter()
        .map(|reason| (reason, rows.iter().filter(|row| row.reason == *reason).count()))
        .filter(|(_, n)| *n > 0)
        .map(|(reason, n)| format!("{}的{n}个", reason.label()))
        .collect();
    let names = list(rows.iter().map(|row| name(&row.account)));
    vec![
        format!(
            "{}个账号因采集方面的原因，发布情况未能完整核实，不认定为更新不及时，不作为对主办单位通报的依据。其中，{}。",
            rows.len(),
            counts.join("、")
        ),
        format!("涉及账号：{names}。由监测方恢复采集后补充核实，必要时人工核查。"),
    ]
}

fn demands(report: &WeeklyReport) -> Vec<(&'static str, String)> {
    let total = &report.overview.total;
    let mut demands = Vec::new();
    let updating = if total.short > 0 {
        "各主办单位要落实政务新媒体管理主体责任，明确专人负责日常运维。更新未达标的单位要对照要求查找原因，及时恢复更新；\
         因特殊情况不能按要求更新的，应当提前报备。"
    } else {
        "各主办单位要继续落实政务新媒体管理主体责任，明确专人负责日常运维，保持信息更新的及时性和稳定性；\
         因特殊情况不能按要求更新的，应当提前报备。"
    };
    demands.push(("压实主体责任", updating.to_owned()));
    let reviewing = if report.overview.wording.total > report.overview.wording.rectified {
        "各主办单位要严格执行“三审三校”制度，坚持先审后发。对本期列出的错敏信息要即知即改，\
         并举一反三，对已发布的信息开展自查，防止同类问题再次发生。"
    } else {
        "各主办单位要严格执行“三审三校”制度，坚持先审后发，严防错敏信息。"
    };
    demands.push(("严格内容审核", reviewing.to_owned()));
    if report.overview.registry > 0 {
        demands.push((
            "规范账号管理",
            "有关单位要对照台账核实账号信息，按程序办理开设、变更、关停、注销备案，一个单位在同一平台只保留一个账号。"
                .to_owned(),
        ));
    }
    demands
}

/// `州教育局“甘南教育”（微信订阅号）`: a unit often uses one name on several platforms.
fn name(account: &AccountRef) -> String {
    format!("{}“{}”（{}）", account.unit_name, account.name, account.kind.label())
}

fn list(items: impl ExactSizeIterator<Item = String>) -> String {
    joined(items, "、", "个")
}

/// The first items, and how many there are where not all are named.
fn joined(items: impl ExactSizeIterator<Item = String>, separator: &str, measure: &str) -> String {
    let n = items.len();
    let named: Vec<String> = items.take(NAMED_MAX).collect();
    let rest =
        if n > NAMED_MAX { format!("{separator}其余{}{measure}详见附件", n - NAMED_MAX) } else { String::new() };
    format!("{}{rest}", named.join(separator))
}

fn change(now: u32, before: u32, measure: &str) -> String {
    match now.cmp(&before) {
        std::cmp::Ordering::Greater => format!("增加{}{measure}", now - before),
        std::cmp::Ordering::Less => format!("减少{}{measure}", before - now),
        std::cmp::Ordering::Equal => "持平".to_owned(),
    }
}
