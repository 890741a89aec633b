//! Finds personal numbers among the digits of a normalised text.
//!
//! Digits are read as chunks joined by one space or hyphen; a number is one chunk, or several in the grouping that people
//! write it in. A chunk that is part of something longer (letters, a decimal, a hyphenated code, a web address) is no
//! number.

use super::PrivacyKind;

/// Most characters looked back for the start of a web address.
const ADDRESS_BYTES_MAX: usize = 300;
/// How far before a number the word that makes it an order or document number may stand, in bytes.
const ORDER_BYTES_MAX: usize = 24;

/// Words after which a long number is not a person's.
const ORDER_WORDS: &[&str] =
    &["订单", "编号", "单号", "流水号", "代码", "文号", "批号", "条码", "案号", "统一社会信用"];
/// Units after which a number is an amount.
const UNITS: &[&str] = &["元", "万", "亿", "千", "百", "吨", "公", "平方", "立方", "米", "人次", "%"];

/// A number found: the byte of each digit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number {
    pub kind: PrivacyKind,
    pub digits: Vec<usize>,
}

/// A run of digits, bytes `start..end`; an `x` that ends an identity number belongs to it.
#[derive(Clone, Copy, Debug)]
struct Chunk {
    start: usize,
    end: usize,
}

/// Walks through a text, one number after the other.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    fn chunk_after(&self, from: usize) -> Option<Chunk> {
        let start = from + self.bytes()[from..].iter().position(u8::is_ascii_digit)?;
        Some(self.chunk_at(start))
    }

    fn chunk_at(&self, start: usize) -> Chunk {
        let bytes = self.bytes();
        let mut end = start + bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let ends_in_x = bytes.get(end) == Some(&b'x') && !bytes.get(end + 1).is_some_and(u8::is_ascii_alphanumeric);
        if ends_in_x && matches!(end - start, 17 | 3) {
            end += 1;
        }
        Chunk { start, end }
    }

    /// The chunks that follow `first`, joined to it and to each other by the same separator.
    fn group(&self, first: Chunk, widths: &[usize]) -> Option<Vec<Chunk>> {
        let separator = *self.bytes().get(first.end).filter(|byte| matches!(byte, b' ' | b'-'))?;
        let mut chunks = vec![first];
        for width in widths {
            let last = chunks.last()?;
            let start = last.end + 1;
            let joined = self.bytes().get(last.end) == Some(&separator)
                && self.bytes().get(start).is_some_and(u8::is_ascii_digit);
            let chunk = joined.then(|| self.chunk_at(start)).filter(|chunk| chunk.end - chunk.start == *width)?;
            chunks.push(chunk);
        }
        Some(chunks)
    }

    /// The number that starts with a chunk, if it is one.
    fn number_at(&self, first: Chunk) -> Option<Number> {
        let width = first.end - first.start;
        // The groupings that people write: 138 1234 5678, 622926 19900101 1234, 6222 0212 3456 7890 123.
        let groupings: &[&[usize]] = match width {
            2 => &[&[11], &[3, 4, 4]],
            3 => &[&[4, 4]],
            4 => &[&[4, 4, 4, 3], &[4, 4, 4, 2], &[4, 4, 4, 1], &[4, 4, 4]],
            6 => &[&[8, 4]],
            _ => &[],
        };
        let grouped = groupings.iter().find_map(|widths| self.group(first, widths));
        let chunks = grouped.unwrap_or_else(|| vec![first]);
        let last = chunks.last()?;
        if self.goes_on_before(first.start) || self.goes_on_after(last.end) || self.in_web_address(first.start) {
            return None;
        }
        let mut digits: Vec<usize> = chunks.iter().flat_map(|chunk| chunk.start..chunk.end).collect();
        let value = |digits: &[usize]| digits.iter().map(|at| self.bytes()[*at]).collect::<Vec<u8>>();
        if is_id(&value(&digits)) {
            return Some(Number { kind: PrivacyKind::Id, digits });
        }
        if self.is_order(first.start) || self.is_amount(last.end) || self.is_document(first.start, last.end) {
            return None;
        }
        let with_country = value(&digits);
        if with_country.len() == 13 && with_country.starts_with(b"86") {
            digits.drain(..2);
        }
        let number = value(&digits);
        let kind = if is_mobile(&number) {
            PrivacyKind::Mobile
        } else if is_bankcard(&number) {
            PrivacyKind::Bankcard
        } else {
            return None;
        };
        Some(Number { kind, digits })
    }

    fn goes_on_before(&self, start: usize) -> bool {
        let (head, bytes) = (&self.text[..start], self.bytes());
        let Some(before) = start.checked_sub(1).map(|at| bytes[at]) else { return false };
        let second_before = start.checked_sub(2).map_or(b' ', |at| bytes[at]);
        match before {
            b'*' | b'_' | b'#' => true,
            // The rest of a number that was masked before.
            b' ' | b'-' if second_before == b'*' => true,
            b'-' if is_country_code(head) => false,
            // A decimal, a code such as GS-138….
            b'.' | b'-' => second_before.is_ascii_alphanumeric(),
            _ => before.is_ascii_alphanumeric(),
        }
    }

    fn goes_on_after(&self, end: usize) -> bool {
        let bytes = self.bytes();
        let digit_after_it = bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
        match bytes.get(end) {
            Some(b'*' | b'_') => true,
            Some(b'.' | b'-') => digit_after_it,
            Some(after) => after.is_ascii_alphanumeric(),
            None => false,
        }
    }

    fn in_web_address(&self, start: usize) -> bool {
        let bytes = &self.bytes()[start.saturating_sub(ADDRESS_BYTES_MAX)..start];
        let n_graphic = bytes.iter().rev().take_while(|byte| byte.is_ascii_graphic()).count();
        let run = &bytes[bytes.len() - n_graphic..];
        run.windows(3).any(|part| part == b"://") || run.windows(4).any(|part| part == b"www.")
    }

    fn is_order(&self, start: usize) -> bool {
        let from = (start.saturating_sub(ORDER_BYTES_MAX)..=start).find(|at| self.text.is_char_boundary(*at));
        let before = &self.text[from.unwrap_or(start)..start];
        let clause = before.rsplit(['\n', '。', ';', ',', '，', '；']).next().unwrap_or_default();
        ORDER_WORDS.iter().any(|word| clause.contains(word))
    }

    fn is_amount(&self, end: usize) -> bool {
        let after = self.text[end..].trim_start_matches(' ');
        UNITS.iter().any(|unit| after.starts_with(unit))
    }

    /// 〔2021〕13812345678号, 第13812345678号.
    fn is_document(&self, start: usize, end: usize) -> bool {
        let before = self.text[..start].trim_end_matches(' ');
        self.text[end..].starts_with('号') && before.ends_with(['第', '〕', ']', '】', ')', '字'])
    }
}

