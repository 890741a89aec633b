//! Passport numbers and vehicle plates. They have no check digit, so what is found is a suspect.

use memchr::memmem;

use super::PrivacyKind;
use super::number::Number;

/// The word that makes a passport's number of letters and digits, and how far before it may stand, in characters.
const PASSPORT: &str = "护照";
const PASSPORT_CHARS: usize = 20;
/// First letters of Chinese passports: ordinary (E, formerly G), official (D, S, P).
const PASSPORT_LETTERS: &[u8] = b"egdsp";
/// Characters of its number.
const PASSPORT_LENGTH: usize = 9;

/// Bytes looked at together for letters.
const CHUNK_BYTES: usize = 128;

/// Most characters of a plate after province and letter: five, six of a vehicle with a new drive.
const PLATE_TAIL: std::ops::RangeInclusive<usize> = 5..=6;
/// Fewest digits among them: a name of letters (新ABCDEF) is no plate.
const PLATE_DIGITS_MIN: usize = 2;

/// Whether a character begins a plate: the short names of the provinces (GA 36).
const fn is_province(character: char) -> bool {
    matches!(
        character,
        '京' | '津'
            | '沪'
            | '渝'
            | '冀'
            | '豫'
            | '云'
            | '辽'
            | '黑'
            | '湘'
            | '皖'
            | '鲁'
            | '新'
            | '苏'
            | '浙'
            | '赣'
            | '鄂'
            | '桂'
            | '甘'
            | '晋'
            | '蒙'
            | '陕'
            | '吉'
            | '闽'
            | '贵'
            | '粤'
            | '青'
            | '藏'
            | '川'
            | '宁'
            | '琼'
    )
}

/// Whether a text is worth a closer look. Most are not.
pub(super) fn may_be_in(text: &str) -> bool {
    let bytes = text.as_bytes();
    let after_province = |at: usize| text[..at].ends_with(is_province);
    let starts_plate = |at: usize| bytes[at].is_ascii_alphabetic() && after_province(at);
    let is_wide_letter = |at: usize| matches!(bytes[at..], [_, 0xbc, 0xa1..=0xba, ..] | [_, 0xbd, 0x81..=0x9a, ..]);
    // Most chunks of a text hold no letter at all, which is seen at once.
    let has_letter = |chunk: &[u8]| chunk.iter().fold(false, |found, byte| found | byte.is_ascii_alphabetic());
    let mut chunks = bytes.chunks(CHUNK_BYTES).enumerate().filter(|(_, chunk)| has_letter(chunk));
    chunks.any(|(n, chunk)| (n * CHUNK_BYTES..n * CHUNK_BYTES + chunk.len()).any(starts_plate))
        || memchr::memchr_iter(0xef, bytes).any(|at| is_wide_letter(at) && after_province(at))
        || memmem::find(bytes, PASSPORT.as_bytes()).is_some()
}

/// Numbers of passports and plates in a normalised text: the byte of each character.
pub(super) fn find(text: &str) -> Vec<Number> {
    let passports = text.match_indices(PASSPORT).filter_map(|(at, word)| passport_after(text, at + word.len()));
    let plates = text.char_indices().filter(|(_, c)| is_province(*c)).filter_map(|(at, c)| plate(text, at, c));
    let mut numbers: Vec<Number> = passports.chain(plates).collect();
    numbers.sort_by(|a, b| a.digits.cmp(&b.digits));
    numbers.dedup_by(|later, first| later.digits == first.digits);
    numbers
}

fn passport_after(text: &str, from: usize) -> Option<Number> {
    let near = text[from..].char_indices().take(PASSPORT_CHARS).take_while(|(_, c)| *c != '\n');
    let first = from + near.into_iter().find(|(_, c)| c.is_ascii_alphanumeric())?.0;
    let bytes = text.as_bytes();
    let run: usize = bytes[first..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let number = &bytes[first..first + run];
    let (letter, rest) = number.split_first()?;
    let (second, digits) = rest.split_first()?;
    let fits = run == PASSPORT_LENGTH
        && PASSPORT_LETTERS.contains(letter)
        && (second.is_ascii_digit() || *letter == b'e')
        && digits.iter().all(u8::is_ascii_digit);
    fits.then(|| Number { kind: PrivacyKind::Passport, digits: (first..first + run).collect() })
}

fn plate(text: &str, at: usize, province: char) -> Option<Number> {
    let bytes = text.as_bytes();
    let letter = at + province.len_utf8();
    bytes.get(letter).filter(|byte| byte.is_ascii_alphabetic())?;
    let after = &text[letter + 1..];
    let separator = after.chars().next().filter(|c| matches!(c, '·' | '•' | '.' | ' ' | '-')).map_or(0, char::len_utf8);
    let tail = letter + 1 + separator;
    let run = bytes[tail..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let n_digits = bytes[tail..tail + run].iter().filter(|byte| byte.is_ascii_digit()).count();
    // No plate has the letters I and O.
    let is_plate = PLATE_TAIL.contains(&run)
        && n_digits >= PLATE_DIGITS_MIN
        && !bytes[letter..tail + run].iter().any(|byte| matches!(byte, b'i' | b'o'))
        && !text[tail + run..].starts_with(['*', '-']);
    is_plate.then(|| Number {
        kind: PrivacyKind::Plate,
        digits: [at, letter].into_iter().chain(tail..tail + run).collect(),
    })
}
