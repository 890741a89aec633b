//! Words and phrases written twice: 网站网站, 关于做好关于做好, 的的.
//!
//! Chinese doubles verbs and measure words by rule (研究研究, 一个一个), so of words of two characters only nouns count,
//! and nothing that stands three times: that is a call or a song.

use super::super::protected::is_han;
use super::super::tokens::{TokenEdges, dictionary};
use super::{EACH_MAX, Mark, Rule};

/// Lengths of what is repeated, in characters.
const LENGTHS: [usize; 5] = [2, 3, 4, 5, 6];
/// Words of one character that never follow themselves.
const PARTICLES: &str = "的在是和将被";
/// Characters looked back: two of the longest, and one before.
const WINDOW: usize = 13;

pub(super) fn find(text: &str, marks: &mut Vec<Mark>) {
    let mut window = Window::default();
    let mut found: Vec<(usize, usize, String)> = Vec::new();
    for (at, character) in text.char_indices() {
        if !is_han(character) {
            window = Window::default();
            continue;
        }
        window.push(at, character);
        if let Some(length) = window.repeats() {
            let (start, middle, end) = (window.byte(length * 2), window.byte(length), at + character.len_utf8());
            let is_new = found.last().is_none_or(|(_, last, _)| *last <= start);
            if is_new && is_slip(text, (start, middle, end), length) {
                found.push((start, end, text[middle..end].to_owned()));
                if found.len() == EACH_MAX {
                    break;
                }
            }
        }
    }
    super::add(marks, Rule::Repeated, found.into_iter().map(|(start, end, right)| (start, end, Some(right))));
}

/// The last Han characters of a stretch, and for each length how many of them in a row equal the one that far before.
#[derive(Debug, Default)]
struct Window {
    chars: [(usize, char); WINDOW],
    n_chars: usize,
    n_same: [usize; LENGTHS.len()],
    n_same_beside: usize,
}

impl Window {
    fn push(&mut self, at: usize, character: char) {
        let same = |back: usize| self.n_chars >= back && self.chars[(self.n_chars - back) % WINDOW].1 == character;
        self.n_same_beside = if same(1) { self.n_same_beside + 1 } else { 0 };
        for (n_same, length) in self.n_same.iter_mut().zip(LENGTHS) {
            *n_same = if same(length) { *n_same + 1 } else { 0 };
        }
        self.chars[self.n_chars % WINDOW] = (at, character);
        self.n_chars += 1;
    }

    /// The length of what has just been said twice.
    fn repeats(&self) -> Option<usize> {
        let last = self.chars[(self.n_chars - 1) % WINDOW].1;
        if self.n_same_beside > 0 {
            return (self.n_same_beside == 1 && PARTICLES.contains(last)).then_some(1);
        }
        self.n_same.iter().zip(LENGTHS).find(|(n_same, length)| *n_same == length).map(|(_, length)| length)
    }

    /// The byte of the character `back` places before the end.
    fn byte(&self, back: usize) -> usize {
        self.chars[(self.n_chars - back) % WINDOW].0
    }
}

fn is_slip(text: &str, (start, middle, end): (usize, usize, usize), length: usize) -> bool {
    let next = text[end..].chars().next();
    let unit = &text[middle..end];
    if text[end..].starts_with(unit) || text[..start].ends_with(unit) || is_periodic(unit) {
        return false;
    }
    let mut edges = TokenEdges::default();
    let parted = edges.fit(text, start, middle) && edges.fit(text, middle, end);
    match length {
        // 的 may end one word and begin the next (目的的, 的的确确): the segmentation knows.
        1 => parted && next.is_some_and(is_han) && text[..start].ends_with(is_han),
        2 => parted && is_noun(unit),
        3 => parted,
        _ => true,
    }
}

/// Whether what was said twice itself says something twice.
fn is_periodic(unit: &str) -> bool {
    let n_bytes = unit.len();
    [2, 3].into_iter().any(|n_times| {
        let part = n_bytes / n_times;
        n_bytes.is_multiple_of(n_times)
            && unit.get(..part).is_some_and(|part| !part.is_empty() && part.repeat(n_times) == unit)
    })
}

fn is_noun(word: &str) -> bool {
    const NOUNS: &[&str] = &["n", "nt", "nz", "l"];
    match dictionary().tag(word, false).as_slice() {
        [token] => NOUNS.contains(&token.tag),
        _ => false,
    }
}
