//! Reads the page's data object: a JavaScript literal, not JSON. Values look like `JsDecode('a\x26b')` or `'12' * 1`.

use super::Data;

/// Where the object begins.
const OBJECT: &str = "window.cgiDataNew";
/// Deepest nesting of the object; real ones are 8 deep.
const DEPTH_MAX: usize = 64;
/// How many mentions of the object are tried in one script.
const MENTIONS_MAX: usize = 8;

/// The values that are read, by dotted path.
const WANTED: [&str; 15] = [
    "bizuin",
    "content_noencode",
    "copyright_info.copyright_stat",
    "copyright_info.source_biz",
    "create_time",
    "create_timestamp",
    "idx",
    "item_show_type",
    "link",
    "mid",
    "nick_name",
    "ori_create_time",
    "text_page_info.content_noencode",
    "text_page_info.is_user_title",
    "user_name",
];
const TITLE: &str = "title";

/// The wanted values of the data object of a script; `None` where there is no such object, or no end to it.
pub(super) fn read_data(script: &str) -> Option<Data> {
    script.match_indices(OBJECT).take(MENTIONS_MAX).find_map(|(at, _)| {
        let rest = script[at + OBJECT.len()..].trim_start().strip_prefix('=')?.trim_start();
        let object = rest.strip_prefix('{')?;
        Reader::default().read(object)
    })
}

/// One open object or array, and the key whose value is being read.
#[derive(Debug, Default)]
struct Frame<'a> {
    is_array: bool,
    key: Option<&'a str>,
}

#[derive(Debug, Default)]
struct Reader<'a> {
    frames: Vec<Frame<'a>>,
    /// The last word or string: a key, should a colon follow.
    word: Option<&'a str>,
    data: Data,
}

impl<'a> Reader<'a> {
    /// Reads from behind the opening brace to the closing one.
    fn read(mut self, text: &'a str) -> Option<Data> {
        self.frames.push(Frame::default());
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            let start = at;
            at += 1;
            match byte {
                b'{' | b'[' => {
                    if self.frames.len() >= DEPTH_MAX {
                        return None;
                    }
                    self.frames.push(Frame { is_array: *byte == b'[', key: None });
                }
                b'}' | b']' => {
                    self.frames.pop();
                    if self.frames.is_empty() {
                        return Some(self.data);
                    }
                }
                b',' => {
                    self.word = None;
                    if let Some(frame) = self.frames.last_mut() {
                        frame.key = None;
                    }
                }
                b':' => {
                    let word = self.word.take();
                    if let Some(frame) = self.frames.last_mut().filter(|frame| !frame.is_array && frame.key.is_none()) {
                        frame.key = word;
                    }
                }
                b'\'' | b'"' | b'`' => {
                    let end = string_end(bytes, at, *byte)?;
                    let string = &text[at..end];
                    at = end + 1;
                    self.word = Some(string);
                    self.keep(string);
                }
                b'/' if bytes.get(at) == Some(&b'/') => at = text[at..].find('\n').map_or(text.len(), |end| at + end),
                b'/' if bytes.get(at) == Some(&b'*') => at = at + text[at..].find("*/")? + 2,
                byte if is_word(*byte) => {
                    at += bytes[at..].iter().take_while(|byte| is_word(**byte)).count();
                    let word = &text[start..at];
                    self.word = Some(word);
                    if word.bytes().all(|byte| byte.is_ascii_digit()) {
                        self.keep(word);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// Keeps the first literal of a wanted value.
    fn keep(&mut self, raw: &str) {
        let path = match &self.frames[..] {
            [Frame { key: Some(key), .. }] => wanted("", key),
            [Frame { key: Some(outer), .. }, Frame { key: Some(key), is_array: false }] => wanted(outer, key),
            _ => None,
        };
        if let Some(path) = path {
            self.data.entry(path).or_insert_with(|| unescape(raw));
        }
    }
}

fn wanted(outer: &str, key: &str) -> Option<&'static str> {
    WANTED.iter().chain([&TITLE]).copied().find(|path| match path.split_once('.') {
        None => outer.is_empty() && *path == key,
        Some((first, second)) => first == outer && second == key,
    })
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$'
}

fn string_end(bytes: &[u8], start: usize, quote: u8) -> Option<usize> {
    let mut at = start;
    loop {
        match *bytes.get(at)? {
            b'\\' => at += 2,
            byte if byte == quote => return Some(at),
            _ => at += 1,
        }
    }
}

/// The text behind the escapes of a JavaScript string.
fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(c) = rest.chars().next() else { break };
        rest = &rest[c.len_utf8()..];
        match c {
            'x' => rest = push_unit(&mut text, rest, 2),
            'u' => rest = push_unit(&mut text, rest, 4),
            'n' => text.push('\n'),
            'r' => text.push('\r'),
            't' => text.push('\t'),
            '\n' | 'b' | 'f' | 'v' | '0' => {}
            c => text.push(c),
        }
    }
    text.push_str(rest);
    text
}

/// Pushes the character of a hexadecimal escape and gives what follows.
fn push_unit<'a>(text: &mut String, rest: &'a str, n_digits: usize) -> &'a str {
    let first = rest.get(..n_digits).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let Some(first) = first else { return rest };
    let after = &rest[n_digits..];
    let (c, after) = match char::from_u32(first) {
        Some(c) => (c, after),
        None => second_half(first, after).unwrap_or((char::REPLACEMENT_CHARACTER, after)),
    };
    text.push(c);
    after
}

