//! When messages go, and which go together. Pure.

use chrono::{DateTime, TimeDelta, Timelike as _, Utc};

use super::robot::text_max;
use super::text;
use crate::config::notify::ChannelKind;
use crate::model::message::Message;

/// At most so many requests in any minute and channel: the limit of WeCom and DingTalk. A burst of [`TURNS_AT_ONCE`],
/// then one each [`TURN_EVERY`]: 8 + 60 / 5 = 20.
pub const PER_MINUTE_MAX: u32 = 20;
/// Requests that a channel at rest takes at once.
pub const TURNS_AT_ONCE: u32 = 8;
/// What one request costs of a channel's time.
pub const TURN_EVERY: TimeDelta = TimeDelta::seconds(5);
/// Attempts after which a message is given up: with the waits below, about a day.
pub const ATTEMPTS_MAX: u32 = 12;
/// A message that was refused so often is no longer merged with others, which may be refused because of it.
const MERGED_ATTEMPTS_MAX: u32 = 3;
/// Most messages of one digest.
const DIGEST_MAX: usize = 50;
const FIRST_WAIT: TimeDelta = TimeDelta::minutes(1);
const WAIT_MAX: TimeDelta = TimeDelta::hours(6);

/// How long to wait after so many attempts: it doubles, up to six hours.
pub fn wait_after(attempts: u32) -> TimeDelta {
    let doubled = FIRST_WAIT.checked_mul(1 << attempts.saturating_sub(1).min(16));
    doubled.map_or(WAIT_MAX, |wait| wait.min(WAIT_MAX))
}

/// The first instant from `at` on at which a channel is to be asked. Feishu limits everybody at whole and half hours
/// (error 11232), when all the timers of the world go off; messages to it begin in odd minutes.
pub fn due_from(kind: ChannelKind, at: DateTime<Utc>) -> DateTime<Utc> {
    if kind == ChannelKind::Feishu && at.minute().is_multiple_of(2) {
        return at + TimeDelta::seconds(60 - i64::from(at.second())) - TimeDelta::nanoseconds(at.nanosecond().into());
    }
    at
}

/// Whether this is a minute in which the channel is left alone, although something is due.
pub fn is_quiet(kind: ChannelKind, now: DateTime<Utc>) -> bool {
    kind == ChannelKind::Feishu && now.minute().is_multiple_of(30)
}

/// A waiting message as far as planning looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Waiting<'m> {
    pub message: &'m Message,
    /// Attempts so far.
    pub attempts: u32,
}

/// How many requests a message takes alone: WeCom is sent each file apart.
pub fn turns_of(kind: ChannelKind, message: &Message) -> u32 {
    let n_files = if kind == ChannelKind::Wecom { message.files.len() } else { 0 };
    u32::try_from(n_files).unwrap_or(u32::MAX).saturating_add(1).min(TURNS_AT_ONCE)
}

