//! Times as feeds and pages write them. Pure.
//!
//! A time without a zone is read as Asia/Shanghai and says so; it is never read as UTC. A time that cannot be read is
//! `None`: an undated post proves nothing, a misdated one accuses wrongly.

use chrono::{DateTime, Datelike as _, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _, Utc};

/// Longest text that is looked at as a date, in bytes.
const DATE_BYTES_MAX: usize = 100;
const HOUR_S: i32 = 3600;
/// Asia/Shanghai has had no other offset since 1991.
const SHANGHAI_S: i32 = 8 * HOUR_S;

/// An instant, and whether its zone is our assumption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub at: DateTime<Utc>,
    pub zone_assumed: bool,
}

/// Reads RFC 3339, RFC 822 with any zone or none, Unix seconds and milliseconds, and the naive forms of Chinese pages.
pub fn parse_date(text: &str) -> Option<Stamp> {
    let text = text.trim();
    if text.is_empty() || text.len() > DATE_BYTES_MAX {
        return None;
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return unix(text.parse().ok()?);
    }
    let known = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f %z"))
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M%z"));
    if let Ok(known) = known {
        return exact(known.to_utc());
    }
    rfc822(text).or_else(|| naive(text))
}

/// A date without a time: the end of its day, 23:59:59 in Asia/Shanghai.
///
/// The day, which is what rules count by, is the same; but midnight would claim that a listing reaches back to the
/// morning although older posts of that day may have dropped off it, and would make a post of the afternoon look
/// backdated to a listing taken at noon.
pub fn end_of_day(date: NaiveDate) -> Option<Stamp> {
    in_shanghai(date.and_hms_opt(23, 59, 59)?)
}

/// An instant as it is stored: milliseconds. Years outside of these are typing errors or missing values.
pub fn stored(at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if !(1990..=2100).contains(&at.year()) {
        return None;
    }
    DateTime::from_timestamp_millis(at.timestamp_millis())
}

/// A local time of Asia/Shanghai.
pub fn in_shanghai(local: NaiveDateTime) -> Option<Stamp> {
    let at = at_offset(local, SHANGHAI_S)?;
    Some(Stamp { at: stored(at)?, zone_assumed: true })
}

fn exact(at: DateTime<Utc>) -> Option<Stamp> {
    Some(Stamp { at: stored(at)?, zone_assumed: false })
}

/// Seconds have ten digits until 2286, milliseconds thirteen; anything between is neither.
fn unix(number: i64) -> Option<Stamp> {
    let at = match number {
        600_000_000..10_000_000_000 => DateTime::from_timestamp(number, 0),
        600_000_000_000..10_000_000_000_000 => DateTime::from_timestamp_millis(number),
        _ => None,
    };
    exact(at?)
}

fn at_offset(local: NaiveDateTime, offset_s: i32) -> Option<DateTime<Utc>> {
    let zone = FixedOffset::east_opt(offset_s)?;
    Some(zone.from_local_datetime(&local).single()?.to_utc())
}

/// `[weekday,] day month year hour:minute[:second] [zone]`, as loosely as feeds write it.
fn rfc822(text: &str) -> Option<Stamp> {
    let text = text.split('(').next()?; // a comment after the zone
    let text = text.split_once(',').map_or(text, |(_, rest)| rest);
    let mut words = text.split_whitespace();
    let day: u32 = words.next()?.parse().ok()?;
    let month = month_of(words.next()?)?;
    let year: i32 = words.next()?.parse().ok()?;
    let year = if (0..100).contains(&year) { year + 2000 } else { year };
    let time = time_of(words.next()?)?;
    let local = NaiveDate::from_ymd_opt(year, month, day)?.and_time(time);
    match words.next() {
        // "China Standard Time" in a Chinese feed, whatever RFC 822 says of North America: an assumption.
        None | Some("CST") => in_shanghai(local),
        Some(zone) => exact(at_offset(local, offset_of(zone)?)?),
    }
}

fn month_of(word: &str) -> Option<u32> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let start = word.get(..3)?.to_ascii_lowercase();
    let position = MONTHS.iter().position(|month| *month == start)?;
    u32::try_from(position + 1).ok()
}

fn time_of(word: &str) -> Option<NaiveTime> {
    let mut parts = word.splitn(3, ':');
    let hour: u32 = parts.next()?.parse().ok()?;
    let minute: u32 = parts.next()?.parse().ok()?;
    let second = parts.next().unwrap_or("0").split('.').next()?;
    NaiveTime::from_hms_opt(hour, minute, second.parse().ok()?)
}

/// Seconds east of Greenwich.
fn offset_of(zone: &str) -> Option<i32> {
    let upper = zone.to_ascii_uppercase();
    let named = match upper.as_str() {
        "GMT" | "UTC" | "UT" | "Z" => Some(0),
        "EDT" => Some(-4),
        "EST" | "CDT" => Some(-5),
        "MDT" => Some(-6),
        "MST" | "PDT" => Some(-7),
        "PST" => Some(-8),
        "HKT" | "BJT" => Some(8),
        "JST" | "KST" => Some(9),
        _ => None,
    };
    if let Some(hours) = named {
        return Some(hours * HOUR_S);
    }
    // `+0800`, `+08:00`, `+8`, and the same behind `GMT`.
    let offset = ["GMT", "UTC"].iter().find_map(|name| upper.strip_prefix(name)).unwrap_or(&upper);
    let (sign, digits) = match offset.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() <= 2 => (digits, "0"),
        None => digits.split_at_checked(digits.len() - 2)?,
    };
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    ((0..=14).contains(&hours) && (0..60).contains(&minutes)).then_some(sign * (hours * HOUR_S + minutes * 60))
}

