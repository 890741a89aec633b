//! Text on its way into a report: bounded, without characters that break a document, and words for numbers and days.

use std::borrow::Cow;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveTime, TimeDelta, Timelike};

/// Longest title shown, in characters. A Weibo post's title is its whole text.
pub const TITLE_CHARS_MAX: usize = 120;
/// Longest piece of text shown beside a title: words found, context on each side, messages.
pub const TEXT_CHARS_MAX: usize = 300;
/// Longest address kept: Excel's limit for a link.
pub const URL_CHARS_MAX: usize = 2_079;

/// Folds whitespace, drops what no document may hold (control characters, non-characters, and direction overrides that
/// would show a text in another order than it is written), and cuts after `chars_max` characters.
pub fn clean(text: &str, chars_max: usize) -> String {
    let mut cleaned = String::with_capacity(text.len().min(chars_max * 4));
    let mut n_chars = 0;
    let mut gap = false;
    for c in text.chars() {
        if c.is_whitespace() {
            gap = n_chars > 0;
            continue;
        }
        if is_unsafe(c) {
            continue;
        }
        if n_chars + usize::from(gap) >= chars_max {
            cleaned.push('…');
            break;
        }
        if gap {
            cleaned.push(' ');
            n_chars += 1;
            gap = false;
        }
        cleaned.push(c);
        n_chars += 1;
    }
    cleaned
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || matches!(c, '\u{fdd0}'..='\u{fdef}')
        || (u32::from(c) & 0xfffe) == 0xfffe
}

/// The address if it may stand behind a link: `http` or `https`, and not too long. Never `javascript:` and its kin.
pub fn link_of(url: &str) -> Option<String> {
    let parsed = url::Url::parse(url).ok()?;
    let allowed = matches!(parsed.scheme(), "http" | "https") && parsed.host_str().is_some();
    let address = String::from(parsed);
    (allowed && address.chars().count() <= URL_CHARS_MAX).then_some(address)
}

/// `2021年6月17日`: months and days without a leading zero, as in official documents.
pub fn day(date: NaiveDate) -> String {
    format!("{}年{}月{}日", date.year(), date.month(), date.day())
}

/// `2021年6月11日至17日`, naming month and year a second time only where they change.
pub fn days(first: NaiveDate, last: NaiveDate) -> String {
    if first.year() != last.year() {
        format!("{}至{}", day(first), day(last))
    } else if first.month() != last.month() {
        format!("{}至{}月{}日", day(first), last.month(), last.day())
    } else if first == last {
        day(first)
    } else {
        format!("{}至{}日", day(first), last.day())
    }
}

/// `2021-06-17 08:05`, in the zone it carries.
pub fn minute(instant: DateTime<FixedOffset>) -> String {
    instant.format("%Y-%m-%d %H:%M").to_string()
}

/// `6月17日8时05分`, `6月17日8时` on the hour.
pub fn moment(instant: DateTime<FixedOffset>) -> String {
    let minute = if instant.minute() == 0 { String::new() } else { instant.format("%M分").to_string() };
    format!("{}月{}日{}时{minute}", instant.month(), instant.day(), instant.hour())
}

/// The end of a span: midnight is 24 o'clock of the day before.
pub fn moment_end(instant: DateTime<FixedOffset>) -> String {
    let last_day = instant - TimeDelta::seconds(1);
    if instant.time() == NaiveTime::MIN {
        format!("{}月{}日24时", last_day.month(), last_day.day())
    } else {
        moment(instant)
    }
}

/// A share as a percentage with one digit, `100%` and `0%` only where it is exact: 99.96% of the time seen is not all.
pub fn percent(ratio: f64) -> Cow<'static, str> {
    if ratio >= 1.0 {
        "100%".into()
    } else if ratio <= 0.0 {
        "0%".into()
    } else {
        format!("{:.1}%", (ratio * 100.0).clamp(0.1, 99.9)).into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_breaks_a_document_is_dropped() {
        let check = |input: &str, expected: &str| assert_eq!(clean(input, 10), expected, "{input:?}");
        check("  甘南\n\t日报 ", "甘南 日报");
        check("a\u{0}\u{1}b\u{fffe}c\u{ffff}", "abc");
        check("\u{202e}倒序\u{2066}", "倒序");
        check("一二三四五六七八九十", "一二三四五六七八九十");
        check("一二三四五六七八九十一", "一二三四五六七八九十…");
        check("一二三四五六七八九 十一", "一二三四五六七八九…");
    }

    #[test]
    fn only_web_addresses_become_links() {
        let check = |input: &str, expected: Option<&str>| assert_eq!(link_of(input).as_deref(), expected, "{input}");
        check("https://mp.weixin.qq.com/s/a\"b", Some("https://mp.weixin.qq.com/s/a%22b"));
        check("javascript:alert(1)", None);
        check(" JaVaScRiPt:alert(1)", None);
        check("data:text/html,x", None);
        check("/relative", None);
        check(&format!("http://a.cn/{}", "a".repeat(URL_CHARS_MAX)), None);
    }

    #[test]
    fn a_period_names_month_and_year_again_only_where_they_change() {
        let check = |first: &str, last: &str, expected: &str| {
            assert_eq!(days(first.parse().unwrap(), last.parse().unwrap()), expected);
        };
        check("2021-06-11", "2021-06-17", "2021年6月11日至17日");
        check("2021-05-28", "2021-06-03", "2021年5月28日至6月3日");
        check("2021-12-31", "2022-01-06", "2021年12月31日至2022年1月6日");
    }

    #[test]
    fn a_span_ends_at_24_o_clock_and_not_at_midnight_of_the_next_day() {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap();
        assert_eq!(moment(at("2021-06-17T08:05:00+08:00")), "6月17日8时05分");
        assert_eq!(moment(at("2021-06-17T00:00:00+08:00")), "6月17日0时");
        assert_eq!(moment_end(at("2021-06-01T00:00:00+08:00")), "5月31日24时");
        assert_eq!(moment_end(at("2021-06-01T00:01:00+08:00")), "6月1日0时01分");
    }

    #[test]
    fn nearly_all_is_not_all() {
        assert_eq!(percent(1.0), "100%");
        assert_eq!(percent(0.999_96), "99.9%");
        assert_eq!(percent(0.000_01), "0.1%");
        assert_eq!(percent(0.877), "87.7%");
    }

    proptest! {
        #[test]
        fn cleaned_text_is_bounded_and_stays_as_it_is_when_cleaned_again(text in any::<String>()) {
            let once = clean(&text, 20);
            prop_assert!(once.chars().count() <= 21);
            prop_assert!(!once.chars().any(char::is_control));
            if !once.ends_with('…') {
                prop_assert_eq!(clean(&once, 20), once);
            }
        }
    }
}