/// The character of a surrogate pair whose first half was just read, and what follows.
fn second_half(first: u32, rest: &str) -> Option<(char, &str)> {
    let digits = rest.strip_prefix("\\u")?;
    let second = u32::from_str_radix(digits.get(..4)?, 16).ok()?;
    if !(0xD800..0xDC00).contains(&first) || !(0xDC00..0xE000).contains(&second) {
        return None;
    }
    let c = char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))?;
    Some((c, &digits[4..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read() {
        let check = |raw: &str, expected: &str| assert_eq!(unescape(raw), expected);
        check(r"\x3cp\x3e甲\x26amp;乙\x0a\x22\x27\x5c", "<p>甲&amp;乙\n\"'\\");
        check(r"\u4e2d\ud83d\ude00\ud83d!", "中😀\u{FFFD}!");
        check(r"\/\'\n\q\x4", "/'\nq4");
        check("\\", "");
    }

    #[test]
    fn values_are_taken_from_their_own_level_and_only_the_first_time() {
        let data = read_data(
            "var a = {title: 'no'}; window.cgiDataNew = { // title: 'no'\n list: [{title: 'no', mid: '9'}], mid: '5' * 1,\n\
             base_resp: {ret: '0' * 1, title: JsDecode('no')}, title: JsDecode('甲\\x26amp;{乙}'), 'idx': 1, mid: '6',\n\
             text_page_info: {content_noencode: JsDecode('文'), is_user_title: '0' * 1}, ok: true };",
        )
        .unwrap();
        let found: Vec<(&str, &str)> = data.iter().map(|(path, value)| (*path, value.as_str())).collect();
        assert_eq!(
            found,
            [
                ("idx", "1"),
                ("mid", "5"),
                ("text_page_info.content_noencode", "文"),
                ("text_page_info.is_user_title", "0"),
                ("title", "甲&amp;{乙}"),
            ]
        );
    }

    #[test]
    fn an_object_without_an_end_is_none() {
        for script in
            ["window.cgiDataNew = {a: 'b", "window.cgiDataNew = {a: {}", "window.cgiDataNew = x", "window.cgiDataNew"]
        {
            assert_eq!(read_data(script), None, "{script}");
        }
        assert_eq!(read_data(&format!("window.cgiDataNew = {}", "{a:".repeat(10_000))), None);
    }

    #[test]
    fn a_mention_before_the_object_does_no_harm() {
        assert!(read_data("x = 'window.cgiDataNew = {'; window.cgiDataNew = {mid: '1'};").is_some());
    }
}
