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
/// Bytes of a Han character of the basic plane; the few others are taken for separators.
const HAN_BYTES: usize = 3;

pub(super) fn find(text: &str, marks: &mut Vec<Mark>) {
    let bytes = text.as_bytes();
    let mut window = Window::default();
    let mut edges = TokenEdges::default();
    let mut found: Vec<(usize, usize, String)> = Vec::new();
    let mut at = 0;
    while at < bytes.len() && found.len() < EACH_MAX {
        // U+4000 to U+9FFF begin with E4 to E9.
        let (0xe4..=0xe9, Some(character)) = (bytes[at], bytes.get(at..at + HAN_BYTES)) else {
            window = Window::default();
            at += 1;
            continue;
        };
        at += HAN_BYTES;
        let code =
            u16::from(character[0] & 0xf) << 12 | u16::from(character[1] & 0x3f) << 6 | u16::from(character[2] & 0x3f);
        let Some(length) = window.push(code) else { continue };
        let (start, middle, end) = (at - length * 2 * HAN_BYTES, at - length * HAN_BYTES, at);
        let is_new = found.last().is_none_or(|(_, last, _)| *last <= start);
        if is_new && is_slip(text, (start, middle, end), length, &mut edges) {
            found.push((start, end, text[middle..end].to_owned()));
        }
    }
    super::add(marks, Rule::Repeated, found.into_iter().map(|(start, end, right)| (start, end, Some(right))));
}

/// The last Han characters of a stretch, and how many of them in a row equal the one that far before.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    /// Sixteen bits for each character, the newest lowest.
    recent: u128,
    /// By length, from one character on.
    n_same: [usize; LENGTH_MAX],
    is_repeating: bool,
}

impl Window {
    /// Takes a character; the length of what has just been said twice, if anything has.
    fn push(&mut self, code: u16) -> Option<usize> {
        /// One in each lane of sixteen bits.
        const ONES: u128 = 0x0001_0001_0001_0001_0001_0001;
        let differing = self.recent ^ (ONES * u128::from(code));
        // A lane without a bit borrows from its highest one: most characters equal none of the last six.
        let equals_any = differing.wrapping_sub(ONES) & !differing & (ONES << 15) != 0;
        self.recent = (self.recent << 16 | u128::from(code)) & (ONES * 0xffff);
        if !equals_any {
            if std::mem::take(&mut self.is_repeating) {
                self.n_same = [0; LENGTH_MAX];
            }
            return None;
        }
        self.is_repeating = true;
        for (lane, n_same) in self.n_same.iter_mut().enumerate() {
            *n_same = if (differing >> (lane * 16)).trailing_zeros() >= 16 { *n_same + 1 } else { 0 };
        }
        if self.n_same[0] > 0 {
            return (self.n_same[0] == 1).then_some(1);
        }
        (2..=LENGTH_MAX).find(|length| self.n_same[length - 1] == *length)
    }
}

fn is_slip(text: &str, (start, middle, end): (usize, usize, usize), length: usize, edges: &mut TokenEdges) -> bool {
    let next = text[end..].chars().next();
    let unit = &text[middle..end];
    if text[end..].starts_with(unit) || text[..start].ends_with(unit) || is_periodic(unit) {
        return false;
    }
    let parted = edges.fit(text, start, middle) && edges.fit(text, middle, end);
    match length {
        // 的 may end one word and begin the next (目的的, 的的确确): the segmentation knows.
        1 => PARTICLES.contains(unit) && parted && next.is_some_and(is_han) && text[..start].ends_with(is_han),
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