/// The first date of a text in a form usual in China: `2026-11-19`, `2026/11/19 08:30`, `2026年11月19日 08时`,
/// `2026.11.19`. A date without a year is not guessed at; one without a time is its [`end_of_day`].
fn naive(text: &str) -> Option<Stamp> {
    let mut from = 0;
    while let Some(found) = text[from..].find(|c: char| c.is_ascii_digit()) {
        let start = from + found;
        let n_digits = text[start..].bytes().take_while(u8::is_ascii_digit).count();
        if n_digits == 4
            && let Some(stamp) = naive_at(&text[start..])
        {
            return Some(stamp);
        }
        from = start + n_digits;
    }
    None
}

fn naive_at(text: &str) -> Option<Stamp> {
    let (year, rest) = number(text, 4)?;
    let separator = rest.chars().next().filter(|c| matches!(c, '-' | '/' | '.' | '年'))?;
    let (month, rest) = number(rest[separator.len_utf8()..].trim_start(), 2)?;
    let rest = rest.trim_start().strip_prefix(if separator == '年' { '月' } else { separator })?;
    let (day, rest) = number(rest.trim_start(), 2)?;
    let rest = rest.trim_start().trim_start_matches('日').trim_start_matches('T').trim_start();
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    let Some((hour, rest)) = number(rest, 2) else { return end_of_day(date) };
    let Some(rest) = rest.strip_prefix([':', '：', '时']) else { return end_of_day(date) };
    let (minute, rest) = number(rest, 2).unwrap_or((0, rest));
    let second = rest.strip_prefix([':', '：', '分']).and_then(|rest| number(rest, 2)).map_or(0, |(second, _)| second);
    in_shanghai(date.and_hms_opt(hour, minute, second)?)
}

/// A number of at most `digits_max` digits at the start of a text, and what follows.
fn number(text: &str, digits_max: usize) -> Option<(u32, &str)> {
    let n_digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if n_digits == 0 || n_digits > digits_max {
        return None;
    }
    Some((text[..n_digits].parse().ok()?, &text[n_digits..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str, zone_assumed: bool) {
        let stamp = parse_date(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!((stamp.at.to_rfc3339(), stamp.zone_assumed), (format!("{expected}+00:00"), zone_assumed), "{text}");
    }

    #[test]
    fn times_with_a_zone_are_exact() {
        check("Thu, 17 Jun 2021 08:00:00 +0800", "2021-06-17T00:00:00", false);
        check("17 June 2021 8:00 GMT", "2021-06-17T08:00:00", false);
        check("Thurs, 17 Jun 21 08:00:00 EST", "2021-06-17T13:00:00", false);
        check("Thu, 17 Jun 2021 08:00:00 GMT+8 (CST)", "2021-06-17T00:00:00", false);
        check("Thu, 17 Jun 2021 08:00:00 -0000", "2021-06-17T08:00:00", false);
        check("2021-06-17T08:00:00.9999+08:00", "2021-06-17T00:00:00.999", false);
        check("2021-06-17T08:00:00Z", "2021-06-17T08:00:00", false);
        check("2021-06-17 08:00:00 +0800", "2021-06-17T00:00:00", false);
        check("2021-06-17T08:00+0800", "2021-06-17T00:00:00", false);
        check("1623888000", "2021-06-17T00:00:00", false);
        check("1623888000123", "2021-06-17T00:00:00.123", false);
    }

    #[test]
    fn times_without_a_zone_are_beijing_time_and_say_so() {
        check("Sat, 14 Jun 2025 18:19:15 ", "2025-06-14T10:19:15", true);
        check("Sat, 14 Jun 2025 18:19:15 CST", "2025-06-14T10:19:15", true);
        check("2025-06-14 18:19", "2025-06-14T10:19:00", true);
        check("2025-06-14T18:19:15", "2025-06-14T10:19:15", true);
        check("2025-06-14 18:19:15.5", "2025-06-14T10:19:15", true);
        check("2025/6/4 8:05", "2025-06-04T00:05:00", true);
        check("发布时间：2025年06月14日 18时19分 来源：州政府", "2025-06-14T10:19:00", true);
    }

    #[test]
    fn a_date_without_a_time_is_the_end_of_its_day() {
        for text in
            ["2026-11-19", "[2026-11-19]", "2026/11/19", "2026.11.19", "2026年11月19日", "日期：2026年 11 月 19 日"]
        {
            check(text, "2026-11-19T15:59:59", true);
        }
    }

    #[test]
    fn nonsense_has_no_time() {
        for text in [
            "",
            "昨天",
            "11-19",
            "[11-19]",
            "08:30",
            "2026-13-01",
            "2026-02-30",
            "2026-11-19 25:00",
            "32 Jan 2020 00:00:00 GMT",
            "Sat, 14 Jun 2025 18:19:15 XYZ",
            "Sat, 14 Jun 2025 18:19:15 +9900",
            "0000-00-00 00:00:00",
            "0",
            "-1",
            "20251119",
            "1970-01-01T00:00:00Z",
            "9999-12-31T00:00:00Z",
            "12026-11-19",
            "2026-11/19",
            "16238880001",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,40}|[0-9年月日:/. -]{0,30}|(Mon, )?[0-9]{1,2} [A-Z][a-z]{2} [0-9]{2,5} [0-9:]{3,9} [+-]?[0-9:A-Z]{0,6}") {
            let _ = parse_date(&text);
        }
    }
}
