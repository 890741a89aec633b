//! The only caller of the system clock. Everything else is given `now`.

use std::time::Instant;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// Says what time it is.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    System,
    /// Stands still: for tests and for `--now`.
    Fixed(DateTime<Utc>),
}

impl Clock {
    /// The current instant at millisecond precision, which both databases keep exactly.
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            #[expect(clippy::disallowed_methods, reason = "the one place that reads the system clock")]
            Self::System => Utc::now().trunc_subsecs(3),
            Self::Fixed(instant) => instant.trunc_subsecs(3),
        }
    }
}

/// Notices that the system clock was set back: it then shows less than a clock would that only ran on.
#[derive(Debug)]
pub struct SetBackWatch {
    clock: Clock,
    shown: DateTime<Utc>,
    since: Instant,
}

impl SetBackWatch {
    pub fn new(clock: Clock) -> Self {
        Self { clock, shown: clock.now(), since: Instant::now() }
    }

    /// How far the clock was set back since the last look; nothing where it ran on or forward. A clock that stands still by
    /// intention was never set.
    pub fn look(&mut self) -> TimeDelta {
        let passed = TimeDelta::from_std(self.since.elapsed()).unwrap_or_default();
        let (expected, now) = (self.shown + passed, self.clock.now());
        (self.shown, self.since) = (now, Instant::now());
        match self.clock {
            Clock::System => (expected - now).max(TimeDelta::zero()),
            Clock::Fixed(_) => TimeDelta::zero(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_runs_or_stands_still_by_intention_was_not_set_back() {
        for clock in [Clock::System, Clock::Fixed(DateTime::UNIX_EPOCH)] {
            let mut watch = SetBackWatch::new(clock);
            assert!(watch.look() < TimeDelta::seconds(1), "{clock:?}");
        }
    }

    #[test]
    fn a_clock_that_shows_less_than_it_did_was_set_back() {
        let mut watch = SetBackWatch::new(Clock::System);
        watch.shown += TimeDelta::days(8);
        assert!(watch.look() > TimeDelta::days(7));
        assert!(watch.look() < TimeDelta::seconds(1), "it is told once");
    }
}
