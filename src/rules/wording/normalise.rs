//! One-pass normaliser with a map back to the original text.
//!
//! Every character of the normalised text stands for exactly one character of the original (folded or kept) and some
//! characters of the original are dropped; nothing is expanded or merged. The map is therefore no more than the places
//! of the dropped characters, and a span is counted back only where something was found.

use unicode_normalization::char::decompose_compatible;

use super::protected::is_han;
use super::simplified::Simplified;

/// A text as the matcher reads it: half width, lower case, simplified characters, plain digits, ordinary spaces, nothing
/// invisible.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Normalised {
    text: String,
    /// For each dropped character the length of the normalised text, in bytes, at which it stood; ascending.
    dropped: Vec<usize>,
    /// Bytes of the original at which a traditional character stood, ascending.
    traditional: Vec<usize>,
}

/// What becomes of one character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Folded {
    Kept,
    To(char),
    Dropped,
}

impl Normalised {
    pub fn new(original: &str) -> Self {
        let bytes = original.as_bytes();
        let simplified = Simplified::new();
        let mut text = String::with_capacity(original.len());
        let (mut dropped, mut traditional) = (Vec::new(), Vec::new());
        let mut copied_to = 0;
        let mut at = 0;
        while at < bytes.len() {
            let unchanged_bytes = unchanged_width(bytes, at, simplified);
            if unchanged_bytes > 0 {
                at += unchanged_bytes;
                continue;
            }
            let Some(character) = original[at..].chars().next() else { break };
            let next = at + character.len_utf8();
            match fold(character, simplified) {
                Folded::Kept => {}
                Folded::To(folded) => {
                    if is_han(folded) {
                        traditional.push(at);
                    }
                    text.push_str(&original[copied_to..at]);
                    text.push(folded);
                    copied_to = next;
                }
                Folded::Dropped => {
                    text.push_str(&original[copied_to..at]);
                    dropped.push(text.len());
                    copied_to = next;
                }
            }
            at = next;
        }
        text.push_str(&original[copied_to..]);
        Self { text, dropped, traditional }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Bytes of the original at which a character stands that was folded to another Han character, ascending: traditional
    /// ones, and those that a PDF file wrote as radicals.
    pub(super) fn traditional(&self) -> &[usize] {
        &self.traditional
    }

    /// Counts spans back into the original; spans are best asked for in ascending order of their start.
    pub fn spans(&self) -> SpanMap<'_> {
        SpanMap { normalised: self, byte: 0, n_chars: 0 }
    }
}

/// A cursor that turns byte offsets of the normalised text into character offsets of the original.
#[derive(Clone, Debug)]
pub struct SpanMap<'a> {
    normalised: &'a Normalised,
    byte: usize,
    n_chars: usize,
}

impl SpanMap<'_> {
    /// First character, and one past the last, of the original text that the bytes `start..end` stand for. The span must
    /// not be empty and must lie on character borders. Dropped characters at its edges are left outside.
    pub fn original(&mut self, start: usize, end: usize) -> (usize, usize) {
        let dropped = &self.normalised.dropped;
        let start_chars = self.chars_up_to(start);
        let n_chars = count_chars(&self.normalised.text[start..end]);
        let dropped_before = dropped.partition_point(|place| *place <= start);
        let dropped_by_end = dropped.partition_point(|place| *place < end);
        (start_chars + dropped_before, start_chars + n_chars + dropped_by_end)
    }

    fn chars_up_to(&mut self, byte: usize) -> usize {
        if byte < self.byte {
            (self.byte, self.n_chars) = (0, 0);
        }
        self.n_chars += count_chars(&self.normalised.text[self.byte..byte]);
        self.byte = byte;
        self.n_chars
    }
}

fn count_chars(text: &str) -> usize {
    text.chars().count()
}

/// The width of the character at `at` if its first bytes already say that it is kept, else 0. Han characters, Chinese
/// punctuation and lower-case ASCII are nearly all of a text, so the decoder seldom runs.
fn unchanged_width(bytes: &[u8], at: usize, simplified: Simplified) -> usize {
    match bytes[at] {
        b'A'..=b'Z' => 0,
        0..=0x7f => 1,
        // U+3000 is the ideographic space.
        0xe3 if bytes.get(at + 1) == Some(&0x80) && bytes.get(at + 2) == Some(&0x80) => 0,
        // U+3001 to U+9FFF: punctuation, kana and the common Han characters.
        lead @ 0xe3..=0xe9 => {
            let bits = |i: usize| bytes.get(at + i).map_or(0, |byte| u32::from(byte & 0x3f));
            let code = u32::from(lead & 0xf) << 12 | bits(1) << 6 | bits(2);
            if simplified.is_fixed(code) { 3 } else { 0 }
        }
        // The mathematical digits.
        0xf0 if bytes.get(at + 1) == Some(&0x9d) => 0,
        // Beyond the basic plane: rare Han characters and pictographs.
        0xf0..=0xf7 => 4,
        _ => 0,
    }
}

fn fold(character: char, simplified: Simplified) -> Folded {
    if let Some(folded) = simplified.of(character).or_else(|| plain_digit(character)) {
        return Folded::To(folded);
    }
    match character {
        'A'..='Z' => Folded::To(character.to_ascii_lowercase()),
        // Full-width forms of printable ASCII.
        '\u{ff01}'..='\u{ff5e}' => half_width(character).map_or(Folded::Kept, Folded::To),
        // Spaces of all widths.
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => Folded::To(' '),
        // Soft hyphen, joiners, zero-width spaces, direction marks, variation selectors, byte order mark.
        '\u{ad}'
        | '\u{34f}'
        | '\u{180b}'..='\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' => Folded::Dropped,
        // Letters with case: Latin, Greek, Cyrillic.
        '\u{c0}'..='\u{52f}' => single(character, character.to_lowercase()),
        // Kangxi radicals and compatibility ideographs, which text copied from PDF files is full of.
        '\u{2f00}'..='\u{2fd5}' | '\u{f900}'..='\u{faff}' => compatible(character, simplified),
        _ => Folded::Kept,
    }
}

