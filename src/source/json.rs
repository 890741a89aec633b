//! JSON as platforms send it: with halves of characters outside the basic plane, where a server cut a title between the two.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

/// Reads JSON. A lone half of a surrogate pair (`\ud83d`), which no text can hold, becomes U+FFFD: one cut title must not
/// cost the whole listing.
pub fn parse<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    serde_json::from_str(text).or_else(|error| match without_lone_surrogates(text) {
        Cow::Borrowed(_) => Err(error),
        Cow::Owned(mended) => serde_json::from_str(&mended),
    })
}

/// Replaces escapes of lone surrogates by that of U+FFFD.
fn without_lone_surrogates(text: &str) -> Cow<'_, str> {
    const REPLACEMENT: &str = r"\ufffd";
    let bytes = text.as_bytes();
    let mut mended = String::new();
    let (mut at, mut copied_to) = (0, 0);
    while let Some(found) = text[at..].find('\\') {
        let escape = at + found;
        let Some(code) = escaped(bytes, escape) else {
            // Another escape: it and what it escapes, so that `\\u` is not taken for one.
            at = (escape + 2).min(text.len());
            while !text.is_char_boundary(at) {
                at += 1;
            }
            continue;
        };
        let end = escape + REPLACEMENT.len();
        at = match code {
            0xd800..=0xdbff if matches!(escaped(bytes, end), Some(0xdc00..=0xdfff)) => end + REPLACEMENT.len(),
            0xd800..=0xdfff => {
                mended.push_str(&text[copied_to..escape]);
                mended.push_str(REPLACEMENT);
                copied_to = end;
                end
            }
            _ => end,
        };
    }
    if copied_to == 0 {
        return Cow::Borrowed(text);
    }
    mended.push_str(&text[copied_to..]);
    Cow::Owned(mended)
}

/// The code of an escape `\uXXXX` that begins at a byte.
fn escaped(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..)?.strip_prefix(br"\u")?.get(..4)?;
    digits.iter().try_fold(0, |code, digit| Some(code * 16 + char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(parse::<Value>(text).unwrap(), Value::String(expected.to_owned()));
    }

    #[test]
    fn halves_of_characters_are_replaced() {
        check(r#""甲\ud83d""#, "甲\u{fffd}");
        check(r#""\uDE00乙\ud83d\u4e59""#, "\u{fffd}乙\u{fffd}乙");
        check(r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀");
    }

    #[test]
    fn whole_characters_and_other_escapes_stay() {
        check(r#""\ud83d\ude00\n\\ud83d""#, "😀\n\\ud83d");
    }

    #[test]
    fn what_is_no_json_stays_an_error() {
        for text in ["", "{", r#""\ud8""#, r#""\ud83d"#, "\"\\", "\"\\中"] {
            assert!(parse::<Value>(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in r#"(\\u(d83d|de00|4e2d)|\\\\|[\\"a中]){0,20}"#) {
            let quoted = format!("\"{text}\"");
            if let Ok(right) = serde_json::from_str::<Value>(&quoted) {
                prop_assert_eq!(parse::<Value>(&quoted).ok(), Some(right));
            } else {
                let _ = parse::<Value>(&quoted);
            }
        }
    }
}
