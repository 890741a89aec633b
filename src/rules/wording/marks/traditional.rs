//! Single traditional characters in simplified text: 陶母退魚.

use super::super::protected::is_han;
use super::super::simplified::Simplified;
use super::{Mark, Rule};

/// Up to so many traditional characters a text is simplified, however short it is.
const FEW: usize = 2;
/// A text of which a larger share is traditional is written in traditional characters, or quotes such a text.
const SHARE_MIN_INVERSE: usize = 10;
/// How near the simplified form of a character explains it: 龙（龍）.
const EXPLAINED_CHARS: usize = 10;

/// Characters of the Table of General Standard Chinese Characters (通用规范汉字表, 2013) that `OpenCC` folds all the same:
/// standard in names or in some senses.
const STANDARD: &str = "堃喆淼犇昇邨甯陞氾訢澂濬龢脩祇菉蒐蹚噘麹逕崑剋勠皙瞋溧徵乾藉於夥麽鍾锺祕勣椀\
                        颋鬧";

/// Looks at the characters that begin at the given bytes.
pub(super) fn find(text: &str, places: &[usize], marks: &mut Vec<Mark>) {
    let simplified = Simplified::new();
    let folded = |at: usize| {
        let character = text[at..].chars().next().filter(|c| !STANDARD.contains(*c))?;
        Some((at, character, simplified.of(character)?))
    };
    let traditional: Vec<(usize, char, char)> = places.iter().filter_map(|at| folded(*at)).collect();
    let n_traditional = traditional.len();
    if n_traditional > FEW {
        let n_han = text.chars().filter(|c| is_han(*c)).count();
        if n_traditional * SHARE_MIN_INVERSE > n_han {
            return;
        }
    }
    let mut found: Vec<(usize, usize, String)> = Vec::new();
    for (at, character, right) in traditional {
        if is_explained(text, at, character, right) {
            continue;
        }
        match found.last_mut() {
            Some((_, end, rights)) if *end == at => {
                *end += character.len_utf8();
                rights.push(right);
            }
            _ => found.push((at, at + character.len_utf8(), right.to_string())),
        }
    }
    super::add(marks, Rule::Traditional, found.into_iter().map(|(start, end, right)| (start, end, Some(right))));
}

fn is_explained(text: &str, at: usize, character: char, right: char) -> bool {
    let before = text[..at].chars().rev().take(EXPLAINED_CHARS);
    let after = text[at + character.len_utf8()..].chars().take(EXPLAINED_CHARS);
    before.chain(after).any(|near| near == right)
}
