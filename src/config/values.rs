//! Single values of the files: text in, checked value or fault out.

use std::time::Duration;

use chrono::{NaiveDate, Weekday};
use url::Url;

/// Longest id, in characters.
pub(super) const ID_CHARS_MAX: usize = 64;
/// Longest name, reason or basis, in characters.
pub(super) const TEXT_CHARS_MAX: usize = 500;
/// Longest address, in bytes.
pub(super) const URL_BYTES_MAX: usize = 2_048;
/// Longest duration that makes sense in a setting.
const DURATION_MAX: Duration = Duration::from_hours(24 * 366);

/// What is wrong with a value, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub problem: String,
    pub remedy: String,
}

impl Fault {
    pub(super) fn new(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { problem: problem.into(), remedy: remedy.into() }
    }
}

/// An id: `[a-z0-9][a-z0-9_-]{0,63}`.
pub(super) fn id(text: &str) -> Result<String, Fault> {
    let fine = text.len() <= ID_CHARS_MAX
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
    if fine {
        Ok(text.to_owned())
    } else {
        Err(Fault::new("is not an id", "use at most 64 of a-z, 0-9, `-` and `_`, starting with a letter or digit"))
    }
}

/// A name or sentence: not empty, on one line, without invisible characters.
pub(super) fn line(text: &str) -> Result<String, Fault> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Fault::new("is empty", "write a text"));
    }
    let n_chars = text.chars().count();
    if n_chars > TEXT_CHARS_MAX {
        return Err(Fault::new(format!("has {n_chars} characters, more than {TEXT_CHARS_MAX}"), "write it shorter"));
    }
    if text.chars().any(|c| c.is_control() || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}')) {
        return Err(Fault::new("holds a line break or control character", "write it on one line"));
    }
    Ok(text.to_owned())
}

/// A day of the calendar, `2021-03-01`.
pub(super) fn date(text: &str) -> Result<NaiveDate, Fault> {
    let shaped = text.len() == 10
        && text.bytes().enumerate().all(|(at, b)| match at {
            4 | 7 => b == b'-',
            _ => b.is_ascii_digit(),
        });
    shaped
        .then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())
        .flatten()
        .ok_or_else(|| Fault::new("is not a day of the calendar", "write it as `2021-03-01`"))
}

/// A number and a unit: `500ms`, `20s`, `5m`, `1h`, `2d`.
pub(super) fn duration(text: &str) -> Result<Duration, Fault> {
    let remedy = "write a whole number and ms, s, m, h or d, for example `20s`";
    let (number, unit) = number_and_unit(text);
    let wrong = || Fault::new("is not a duration", remedy);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let unit_ms: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    match number.checked_mul(unit_ms).map(Duration::from_millis) {
        Some(duration) if duration <= DURATION_MAX => Ok(duration),
        _ => Err(Fault::new("is longer than 366d", remedy)),
    }
}

/// A duration that is not zero.
pub(super) fn positive_duration(text: &str) -> Result<Duration, Fault> {
    let duration = duration(text)?;
    if duration.is_zero() {
        return Err(Fault::new("is zero", "write a duration of at least 1ms"));
    }
    Ok(duration)
}

/// A number of bytes: `8MiB`, `512KiB`, `1GiB`, `4096B`.
pub(super) fn size(text: &str) -> Result<u64, Fault> {
    let (number, unit) = number_and_unit(text);
    let shift = match unit {
        "B" => Some(0),
        "KiB" => Some(10),
        "MiB" => Some(20),
        "GiB" => Some(30),
        _ => None,
    };
    let bytes = shift.and_then(|shift| number.parse::<u64>().ok()?.checked_mul(1 << shift));
    bytes.ok_or_else(|| Fault::new("is not a size", "write a whole number and B, KiB, MiB or GiB, for example `8MiB`"))
}

fn number_and_unit(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (&text[..end], text[end..].trim_start())
}

/// `monday` … `sunday`.
pub(super) fn weekday(text: &str) -> Result<Weekday, Fault> {
    match text {
        "monday" => Ok(Weekday::Mon),
        "tuesday" => Ok(Weekday::Tue),
        "wednesday" => Ok(Weekday::Wed),
        "thursday" => Ok(Weekday::Thu),
        "friday" => Ok(Weekday::Fri),
        "saturday" => Ok(Weekday::Sat),
        "sunday" => Ok(Weekday::Sun),
        _ => Err(Fault::new("is not a weekday", "write `friday` or another of `monday` … `sunday`")),
    }
}

pub(super) fn boolean(text: &str) -> Result<bool, Fault> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Fault::new("is not a yes or no", "write `true` or `false`")),
    }
}