/// Digits in other dress: mathematical, Arabic-Indic. Circled and raised ones are list numbers and notes, which stand
/// right before and after real numbers, so they stay as they are.
fn plain_digit(character: char) -> Option<char> {
    const ROWS: &[(char, char)] = &[('\u{660}', '\u{669}'), ('\u{6f0}', '\u{6f9}'), ('\u{1d7ce}', '\u{1d7ff}')];
    let (zero, _) = ROWS.iter().find(|(first, last)| (*first..=*last).contains(&character))?;
    char::from_digit((u32::from(character) - u32::from(*zero)) % 10, 10)
}

fn half_width(character: char) -> Option<char> {
    char::from_u32(u32::from(character) - 0xfee0).map(|half| half.to_ascii_lowercase())
}

fn compatible(character: char, simplified: Simplified) -> Folded {
    let mut parts = [None, None];
    let mut n_parts = 0;
    decompose_compatible(character, |part| {
        if let Some(place) = parts.get_mut(n_parts) {
            *place = Some(part);
        }
        n_parts += 1;
    });
    match single(character, parts.into_iter().flatten()) {
        Folded::To(ideograph) => Folded::To(simplified.of(ideograph).unwrap_or(ideograph)),
        kept => kept,
    }
}

/// Folds to the one character given; none or several leave the character as it is, because the map is one to one.
fn single(character: char, mut folded: impl Iterator<Item = char>) -> Folded {
    match (folded.next(), folded.next()) {
        (Some(one), None) if one != character => Folded::To(one),
        _ => Folded::Kept,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(original: &str, expected: &str) {
        assert_eq!(Normalised::new(original).text(), expected);
    }

    #[test]
    fn width_and_case_are_folded() {
        check("ＡＰＰ下载１２３４５，ÀÉ", "app下载12345,àé");
    }

    #[test]
    fn invisible_characters_are_dropped() {
        check("\u{feff}人\u{200b}民\u{ad}政\u{2060}府\u{fe0f}", "人民政府");
    }

    #[test]
    fn spaces_of_all_widths_are_one_space() {
        check("一\u{3000}二\u{a0}三\u{2003}四", "一 二 三 四");
    }

    #[test]
    fn radicals_from_pdf_files_become_characters() {
        check("\u{2f08}大", "人大");
    }

    #[test]
    fn traditional_characters_become_simplified_ones() {
        check("國務院佈署工作，乾隆著", "国务院布署工作,乾隆著");
    }

    #[test]
    fn digits_in_other_dress_are_plain() {
        check("١٣۸𝟎𝟗𝟮，①m²", "138092,①m²");
    }

    #[test]
    fn line_breaks_and_chinese_punctuation_stay() {
        check("一、“甲”。\n二、《乙》", "一、“甲”。\n二、《乙》");
    }

    #[test]
    fn a_span_with_a_dropped_character_inside_covers_it() {
        let normalised = Normalised::new("甲\u{200b}人\u{200b}民乙");
        let start = normalised.text().find("人").unwrap();
        assert_eq!(normalised.spans().original(start, start + "人民".len()), (2, 5));
    }

    #[test]
    fn the_cursor_may_go_back() {
        let normalised = Normalised::new("甲乙丙丁");
        let mut spans = normalised.spans();
        assert_eq!(spans.original(9, 12), (3, 4));
        assert_eq!(spans.original(0, 3), (0, 1));
    }

    fn any_text() -> impl Strategy<Value = String> {
        let odd = prop::sample::select(vec![
            'A', 'ｂ', '，', '\u{3000}', '\u{200b}', '\u{ad}', '\u{feff}', '人', '民', '\n', '１', '😀', '\u{2f08}',
            'é', '國', '臺', '①', '𝟗', '乾',
        ]);
        prop::collection::vec(prop_oneof![odd, any::<char>()], 0..60).prop_map(|chars| chars.into_iter().collect())
    }

    proptest! {
        #[test]
        fn every_span_maps_back_to_the_characters_it_was_made_of(original in any_text()) {
            let chars: Vec<char> = original.chars().collect();
            let normalised = Normalised::new(&original);
            let borders: Vec<usize> = normalised.text().char_indices().map(|(at, _)| at)
                .chain([normalised.text().len()]).collect();
            let mut spans = normalised.spans();
            for (i, start) in borders.iter().enumerate() {
                for end in &borders[i + 1..] {
                    let (first, past) = spans.original(*start, *end);
                    prop_assert!(first < past && past <= chars.len());
                    let part: String = chars[first..past].iter().collect();
                    let part = Normalised::new(&part);
                    prop_assert_eq!(part.text(), &normalised.text()[*start..*end]);
                    prop_assert_ne!(fold(chars[first], Simplified::new()), Folded::Dropped);
                    prop_assert_ne!(fold(chars[past - 1], Simplified::new()), Folded::Dropped);
                }
            }
        }

        #[test]
        fn a_normalised_text_is_its_own_normal_form(original in any_text()) {
            let once = Normalised::new(&original);
            let twice = Normalised::new(once.text());
            prop_assert_eq!(twice.text(), once.text());
        }
    }
}
