//! A second view of a text, for sensitive words: without what stands between Han characters, so that 法·轮·功 hides nothing.

use super::protected::is_han;

/// What is put between characters to hide a word. Punctuation that ends or parts sentences is not among them: across it,
/// characters belong to different words.
const SEPARATORS: &str = " .*-_·•|/\\+~^#@&=";

/// Most separators between two characters; more is a layout.
const GAP_CHARS_MAX: usize = 3;

/// A text without the separators between its Han characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Compact {
    text: String,
    /// Where something was taken out: byte of the compact text, bytes taken out so far with it; ascending.
    gaps: Vec<(usize, usize)>,
}

impl Compact {
    /// `None` where nothing separates two Han characters, which is the usual case.
    pub(super) fn new(text: &str) -> Option<Self> {
        let mut compact: Option<Self> = None;
        let (mut copied_to, mut n_removed) = (0, 0);
        let mut gap: Option<(usize, usize)> = None;
        let mut after_han = false;
        for (at, character) in text.char_indices() {
            if is_han(character) {
                if let Some((start, _)) = gap.take().filter(|(_, n_chars)| *n_chars <= GAP_CHARS_MAX) {
                    let compact = compact.get_or_insert_with(|| Self { text: String::new(), gaps: Vec::new() });
                    compact.text.push_str(&text[copied_to..start]);
                    n_removed += at - start;
                    compact.gaps.push((compact.text.len(), n_removed));
                    copied_to = at;
                }
                after_han = true;
            } else if SEPARATORS.contains(character) && (after_han || gap.is_some()) {
                gap = Some(gap.map_or((at, 1), |(start, n_chars)| (start, n_chars + 1)));
                after_han = false;
            } else {
                (gap, after_han) = (None, false);
            }
        }
        if let Some(compact) = &mut compact {
            compact.text.push_str(&text[copied_to..]);
        }
        compact
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// How many separated places lie inside bytes `start..end` of the compact text.
    pub(super) fn n_gaps(&self, start: usize, end: usize) -> usize {
        let upto = |byte: usize| self.gaps.partition_point(|(at, _)| *at < byte);
        upto(end) - self.gaps.partition_point(|(at, _)| *at <= start)
    }

    /// The bytes of the text that bytes `start..end` of the compact one came from.
    pub(super) fn original(&self, start: usize, end: usize) -> (usize, usize) {
        let removed = |n_gaps: usize| n_gaps.checked_sub(1).map_or(0, |last| self.gaps[last].1);
        let before_start = self.gaps.partition_point(|(at, _)| *at <= start);
        let before_end = self.gaps.partition_point(|(at, _)| *at < end);
        (start + removed(before_start), end + removed(before_end))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn separators_between_han_characters_are_taken_out() {
        let compact = Compact::new("说 法·轮**功 的 abc def").unwrap();
        assert_eq!(compact.text(), "说法轮功的 abc def");
        let start = compact.text().find('法').unwrap();
        let end = start + "法轮功".len();
        assert_eq!(compact.n_gaps(start, end), 2);
        let (first, past) = compact.original(start, end);
        assert_eq!(&"说 法·轮**功 的 abc def"[first..past], "法·轮**功");
    }

    #[test]
    fn ordinary_text_has_no_second_view() {
        assert_eq!(Compact::new("会议指出，要抓好 GDP 和 2024 年工作。\n一\n二    三"), None);
    }

    proptest! {
        #[test]
        fn every_span_maps_back(text in "[法轮功a ·。\n]{0,40}") {
            if let Some(compact) = Compact::new(&text) {
                let ends: Vec<usize> = compact.text().char_indices().map(|(at, _)| at).chain([compact.text().len()]).collect();
                for (i, start) in ends.iter().enumerate() {
                    for end in &ends[i + 1..] {
                        let (first, past) = compact.original(*start, *end);
                        let kept: String = compact.text()[*start..*end].chars().filter(|c| is_han(*c)).collect();
                        let original: String = text[first..past].chars().filter(|c| is_han(*c)).collect();
                        prop_assert_eq!(kept, original);
                    }
                }
            }
        }
    }
}
