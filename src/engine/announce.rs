//! What the service tells by itself: closed weeks, warnings, serious problems, its own failures. Each message has a key
//! that follows from what it is about, so that telling it again sends nothing twice.

use chrono::{DateTime, TimeDelta, Utc};

use super::Engine;
use super::close::CloseSummary;
use crate::model::message::{Message, MessageKind};
use crate::model::violation::{Severity, ViolationRecord, ViolationState};
use crate::model::week::Window;
use crate::notify::route::About;
use crate::report::warning::UnitWarnings;

/// Serious problems of posts published this long ago are news.
const SERIOUS_WITHIN: TimeDelta = TimeDelta::days(7);

impl Engine {
    /// Tells of each week with its files. One that was told already is not told again; one that a kill or a person at the
    /// command line came between is.
    pub async fn announce_closes(&self, closes: &[CloseSummary]) -> anyhow::Result<()> {
        self.announce_all(closes.iter().map(|close| (close_message(close), About::everything())).collect()).await
    }

    /// Tells every unit who will fall short unless it publishes; gives how many units were told.
    pub async fn announce_warnings(&self) -> anyhow::Result<usize> {
        let digest = self.warn().await?;
        let today = self.day_of(self.clock.now());
        let to_unit = |unit: &UnitWarnings| {
            let key = format!("{today}/{}", unit.unit);
            let message = Message::new(MessageKind::Warning, key, format!("{}政务新媒体内容更新预警", unit.unit_name))
                .with_lines(unit.text().lines().skip(1))
                .with_lines(["以上为预警提示，请及时更新。预警不作为问题通报。"]);
            (message, About::unit(unit.unit.clone()))
        };
        self.announce_all(digest.units.iter().map(to_unit).collect()).await?;
        Ok(digest.units.len())
    }

    /// Tells of the confirmed serious problems of the last days; gives how many there are.
    pub async fn announce_serious(&self) -> anyhow::Result<usize> {
        let now = self.clock.now();
        let window = Window { from: now - SERIOUS_WITHIN, to: now };
        let mut records = self.store.read().await?.wording_violations(window).await?;
        records.retain(|record| {
            record.violation.state == ViolationState::Open && record.violation.severity == Severity::Serious
        });
        let to_account = |record: &ViolationRecord| {
            let account = self.config.registry.account(&record.violation.account);
            let name = account.map_or(record.violation.account.as_str(), |account| account.name.as_str());
            (serious_message(name, record), About::account(record.violation.account.clone()))
        };
        self.announce_all(records.iter().map(to_account).collect()).await?;
        Ok(records.len())
    }

    /// Tells once a day that a task fails.
    pub(super) async fn announce_failure(&self, task: &str, error: &str) -> anyhow::Result<()> {
        let key = format!("task {task} {}", self.day_of(self.clock.now()));
        let message = Message::new(MessageKind::Alarm, key, format!("读网任务“{task}”执行失败"))
            .with_lines([error, "系统将自动重试。请执行 duwang doctor 查看原因和处理办法。"]);
        self.announce(message, About::everything()).await
    }

    /// Tells once a day that bridges have fallen silent.
    pub(super) async fn announce_stale_bridges(&self, n_stale: u64) -> anyhow::Result<()> {
        if n_stale == 0 {
            return Ok(());
        }
        let key = format!("bridges {}", self.day_of(self.clock.now()));
        let message = Message::new(MessageKind::Alarm, key, format!("{n_stale}个采集转换服务长时间没有新内容"))
            .with_lines(["可能已失效，期间相关账号不作达标或不达标的结论。请执行 duwang doctor 查看。"]);
        self.announce(message, About::everything()).await
    }

    fn day_of(&self, at: DateTime<Utc>) -> chrono::NaiveDate {
        at.with_timezone(&self.config.settings.time_zone).date_naive()
    }
}

fn close_message(close: &CloseSummary) -> Message {
    let day = close.week.last_day.format("%Y年%-m月%-d日");
    let (what, lines) = match close.number {
        0 => ("已生成".to_owned(), Vec::new()),
        number => {
            (format!("更正{number}"), vec![format!("根据新的采集结果，更正{}处，详见更正说明。", close.n_changes)])
        }
    };
    let counts = format!("达标{}个，未达标{}个，未核实{}个。", close.n_met, close.n_short, close.n_unverified);
    Message::new(
        MessageKind::Report,
        format!("{}/{}", close.week.last_day, close.number),
        format!("截至{day}一周的政务新媒体监测周报（{what}）"),
    )
    .with_lines([counts])
    .with_lines(lines)
    .with_files(close.files.iter().cloned())
}

fn serious_message(account: &str, record: &ViolationRecord) -> Message {
    let violation = &record.violation;
    let title = format!("“{account}”发现严重问题：{}", violation.found);
    let mut message =
        Message::new(MessageKind::Serious, violation.id.to_string(), title).with_lines([violation.message.as_str()]);
    if let Some(context) = &violation.context {
        message = message.with_lines([format!("原文：……{}【{}】{}……", context.before, violation.found, context.after)]);
    }
    if let Some(suggestion) = &violation.suggestion {
        message = message.with_lines([format!("建议改为：{suggestion}")]);
    }
    if let Some(post) = &record.post {
        message = message.with_lines([format!("所在内容：{}", post.title)]);
        if let Some(url) = &post.url {
            message = message.with_link("查看原文", url.clone());
        }
    }
    message.with_lines(["请立即核实处置。"])
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;
    use crate::engine::close::CloseStep;
    use crate::model::week::Week;

    #[test]
    fn a_correction_is_another_message_than_the_report() {
        let day = |d: u32| NaiveDate::from_ymd_opt(2026, 11, d).unwrap();
        let mut close = CloseSummary {
            week: Week { first_day: day(13), last_day: day(19) },
            step: CloseStep::Closed,
            number: 0,
            n_changes: 0,
            n_met: 90,
            n_short: 8,
            n_unverified: 2,
            files: Vec::new(),
        };
        let report = close_message(&close);
        assert_eq!(report.key, "2026-11-19/0");
        assert_eq!(report.title, "截至2026年11月19日一周的政务新媒体监测周报（已生成）");
        assert_eq!(report.lines, ["达标90个，未达标8个，未核实2个。"]);
        (close.number, close.n_changes) = (1, 3);
        let correction = close_message(&close);
        assert_eq!(correction.key, "2026-11-19/1");
        assert!(correction.title.contains("（更正1）"), "{}", correction.title);
        assert_eq!(correction.lines.len(), 2);
    }
}
