//! Where words begin and end: a wrong form counts only where it does not cut through right words (松布署名).
//!
//! Segmentation by jieba's dictionary, without its hidden Markov model: that one invents words out of unknown characters,
//! and a wrong form is just that.

use std::sync::LazyLock;

use jieba_rs::Jieba;

use super::built_in;
use super::protected::is_han;

/// Han characters on either side of a place that are segmented with it.
const AROUND_CHARS: usize = 30;

/// The dictionary: jieba's, and the words of present-day official Chinese that it lacks.
static JIEBA: LazyLock<Jieba> = LazyLock::new(|| {
    let mut jieba = Jieba::new();
    for (word, frequency) in built_in::lexicon() {
        jieba.add_word(word, Some(frequency), None);
    }
    jieba
});

/// The dictionary, loaded on first use and kept.
pub(super) fn dictionary() -> &'static Jieba {
    &JIEBA
}

/// How far from where the stretch was cut off a place must lie for its words to be known, in characters.
const MARGIN_CHARS: usize = 10;

/// The words of one stretch of Han characters, kept while the places asked for lie well within it.
#[derive(Debug, Default)]
pub(super) struct TokenEdges {
    /// Bytes of the text between which the words are known.
    start: usize,
    end: usize,
    /// Bytes of the text at which a word begins or ends, ascending.
    edges: Vec<usize>,
}

impl TokenEdges {
    /// Whether bytes `start..end` of the text begin and end where words do.
    pub(super) fn fit(&mut self, text: &str, start: usize, end: usize) -> bool {
        if self.start > start || self.end < end {
            self.cut(text, start, end);
        }
        self.edges.binary_search(&start).is_ok() && self.edges.binary_search(&end).is_ok()
    }

    /// The words that bytes `start..end` of the text lie in: where the first begins and the last ends.
    pub(super) fn words_around(&mut self, text: &str, start: usize, end: usize) -> (usize, usize) {
        if self.start > start || self.end < end {
            self.cut(text, start, end);
        }
        let begin = self.edges[..self.edges.partition_point(|edge| *edge <= start)].last();
        let past = self.edges.get(self.edges.partition_point(|edge| *edge < end));
        (begin.copied().unwrap_or(start), past.copied().unwrap_or(end))
    }

    fn cut(&mut self, text: &str, start: usize, end: usize) {
        // Bytes to be segmented, and those of them that lie too near to where the stretch was cut off.
        let reach = |chars: &mut dyn Iterator<Item = char>| -> (usize, usize) {
            let mut chars = chars.take_while(|c| is_han(*c)).map(char::len_utf8);
            let known: usize = chars.by_ref().take(AROUND_CHARS - MARGIN_CHARS).sum();
            let margin: usize = chars.by_ref().take(MARGIN_CHARS).sum();
            (known + margin, if chars.next().is_some() { margin } else { 0 })
        };
        let (before, margin_before) = reach(&mut text[..start].chars().rev());
        let (after, margin_after) = reach(&mut text[end..].chars());
        let (first, past) = (start - before, end + after);
        (self.start, self.end) = (first + margin_before, past - margin_after);
        self.edges.clear();
        self.edges.push(first);
        let mut at = first;
        for token in dictionary().cut(&text[first..past], false) {
            at += token.word.len();
            self.edges.push(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(text: &str, words: &str) -> bool {
        let start = text.find(words).unwrap();
        TokenEdges::default().fit(text, start, start + words.len())
    }

    #[test]
    fn a_wrong_form_that_stands_by_itself_fits() {
        assert!(fits("会议布署了防汛工作", "布署"));
    }

    #[test]
    fn one_that_cuts_through_right_words_does_not() {
        assert!(!fits("在官网发布署名文章", "布署"));
        assert!(!fits("出席大会仪式的人员", "会仪"));
    }

    #[test]
    fn where_a_stretch_was_cut_off_no_word_ends() {
        let before = "会议布署了全州防汛抗旱和安全生产工作并要求各县市各部门认真落实";
        // The place asked for ends within a word, wherever the first stretch was cut off.
        for n in 0..before.chars().count() {
            let filler: String = before.chars().skip(4).take(n).collect();
            let text = format!("会议布署{filler}由公式期望值");
            let mut edges = TokenEdges::default();
            let fit = ["布署", "公式期"].map(|words| {
                let at = text.find(words).unwrap();
                edges.fit(&text, at, at + words.len())
            });
            assert_eq!(fit, [true, false], "{text}");
        }
    }

    #[test]
    fn the_stretch_is_cut_anew_when_the_place_lies_outside() {
        let text = "会议布署了工作，发布署名文章，再次布署";
        let mut edges = TokenEdges::default();
        let fit: Vec<bool> =
            text.match_indices("布署").map(|(at, words)| edges.fit(text, at, at + words.len())).collect();
        assert_eq!(fit, [true, false, true]);
    }
}
