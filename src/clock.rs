//! The only caller of the system clock. Everything else is given `now`.

use chrono::{DateTime, SubsecRound, Utc};

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
