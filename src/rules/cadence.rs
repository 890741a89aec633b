//! When an account is looked at again. Pure: the last look, what is known of the account, a random number; an instant out.
//!
//! An account that posts often is seen more often. A failure waits longer with each repetition, by its kind, and never for
//! ever: beyond the last step stands a slow tier. Close to the end of the reporting week and right after it every account
//! is looked at, because these looks decide what the week's report may claim.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::model::crawl::Outcome;

/// The bounds of the cadence (`crawl.every…`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cadence {
    /// Of an account of which nothing is known yet.
    pub every: Duration,
    /// Of one that posts often.
    pub every_min: Duration,
    /// Of one that hardly ever posts; also the slow tier of failures.
    pub every_max: Duration,
}

/// What is known when the next look is planned.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub at: DateTime<Utc>,
    /// How the look ended; `None`: the account has no source that could be asked.
    pub outcome: Option<Outcome>,
    /// Failures in a row, this one included.
    pub failures: u32,
    /// The server's own word.
    pub retry_at: Option<DateTime<Utc>>,
    /// Posts seen of the last [`RATE_DAYS`] days.
    pub n_recent: u32,
    /// End of the reporting week that `at` lies in.
    pub week_ends_at: DateTime<Utc>,
    /// 0.0 to 1.0: spreads accounts that would otherwise come at one moment.
    pub random: f64,
}

/// Days over which the rate of posting is taken.
pub const RATE_DAYS: i64 = 14;
/// Looks between two posts of an account that posts evenly.
const LOOKS_PER_POST: f64 = 4.0;
/// Part of an interval by which it is shortened or lengthened.
const JITTER: f64 = 0.1;
/// A last look at most this long before the week ends, and a first one at most this long after.
const BEFORE_WEEK_END: TimeDelta = TimeDelta::minutes(60);
const AFTER_WEEK_END: TimeDelta = TimeDelta::minutes(30);
/// Doublings of the first wait after a failure.
const DOUBLINGS_MAX: u32 = 10;

/// The next look.
pub fn next_look(cadence: Cadence, look: Look) -> DateTime<Utc> {
    let regular = look.at + jittered(interval(cadence, look), look.random);
    let next = look.retry_at.map_or(regular, |retry_at| regular.max(retry_at));
    if look.outcome.is_none_or(|outcome| !outcome.is_success()) {
        return next;
    }
    // Spread over the hour before and the half hour after the end of the week.
    let before = look.week_ends_at - scaled(BEFORE_WEEK_END, look.random);
    let after = look.week_ends_at + scaled(AFTER_WEEK_END, look.random);
    let deciding = [before, after].into_iter().find(|moment| look.at < *moment);
    deciding.map_or(next, |deciding| next.min(deciding))
}

fn interval(cadence: Cadence, look: Look) -> TimeDelta {
    let max = delta(cadence.every_max);
    let Some(outcome) = look.outcome else { return max };
    if !outcome.is_success() {
        let first = first_wait(outcome).min(max);
        let doublings = look.failures.saturating_sub(1).min(DOUBLINGS_MAX);
        return first.checked_mul(1 << doublings).map_or(max, |wait| wait.min(max));
    }
    if look.n_recent == 0 {
        return delta(cadence.every);
    }
    let gap = TimeDelta::days(RATE_DAYS).num_seconds() / i64::from(look.n_recent);
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "two weeks in seconds fit by far")]
    let seconds = (gap as f64 / LOOKS_PER_POST) as i64;
    TimeDelta::seconds(seconds).clamp(delta(cadence.every_min), max)
}

/// How soon a failed source is asked again for the first time.
fn first_wait(outcome: Outcome) -> TimeDelta {
    match outcome {
        Outcome::Network | Outcome::ServerError => TimeDelta::minutes(10),
        Outcome::RateLimited | Outcome::EmptyUnproved => TimeDelta::hours(1),
        Outcome::Captcha | Outcome::ShapeChanged | Outcome::TooLarge => TimeDelta::hours(2),
        // Nothing changes before somebody has done something.
        _ => TimeDelta::hours(6),
    }
}

fn jittered(interval: TimeDelta, random: f64) -> TimeDelta {
    interval + scaled(interval, (random - 0.5) * 2.0 * JITTER)
}

fn scaled(span: TimeDelta, factor: f64) -> TimeDelta {
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "spans of hours in milliseconds")]
    let scaled = (span.num_milliseconds() as f64 * factor) as i64;
    TimeDelta::milliseconds(scaled)
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CADENCE: Cadence = Cadence {
        every: Duration::from_hours(1),
        every_min: Duration::from_mins(20),
        every_max: Duration::from_hours(12),
    };

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(minutes * 60, 0).unwrap()
    }

    fn look(outcome: Outcome, failures: u32, n_recent: u32) -> Look {
        let week_ends_at = at(100_000);
        Look { at: at(0), outcome: Some(outcome), failures, retry_at: None, n_recent, week_ends_at, random: 0.5 }
    }

    fn minutes(look: Look) -> i64 {
        (next_look(CADENCE, look) - look.at).num_minutes()
    }

    #[test]
    fn who_posts_often_is_seen_often() {
        assert_eq!(minutes(look(Outcome::Listed, 0, 0)), 60);
        assert_eq!(minutes(look(Outcome::Listed, 0, 14)), 6 * 60);
        assert_eq!(minutes(look(Outcome::Unchanged, 0, 1)), 12 * 60);
        assert_eq!(minutes(look(Outcome::Listed, 0, 1000)), 20);
    }

    #[test]
    fn failures_wait_longer_and_never_for_ever() {
        let waits: Vec<i64> = (1..=9).map(|failures| minutes(look(Outcome::Network, failures, 5))).collect();
        assert_eq!(waits, [10, 20, 40, 80, 160, 320, 640, 720, 720]);
        assert_eq!(minutes(look(Outcome::LoginNeeded, 1, 5)), 360);
        assert_eq!(minutes(look(Outcome::LoginNeeded, 4_000_000_000, 5)), 720);
        let told = Look { retry_at: Some(at(90)), ..look(Outcome::RateLimited, 1, 0) };
        assert_eq!(minutes(told), 90);
    }

    #[test]
    fn the_end_of_the_week_is_looked_at_before_and_after() {
        let mut seen = Vec::new();
        let mut now = at(0);
        let week_ends_at = at(1000);
        while now < at(1100) {
            now = next_look(CADENCE, Look { at: now, week_ends_at, ..look(Outcome::Unchanged, 0, 1) });
            seen.push((now - week_ends_at).num_minutes());
        }
        assert!(seen.iter().any(|minutes| (-60..=0).contains(minutes)), "{seen:?}");
        assert!(seen.iter().any(|minutes| (0..=30).contains(minutes)), "{seen:?}");
    }

    proptest! {
        #[test]
        fn the_next_look_lies_ahead_and_within_bounds(
            outcome in prop::sample::select(Outcome::ALL), failures in 1_u32..50, n_recent in 0_u32..5000,
            week in 1_i64..10_080, random in 0.0..1.0_f64,
        ) {
            let look = Look { week_ends_at: at(week), random, ..look(outcome, failures, n_recent) };
            let wait = next_look(CADENCE, look) - look.at;
            prop_assert!(wait > TimeDelta::zero() && wait <= TimeDelta::hours(14), "{wait}");
        }
    }
}