/// Whether a text ends with `86-` or `0086-` that is no part of something longer.
fn is_country_code(head: &str) -> bool {
    let code = head.strip_suffix("-").and_then(|head| head.strip_suffix("0086").or_else(|| head.strip_suffix("86")));
    code.is_some_and(|rest| !rest.ends_with(|c: char| c.is_ascii_alphanumeric()))
}

impl Iterator for Scanner<'_> {
    type Item = Number;

    fn next(&mut self) -> Option<Number> {
        while let Some(chunk) = self.chunk_after(self.at) {
            let number = self.number_at(chunk);
            self.at = number.as_ref().and_then(|number| number.digits.last()).map_or(chunk.end, |last| last + 1);
            if number.is_some() {
                return number;
            }
        }
        None
    }
}

/// A resident identity number: a province, a day of the last 150 years or so, the check digit of GB 11643-1999.
fn is_id(number: &[u8]) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECK: &[u8; 11] = b"10x98765432";
    let Some((body, [check])) = number.split_at_checked(17) else { return false };
    if !body.iter().all(u8::is_ascii_digit) || !is_province(body) || !is_birthday(body) {
        return false;
    }
    let sum: u32 = body.iter().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    CHECK[(sum % 11) as usize] == *check
}

fn is_province(body: &[u8]) -> bool {
    let code = (body[0] - b'0') * 10 + (body[1] - b'0');
    matches!(code, 11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83 | 91)
}

fn is_birthday(body: &[u8]) -> bool {
    let number = |from: usize, to: usize| body[from..to].iter().fold(0, |n, digit| n * 10 + u32::from(digit - b'0'));
    let (year, month, day) = (number(6, 10), number(10, 12), number(12, 14));
    let year = i32::try_from(year).unwrap_or_default();
    (1880..2100).contains(&year) && chrono::NaiveDate::from_ymd_opt(year, month, day).is_some()
}

/// A mainland mobile number: eleven digits with a prefix that has been handed out.
fn is_mobile(number: &[u8]) -> bool {
    number.len() == 11
        && number[0] == b'1'
        && match number[1] {
            b'3' | b'8' => true,
            b'4' => matches!(number[2], b'0' | b'1' | b'4'..=b'9'),
            b'6' => matches!(number[2], b'2' | b'5'..=b'7'),
            b'7' => number[2] != b'9',
            b'5' | b'9' => number[2] != b'4',
            _ => false,
        }
}

/// A bank card: `UnionPay` (62, 16 to 19 digits), Visa (4, 16), `MasterCard` (51 to 55, 16), with a valid Luhn digit. An
/// 18-digit number with a birthday in it is a mistyped identity number rather than a card.
fn is_bankcard(number: &[u8]) -> bool {
    let issuer = match number {
        [b'6', b'2', ..] => (16..=19).contains(&number.len()),
        [b'4', ..] | [b'5', b'1'..=b'5', ..] => number.len() == 16,
        _ => false,
    };
    let mistyped_id = number.len() == 18 && number.iter().all(u8::is_ascii_digit) && is_birthday(number);
    issuer && !mistyped_id && passes_luhn(number)
}

fn passes_luhn(number: &[u8]) -> bool {
    let sum: u32 = number
        .iter()
        .rev()
        .enumerate()
        .map(|(i, digit)| match (u32::from(digit.wrapping_sub(b'0')), i % 2) {
            (digit, 0) => digit,
            (digit, _) if digit > 4 => digit * 2 - 9,
            (digit, _) => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10) && number.iter().all(u8::is_ascii_digit)
}