/// Puts the waiting messages (by index, oldest first) into the requests that tell them. While the turns suffice each goes
/// alone; more are merged, as many as a message of the channel holds. Messages with files always go alone.
pub fn plan(kind: ChannelKind, waiting: &[Waiting<'_>], turns: u32) -> Vec<Vec<usize>> {
    let needed = waiting.iter().fold(0u32, |sum, waiting| sum.saturating_add(turns_of(kind, waiting.message)));
    if needed <= turns {
        return (0..waiting.len()).map(|index| vec![index]).collect();
    }
    let mut batches: Vec<Vec<usize>> = Vec::new();
    // The batch that still takes messages, and its text so far.
    let mut open: Option<(usize, Vec<&Message>)> = None;
    for (index, Waiting { message, attempts }) in waiting.iter().enumerate() {
        if !message.files.is_empty() || *attempts > MERGED_ATTEMPTS_MAX {
            batches.push(vec![index]);
            continue;
        }
        if let Some((batch, messages)) = &mut open {
            messages.push(message);
            if fits(kind, messages) {
                batches[*batch].push(index);
                continue;
            }
        }
        batches.push(vec![index]);
        open = Some((batches.len() - 1, vec![message]));
    }
    batches
}

fn fits(kind: ChannelKind, messages: &[&Message]) -> bool {
    if messages.len() > DIGEST_MAX {
        return false;
    }
    let Some((max, measure)) = text_max(kind) else { return true };
    let text = text::markdown(messages, &[]);
    // DingTalk is sent every line break twice.
    let breaks = if kind == ChannelKind::Dingtalk { text.matches('\n').count() * 2 } else { 0 };
    measure.of(&text) + breaks <= max
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::model::message::MessageKind;

    fn message(n: usize, bytes: usize) -> Message {
        Message::new(MessageKind::Warning, n.to_string(), format!("第{n}条")).with_lines(["x".repeat(bytes)])
    }

    fn plan_of(kind: ChannelKind, messages: &[Message], turns: u32) -> Vec<Vec<usize>> {
        let waiting: Vec<_> = messages.iter().map(|message| Waiting { message, attempts: 0 }).collect();
        plan(kind, &waiting, turns)
    }

    #[test]
    fn messages_go_alone_while_the_turns_suffice_and_together_when_not() {
        let messages: Vec<Message> = (0..30).map(|n| message(n, 10)).collect();
        assert_eq!(plan_of(ChannelKind::Wecom, &messages[..3], 3), [[0], [1], [2]]);
        assert_eq!(plan_of(ChannelKind::Wecom, &messages, 8), [(0..30).collect::<Vec<_>>()]);
    }

    #[test]
    fn a_digest_holds_no_more_than_the_channel_takes_and_loses_nothing() {
        let messages: Vec<Message> = (0..40).map(|n| message(n, 450)).collect();
        let batches = plan_of(ChannelKind::Wecom, &messages, 2);
        assert!(batches.len() > 4 && batches.iter().all(|batch| batch.len() > 1), "{batches:?}");
        assert_eq!(batches.concat(), (0..40).collect::<Vec<_>>());
        for batch in batches {
            let batch: Vec<&Message> = batch.iter().map(|index| &messages[*index]).collect();
            assert!(text::markdown(&batch, &[]).len() <= 4_096);
        }
        assert_eq!(plan_of(ChannelKind::Mail, &messages, 2).len(), 1);
    }

    #[test]
    fn files_and_what_was_refused_often_go_alone() {
        let messages = [
            message(0, 1),
            message(1, 1).with_files([PathBuf::from("a"), PathBuf::from("b")]),
            message(2, 1),
            message(3, 1),
        ];
        assert_eq!(turns_of(ChannelKind::Wecom, &messages[1]), 3);
        let waiting: Vec<_> =
            messages.iter().zip([0, 0, 9, 0]).map(|(message, attempts)| Waiting { message, attempts }).collect();
        assert_eq!(plan(ChannelKind::Wecom, &waiting, 5), [vec![0, 3], vec![1], vec![2]]);
    }

    #[test]
    fn waits_grow_to_six_hours_and_last_about_a_day() {
        let waits: Vec<i64> = (1..=12).map(|attempts| wait_after(attempts).num_minutes()).collect();
        assert_eq!(waits[..4], [1, 2, 4, 8]);
        assert_eq!(waits[11], 360);
        assert_eq!(wait_after(u32::MAX), WAIT_MAX);
        let before_the_last: i64 = waits[..11].iter().sum();
        assert!((12 * 60..30 * 60).contains(&before_the_last), "{before_the_last}");
        assert_eq!(TURNS_AT_ONCE + 60 / u32::try_from(TURN_EVERY.num_seconds()).unwrap(), PER_MINUTE_MAX);
    }

    #[test]
    fn feishu_is_told_in_odd_minutes_and_never_at_whole_and_half_hours() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let check = |from: &str, to: &str| assert_eq!(due_from(ChannelKind::Feishu, at(from)), at(to), "{from}");
        check("2026-11-20T08:00:00Z", "2026-11-20T08:01:00Z");
        check("2026-11-20T08:30:12.345Z", "2026-11-20T08:31:00Z");
        check("2026-11-20T08:59:59.999Z", "2026-11-20T08:59:59.999Z");
        assert_eq!(due_from(ChannelKind::Wecom, at("2026-11-20T08:00:00Z")), at("2026-11-20T08:00:00Z"));
        assert!(is_quiet(ChannelKind::Feishu, at("2026-11-20T08:30:59Z")));
        assert!(!is_quiet(ChannelKind::Feishu, at("2026-11-20T08:32:00Z")));
        assert!(!is_quiet(ChannelKind::Dingtalk, at("2026-11-20T08:30:00Z")));
    }
}
