//! Words and phrases written twice: 网站网站, 关于做好关于做好, 的的.
//!
//! Chinese doubles verbs and measure words by rule (研究研究, 一个一个), so of words of two characters only nouns count, and
//! only where the second is not the head of a compound (建设项目项目经理). Nothing counts that stands three times: that is a
//! call or a song.

use super::super::protected::is_han;
use super::super::tokens::{TokenEdges, dictionary};
use super::{EACH_MAX, Mark, Rule};

/// Most characters of what is repeated.
const LENGTH_MAX: usize = 6;
/// Words of one character that never follow themselves.
const PARTICLES: &str = "的在是和将被";
pub(super) fn find(text: &str, marks: &mut Vec<Mark>) {
    let mut window = Window::default();
    let mut found: Vec<(usize, usize, String)> = Vec::new();
    for (at, character) in text.char_indices() {
        if !is_han(character) {
            if window.recent[0] != char::default() {
                window = Window::default();
            }
            continue;
        }
        window.push(character);
        if let Some(length) = window.repeats() {
            let end = at + character.len_utf8();
            let back = |n_chars: usize| text[..end].char_indices().rev().nth(n_chars - 1).map_or(0, |(at, _)| at);
            let (start, middle) = (back(length * 2), back(length));
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

/// The last Han characters of a stretch, the newest first, and how many of them in a row equal the one that far before.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    recent: [char; LENGTH_MAX],
    /// By length, from one character on.
    n_same: [u32; LENGTH_MAX],
}

impl Window {
    fn push(&mut self, character: char) {
        for (n_same, other) in self.n_same.iter_mut().zip(&self.recent) {
            *n_same = if *other == character { *n_same + 1 } else { 0 };
        }
        self.recent.copy_within(..LENGTH_MAX - 1, 1);
        self.recent[0] = character;
    }

    /// The length of what has just been said twice.
    fn repeats(&self) -> Option<usize> {
        if self.n_same[0] > 0 {
            return (self.n_same[0] == 1 && PARTICLES.contains(self.recent[0])).then_some(1);
        }
        (2..=LENGTH_MAX).find(|length| self.n_same[length - 1] as usize == *length)
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
        2 => parted && is_noun(unit) && !heads_a_compound(&text[end..]),
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

/// Whether another word of content follows at once.
fn heads_a_compound(rest: &str) -> bool {
    const FUNCTION_WORDS: &[&str] = &["c", "d", "f", "m", "p", "r", "u", "uj", "ul", "uv", "uz", "ud", "ug", "y"];
    /// Enough characters to know the next word.
    const AHEAD_CHARS: usize = 6;
    let ahead: usize = rest.chars().take(AHEAD_CHARS).take_while(|c| is_han(*c)).map(char::len_utf8).sum();
    let next = dictionary().tag(&rest[..ahead], false);
    next.first().is_some_and(|token| !FUNCTION_WORDS.contains(&token.tag))
}

fn is_noun(word: &str) -> bool {
    const NOUNS: &[&str] = &["n", "nt", "nz", "l"];
    match dictionary().tag(word, false).as_slice() {
        [token] => NOUNS.contains(&token.tag),
        _ => false,
    }
}
