//! Traditional characters and their simplified forms, one to one, from the tables of `OpenCC`.
//!
//! A character that simplified text itself uses is never folded (乾 in 乾隆, 著 in 著名, 藉 in 慰藉): the characters of
//! GB/T 2312, which modern simplified text is written with, stay as they are.

use std::sync::LazyLock;

use ferrous_opencc::OpenCC;
use ferrous_opencc::config::BuiltinConfig;

/// First and last character of the table: CJK extension A and the unified ideographs.
const FIRST: u32 = 0x3400;
const LAST: u32 = 0x9fff;

/// The simplified form of each character from [`FIRST`] on; 0 where the character is its own.
static TABLE: LazyLock<Vec<u16>> = LazyLock::new(table);

/// The table, made ready: hold it while reading a text, so that each character costs one look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Simplified(&'static [u16]);

impl Simplified {
    pub(super) fn new() -> Self {
        Self(&TABLE)
    }

    /// Whether the character of this code stays as it is.
    pub(super) fn is_fixed(self, code: u32) -> bool {
        let place = code.checked_sub(FIRST).and_then(|place| usize::try_from(place).ok());
        place.and_then(|place| self.0.get(place)).is_none_or(|simplified| *simplified == 0)
    }

    /// The simplified form, where the character has another one. Both are three bytes of UTF-8.
    pub(super) fn of(self, character: char) -> Option<char> {
        let place = u32::from(character).checked_sub(FIRST)?;
        let simplified = *self.0.get(usize::try_from(place).ok()?)?;
        if simplified == 0 { None } else { char::from_u32(u32::from(simplified)) }
    }
}

fn table() -> Vec<u16> {
    let characters: Vec<char> = (FIRST..=LAST).filter_map(char::from_u32).collect();
    let unchanged = || vec![0; characters.len()];
    // The table is compiled into the library. Should it ever fail to load, traditional text is read as it stands.
    let Ok(opencc) = OpenCC::from_config(BuiltinConfig::T2s) else { return unchanged() };
    // One to a line, so that no phrase of two characters is converted as a whole.
    let lines: String = characters.iter().flat_map(|character| [*character, '\n']).collect();
    let converted = opencc.convert(&lines);
    let folds = characters.iter().zip(converted.lines()).map(|(character, line)| {
        let mut simplified = line.chars();
        match (simplified.next(), simplified.next()) {
            (Some(one), None) if one != *character && !is_gb2312(*character) => u16::try_from(u32::from(one)).ok(),
            _ => None,
        }
    });
    let folds: Vec<u16> = folds.map(|fold| fold.filter(|fold| u32::from(*fold) >= FIRST).unwrap_or(0)).collect();
    if folds.len() != characters.len() {
        return unchanged();
    }
    // Few forms are themselves folded on (薴): a fold is taken to its end, so that folding twice changes nothing.
    let next = |fold: u16| usize::from(fold).checked_sub(FIRST as usize).and_then(|place| folds.get(place)).copied();
    folds.iter().map(|fold| next(*fold).filter(|further| *further != 0).unwrap_or(*fold)).collect()
}

/// Whether a character is one of the 3,755 common ones: level 1 of GB/T 2312, rows 16 to 55.
pub(super) fn is_common(character: char) -> bool {
    let mut buffer = [0; 4];
    let (bytes, _, unmappable) = encoding_rs::GBK.encode(character.encode_utf8(&mut buffer));
    !unmappable && matches!(*bytes, [0xb0..=0xd7, 0xa1..=0xfe])
}

/// Whether a character belongs to the hanzi of GB/T 2312: rows 16 to 87, which GBK encodes as B0A1 to F7FE.
pub(super) fn is_gb2312(character: char) -> bool {
    let mut buffer = [0; 4];
    let (bytes, _, unmappable) = encoding_rs::GBK.encode(character.encode_utf8(&mut buffer));
    !unmappable && matches!(*bytes, [0xb0..=0xf7, 0xa1..=0xfe])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traditional_characters_have_their_simplified_form() {
        let simplified = Simplified::new();
        let folded: String = "佈署開們國務院臺灣".chars().map(|c| simplified.of(c).unwrap_or(c)).collect();
        assert_eq!(folded, "布署开们国务院台湾");
    }

    #[test]
    fn characters_of_simplified_text_stay() {
        let simplified = Simplified::new();
        let kept = "乾隆 著名 慰藉 瞭望 余干 么 甘南 后 里 发";
        assert!(kept.chars().all(|c| simplified.of(c).is_none()));
    }

    #[test]
    fn a_simplified_form_is_its_own() {
        let simplified = Simplified::new();
        let twice: Vec<char> = (FIRST..=LAST)
            .filter_map(char::from_u32)
            .filter(|c| simplified.of(*c).is_some_and(|once| simplified.of(once).is_some()))
            .collect();
        assert_eq!(twice, Vec::<char>::new());
    }
}
