//! Spans that are judged, as calendar periods of the configured zone.

use std::fmt;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, TimeZone, Utc, Weekday};
use chrono_tz::Tz;

/// A half-open span `[from, to)` that is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Window {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

impl Window {
    pub fn contains(self, instant: DateTime<Utc>) -> bool {
        self.from <= instant && instant < self.to
    }

    /// Whether the two have an instant in common.
    pub fn overlaps(self, other: Self) -> bool {
        self.from < other.to && other.from < self.to
    }
}

/// The zone in which people read the clock, and the day on which their reporting week starts (design.md §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    pub zone: Tz,
    pub week_starts_on: Weekday,
}

/// A reporting week: seven whole days, named by its last day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Week {
    pub first_day: NaiveDate,
    pub last_day: NaiveDate,
}

impl Calendar {
    /// The week that `day` lies in.
    pub fn week_of(&self, day: NaiveDate) -> Week {
        let days_in = day.weekday().days_since(self.week_starts_on);
        let first_day = day - Days::new(u64::from(days_in));
        Week { first_day, last_day: first_day + Days::new(6) }
    }

    /// The last week that was over at `now`.
    pub fn last_closed_week(&self, now: DateTime<Utc>) -> Week {
        let this_week = self.week_of(self.day_of(now));
        self.week_of(this_week.first_day - Days::new(1))
    }

    /// The day that people in the zone write at this instant.
    pub fn day_of(&self, instant: DateTime<Utc>) -> NaiveDate {
        instant.with_timezone(&self.zone).date_naive()
    }

    /// The instant at which a day starts in the zone.
    pub fn start_of(&self, day: NaiveDate) -> DateTime<Utc> {
        let midnight = day.and_hms_opt(0, 0, 0).unwrap_or_default();
        // Zones with summer time may skip midnight: then the day starts when the skipped hour is over.
        match self.zone.from_local_datetime(&midnight).earliest() {
            Some(start) => start.with_timezone(&Utc),
            None => self
                .zone
                .from_local_datetime(&(midnight + chrono::TimeDelta::hours(1)))
                .earliest()
                .map_or_else(|| midnight.and_utc(), |start| start.with_timezone(&Utc)),
        }
    }

    /// From the start of `first_day` to the end of `last_day`.
    pub fn days(&self, first_day: NaiveDate, last_day: NaiveDate) -> Window {
        Window { from: self.start_of(first_day), to: self.start_of(last_day + Days::new(1)) }
    }

    pub fn week_window(&self, week: Week) -> Window {
        self.days(week.first_day, week.last_day)
    }

    /// The calendar month that `day` lies in.
    pub fn month_window(&self, day: NaiveDate) -> Window {
        let first_day = day.with_day(1).unwrap_or(day);
        let next = first_day + Months::new(1);
        self.days(first_day, next - Days::new(1))
    }
}

impl fmt::Display for Week {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first_day, self.last_day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHANGHAI: Calendar = Calendar { zone: chrono_tz::Asia::Shanghai, week_starts_on: Weekday::Fri };

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_week_runs_from_friday_to_thursday() {
        for text in ["2021-06-11", "2021-06-13", "2021-06-17"] {
            let week = SHANGHAI.week_of(day(text));
            assert_eq!(week.to_string(), "2021-06-11/2021-06-17");
        }
        let window = SHANGHAI.week_window(SHANGHAI.week_of(day("2021-06-17")));
        assert_eq!(window.from.to_rfc3339(), "2021-06-10T16:00:00+00:00");
        assert_eq!(window.to.to_rfc3339(), "2021-06-17T16:00:00+00:00");
    }

    #[test]
    fn the_last_closed_week_ends_before_now() {
        let friday_midnight = SHANGHAI.start_of(day("2021-06-18"));
        assert_eq!(SHANGHAI.last_closed_week(friday_midnight).last_day, day("2021-06-17"));
        let thursday_night = friday_midnight - chrono::TimeDelta::seconds(1);
        assert_eq!(SHANGHAI.last_closed_week(thursday_night).last_day, day("2021-06-10"));
    }

    #[test]
    fn a_month_ends_with_its_last_day() {
        let window = SHANGHAI.month_window(day("2024-02-29"));
        assert_eq!(SHANGHAI.day_of(window.from), day("2024-02-01"));
        assert_eq!(window.to, SHANGHAI.start_of(day("2024-03-01")));
    }

    #[test]
    fn a_day_whose_midnight_is_skipped_starts_an_hour_later() {
        // Santiago jumps from 2024-09-08 00:00 to 01:00.
        let calendar = Calendar { zone: chrono_tz::America::Santiago, week_starts_on: Weekday::Mon };
        assert_eq!(calendar.start_of(day("2024-09-08")).to_rfc3339(), "2024-09-08T04:00:00+00:00");
    }
}
