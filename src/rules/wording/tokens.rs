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

/// The words of one stretch of Han characters, kept while the places asked for lie in it.
#[derive(Debug, Default)]
pub(super) struct TokenEdges {
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

    fn cut(&mut self, text: &str, start: usize, end: usize) {
        let reach = |chars: &mut dyn Iterator<Item = char>| -> usize {
            chars.take_while(|c| is_han(*c)).take(AROUND_CHARS).map(char::len_utf8).sum()
        };
        self.start = start - reach(&mut text[..start].chars().rev());
        self.end = end + reach(&mut text[end..].chars());
        self.edges.clear();
        self.edges.push(self.start);
        let mut at = self.start;
        for token in dictionary().cut(&text[self.start..self.end], false) {
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
    fn the_stretch_is_cut_anew_when_the_place_lies_outside() {
        let text = "会议布署了工作，发布署名文章，再次布署";
        let mut edges = TokenEdges::default();
        let fit: Vec<bool> =
            text.match_indices("布署").map(|(at, words)| edges.fit(text, at, at + words.len())).collect();
        assert_eq!(fit, [true, false, true]);
    }
}
