//! Why a week was not seen whole, in words that an office understands, and what to do about it.
//!
//! Whatever is said here is said of the *source*, never of the unit (design.md §2 rule 1).

use chrono::{DateTime, TimeDelta, Utc};

use super::input::SourceState;
use super::text;
use super::weekly::UnverifiedReason;
use crate::model::account::Account;
use crate::model::coverage::Coverage;
use crate::model::crawl::Reach;
use crate::model::week::{Calendar, Window};

/// Most seen spans named in a reason.
const SPANS_MAX: usize = 3;

/// A reason with its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    pub reason: UnverifiedReason,
    pub text: String,
}

impl Diagnosis {
    pub const fn advice(&self) -> &'static str {
        match self.reason {
            UnverifiedReason::NoSource => "为该账号配置采集来源，配置前由主办单位报送发布清单",
            UnverifiedReason::NotCrawled => "检查采集任务是否启用，补采后重新生成报告",
            UnverifiedReason::SourceFailing => "检查采集来源地址和访问权限，恢复后补采，必要时人工核查账号主页",
            UnverifiedReason::BridgeSilent => "检查采集通道登录状态，恢复同步后补采，必要时人工核查账号主页",
            UnverifiedReason::NotFarBack => "缩短采集间隔或增加采集来源，对未核查时段人工核查账号主页",
        }
    }
}

/// Why `window` was not seen whole. `states`: the account's sources in order of preference.
///
/// A working source speaks before a failing one: then the gap is older than the failure.
pub fn diagnose(
    account: &Account,
    states: &[&SourceState],
    coverage: &Coverage,
    window: Window,
    calendar: Calendar,
) -> Diagnosis {
    if account.sources.is_empty() && states.is_empty() {
        return Diagnosis {
            reason: UnverifiedReason::NoSource, text: "未配置采集来源，无法核查".to_owned()
        };
    }
    if states.is_empty() {
        return Diagnosis { reason: UnverifiedReason::NotCrawled, text: "采集来源尚未采集".to_owned() };
    }
    let troubles: Option<Vec<Diagnosis>> = states.iter().map(|state| source_trouble(state, window, calendar)).collect();
    let first_trouble = troubles.and_then(|troubles| troubles.into_iter().next());
    first_trouble.unwrap_or_else(|| not_far_back(coverage, window, calendar))
}

/// What kept one source from seeing up to the end of `window`; `None` if it works.
pub fn source_trouble(state: &SourceState, window: Window, calendar: Calendar) -> Option<Diagnosis> {
    let moment = |at: DateTime<Utc>| text::moment(at.with_timezone(&calendar.zone).fixed_offset());
    let succeeded_after = state.last_success_at.is_some_and(|at| window.to <= at);
    if !succeeded_after {
        let label = state.outcome.label();
        let (reason, text) = match (state.outcome.is_success(), state.last_success_at) {
            (false, Some(at)) => {
                (UnverifiedReason::SourceFailing, format!("采集来源自{}最后一次成功后持续异常：{label}", moment(at)))
            }
            (false, None) => (UnverifiedReason::SourceFailing, format!("采集来源从未采集成功：{label}")),
            (true, Some(at)) => (UnverifiedReason::NotCrawled, format!("采集来源{}后未再采集", moment(at))),
            (true, None) => (UnverifiedReason::NotCrawled, "采集来源尚未采集".to_owned()),
        };
        return Some(Diagnosis { reason, text });
    }
    match state.reach {
        Reach::SignOfLife(None) => Some(Diagnosis {
            reason: UnverifiedReason::BridgeSilent,
            text: "采集通道从未见同步迹象".to_owned(),
        }),
        Reach::SignOfLife(Some(at)) if at < window.to => Some(Diagnosis {
            reason: UnverifiedReason::BridgeSilent,
            text: format!("采集通道自{}起无同步迹象", moment(at)),
        }),
        Reach::SignOfLife(_) | Reach::Listing => None,
    }
}

fn not_far_back(coverage: &Coverage, window: Window, calendar: Calendar) -> Diagnosis {
    let local = |at: DateTime<Utc>| at.with_timezone(&calendar.zone).fixed_offset();
    let first_day = calendar.day_of(window.from);
    let last_day = calendar.day_of(window.to - TimeDelta::milliseconds(1));
    let period = text::days(first_day, last_day);
    let seen = coverage.within(window);
    let mut spans: Vec<String> = seen
        .iter()
        .take(SPANS_MAX)
        .map(|part| format!("{}至{}", text::moment(local(part.from)), text::moment_end(local(part.to))))
        .collect();
    if seen.len() > SPANS_MAX {
        spans.push(format!("其余{}段", seen.len() - SPANS_MAX));
    }
    let text = if spans.is_empty() {
        format!("采集列表未能证实{period}的发布情况")
    } else {
        format!("采集列表在{period}内仅证实{}", spans.join("、"))
    };
    Diagnosis { reason: UnverifiedReason::NotFarBack, text }
}