/// A whole number within bounds, both included.
pub(super) fn whole(text: &str, min: u32, max: u32) -> Result<u32, Fault> {
    match text.parse::<u32>() {
        Ok(number) if (min..=max).contains(&number) => Ok(number),
        _ => Err(Fault::new(
            format!("is not a whole number from {min} to {max}"),
            format!("write a number from {min} to {max}"),
        )),
    }
}

/// Requests per second: finite, not negative.
pub(super) fn rate(text: &str) -> Result<f64, Fault> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && (0.0..=10_000.0).contains(&rate) => Ok(rate),
        _ => Err(Fault::new("is not a rate from 0 to 10000", "write requests per second; 0 = unlimited")),
    }
}

/// A part of a whole: from 0 to 1.
pub(super) fn share(text: &str) -> Result<f64, Fault> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err(Fault::new("is not a share from 0 to 1", "write for example `0.7`")),
    }
}

/// One of the words of a labelled enum.
pub(super) fn word<T: Copy + Into<&'static str>>(text: &str, all: &[T]) -> Result<T, Fault> {
    all.iter().copied().find(|value| (*value).into() == text).ok_or_else(|| {
        let words: Vec<&str> = all.iter().map(|value| (*value).into()).collect();
        Fault::new("is not a known word", format!("write one of: {}", words.join(", ")))
    })
}

/// An address of the web without credentials.
pub(super) fn web_url(text: &str) -> Result<Url, Fault> {
    let remedy = "write a whole address such as `https://example.org/feed.xml`";
    if text.len() > URL_BYTES_MAX {
        return Err(Fault::new(format!("is longer than {URL_BYTES_MAX} bytes"), remedy));
    }
    let url = Url::parse(text.trim()).map_err(|error| Fault::new(format!("is not an address ({error})"), remedy))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Fault::new("is neither http nor https", remedy));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(Fault::new("has no host", remedy));
    }
    Ok(url)
}

/// Whether an address carries a name or password, which must then not be shown.
pub(super) fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_are_short_and_plain() {
        let check = |text: &str, expected: bool| assert_eq!(id(text).is_ok(), expected, "{text:?}");
        check("gn-jyj_1", true);
        check("0", true);
        check(&"a".repeat(64), true);
        check(&"a".repeat(65), false);
        check("", false);
        check("-a", false);
        check("Gn", false);
        check("教育", false);
    }

    #[test]
    fn a_date_is_a_real_day() {
        let check = |text: &str, expected: bool| assert_eq!(date(text).is_ok(), expected, "{text:?}");
        check("2024-02-29", true);
        check("2023-02-29", false);
        check("2021-3-1", false);
        check("+021-03-01", false);
        check("today", false);
    }

    #[test]
    fn durations_have_a_unit() {
        let check = |text: &str, expected: Option<u64>| {
            assert_eq!(duration(text).ok().map(|d| d.as_secs()), expected, "{text:?}");
        };
        check("20s", Some(20));
        check("2d", Some(172_800));
        check("90m", Some(5_400));
        check("1500ms", Some(1));
        check("20", None);
        check("-1s", None);
        check("1 week", None);
        check("99999999999999999999d", None);
        check("400d", None);
        assert!(positive_duration("0s").is_err());
    }

    #[test]
    fn sizes_have_a_unit() {
        let check = |text: &str, expected: Option<u64>| assert_eq!(size(text).ok(), expected, "{text:?}");
        check("8MiB", Some(8 << 20));
        check("1 GiB", Some(1 << 30));
        check("10B", Some(10));
        check("8MB", None);
        check("18446744073709551615GiB", None);
    }

    #[test]
    fn addresses_are_of_the_web() {
        let check = |text: &str, expected: bool| assert_eq!(web_url(text).is_ok(), expected, "{text:?}");
        check("http://127.0.0.1:8001/a.xml", true);
        check("ftp://a.example/", false);
        check("/a.xml", false);
        check("https://", false);
        check("http://[::1", false);
        check(&format!("http://a.example/{}", "x".repeat(URL_BYTES_MAX)), false);
    }

    #[test]
    fn rates_are_finite() {
        let check = |text: &str, expected: bool| assert_eq!(rate(text).is_ok(), expected, "{text:?}");
        check("0", true);
        check("0.5", true);
        check("-1", false);
        check("NaN", false);
        check("inf", false);
    }

    #[test]
    fn shares_lie_between_nothing_and_all() {
        let check = |text: &str, expected: bool| assert_eq!(share(text).is_ok(), expected, "{text:?}");
        check("0", true);
        check("0.7", true);
        check("1", true);
        check("1.01", false);
        check("-0.1", false);
        check("NaN", false);
        check("70%", false);
    }

    proptest! {
        #[test]
        fn no_text_makes_a_value_panic(text in "\\PC*") {
            let _ = (id(&text), line(&text), date(&text), duration(&text), size(&text), weekday(&text));
            let _ = (boolean(&text), whole(&text, 0, 9), rate(&text), share(&text), web_url(&text));
        }
    }
}
