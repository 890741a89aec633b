//! A compact character n-gram model: how usual is a character after the two before it?
//!
//! Counted from any text by [`Trainer`], kept as sorted arrays of packed numbers. Probabilities are interpolated from
//! trigram to bigram to single character with fixed pseudo-counts (Dirichlet smoothing, `MacKay` and Peto 1995).

use std::collections::HashMap;
use std::io::Read as _;

use crate::rules::wording::normalise::Normalised;
use crate::rules::wording::protected::is_han;

/// First bytes of a model file, with the version of its form.
const MAGIC: &[u8; 8] = b"duwanglm";
const FORM_VERSION: u32 = 1;
/// Largest model file, in bytes, unpacked.
const MODEL_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Level of zstd: the file is written once.
const COMPRESSION_LEVEL: i32 = 12;

/// Stands before the first and after the last character of a stretch of Han characters.
pub(super) const EDGE: char = '\u{2}';

/// Pseudo-counts with which the shorter context is mixed in.
const TRIGRAM_PSEUDO_COUNT: f64 = 5.0;
const BIGRAM_PSEUDO_COUNT: f64 = 30.0;
/// Every character is met a little, and so many kinds there are.
const CHARACTER_PSEUDO_COUNT: f64 = 0.1;
const N_CHARACTER_KINDS: f64 = 6000.0;

/// Bits that the count takes beside the characters in each table.
const SINGLE_BITS: u32 = 32;
const PAIR_BITS: u32 = 32;
const TRIPLE_BITS: u32 = 16;

/// Counts by key, each packed into one number: the key, then the count in the low `count_bits`, at most as large as they
/// hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Table {
    count_bits: u32,
    packed: Vec<u64>,
}

impl Table {
    fn new(counts: HashMap<u64, u64>, count_bits: u32, least: u64) -> Self {
        let count_max = (1 << count_bits) - 1;
        let counts = counts.into_iter().filter(|(_, count)| *count >= least);
        let mut packed: Vec<u64> = counts.map(|(key, count)| key << count_bits | count.min(count_max)).collect();
        packed.sort_unstable();
        Self { count_bits, packed }
    }

    fn count(&self, key: u64) -> u64 {
        let place = self.packed.partition_point(|packed| packed >> self.count_bits < key);
        let packed = self.packed.get(place).filter(|packed| **packed >> self.count_bits == key);
        packed.map_or(0, |packed| packed & ((1 << self.count_bits) - 1))
    }
}

/// Counts of characters, pairs and triples of Han characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LanguageModel {
    /// Characters of the text it was made from.
    n_chars: u64,
    /// Each ascending; a key holds 16 bits for each character.
    singles: Table,
    pairs: Table,
    triples: Table,
    digest: String,
}

/// A model file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    #[error("this is no language model of duwang; make one with `duwang wordlist train-lm`")]
    NotAModel,
    #[error("the model was written in form {0}, this program reads {FORM_VERSION}; train it anew")]
    OtherForm(u32),
    #[error("the model is damaged ({0}); train it anew")]
    Damaged(&'static str),
    #[error("the text holds no Han characters to learn from; give text files with Chinese prose")]
    Empty,
}

/// Counts n-grams text by text.
#[derive(Debug, Default)]
pub struct Trainer {
    n_chars: u64,
    singles: HashMap<u64, u64>,
    pairs: HashMap<u64, u64>,
    triples: HashMap<u64, u64>,
}

impl Trainer {
    /// Counts one text. What is not Han parts it into stretches.
    pub fn add(&mut self, text: &str) {
        let normalised = Normalised::new(text);
        for stretch in normalised.text().split(|c: char| !is_han(c)).filter(|stretch| !stretch.is_empty()) {
            let (mut before, mut last) = (EDGE, EDGE);
            for character in stretch.chars().chain(std::iter::once(EDGE)) {
                self.n_chars += 1;
                *self.singles.entry(key(&[character])).or_default() += 1;
                *self.pairs.entry(key(&[last, character])).or_default() += 1;
                *self.triples.entry(key(&[before, last, character])).or_default() += 1;
                (before, last) = (last, character);
            }
        }
    }

    /// The model. Triples met fewer than `triples_min` times are left out, which makes a large model small.
    pub fn finish(self, triples_min: u64) -> Result<LanguageModel, ModelError> {
        if self.n_chars == 0 {
            return Err(ModelError::Empty);
        }
        let mut model = LanguageModel {
            n_chars: self.n_chars,
            singles: Table::new(self.singles, SINGLE_BITS, 1),
            pairs: Table::new(self.pairs, PAIR_BITS, 1),
            triples: Table::new(self.triples, TRIPLE_BITS, triples_min),
            digest: String::new(),
        };
        model.digest = digest_of(&model.plain_bytes());
        Ok(model)
    }
}

impl LanguageModel {
    /// Twelve hex digits that change with the counts.
    pub fn version(&self) -> &str {
        &self.digest
    }

    /// How many characters it was made from, and how many pairs and triples it holds.
    pub fn size(&self) -> (u64, usize, usize) {
        (self.n_chars, self.pairs.packed.len(), self.triples.packed.len())
    }

    /// Whether two characters were met side by side.
    pub(super) fn knows_pair(&self, first: char, second: char) -> bool {
        self.pairs.count(key(&[first, second])) > 0
    }

    /// Natural logarithm of the probability of the characters from `from` on, each after the two before it; the first
    /// two of all are given.
    pub(super) fn log_probability(&self, chars: &[char], from: usize) -> f64 {
        (from.max(2)..chars.len()).map(|i| self.probability(chars[i - 2], chars[i - 1], chars[i]).ln()).sum()
    }

    fn probability(&self, before: char, last: char, character: char) -> f64 {
        let single = (float(self.singles.count(key(&[character]))) + CHARACTER_PSEUDO_COUNT)
            / (float(self.n_chars) + CHARACTER_PSEUDO_COUNT * N_CHARACTER_KINDS);
        let pair = (float(self.pairs.count(key(&[last, character]))) + BIGRAM_PSEUDO_COUNT * single)
            / (float(self.singles.count(key(&[last]))) + BIGRAM_PSEUDO_COUNT);
        (float(self.triples.count(key(&[before, last, character]))) + TRIGRAM_PSEUDO_COUNT * pair)
            / (float(self.pairs.count(key(&[before, last]))) + TRIGRAM_PSEUDO_COUNT)
    }

    fn plain_bytes(&self) -> Vec<u8> {
        let tables = [&self.singles, &self.pairs, &self.triples];
        let mut bytes = Vec::with_capacity(32 + tables.iter().map(|table| table.packed.len() * 8).sum::<usize>());
        bytes.extend_from_slice(&self.n_chars.to_le_bytes());
        for table in tables {
            bytes.extend_from_slice(&(table.packed.len() as u64).to_le_bytes());
            for packed in &table.packed {
                bytes.extend_from_slice(&packed.to_le_bytes());
            }
        }
        bytes
    }

    /// The bytes of a model file.
    pub fn to_bytes(&self) -> std::io::Result<Vec<u8>> {
        let mut file = MAGIC.to_vec();
        file.extend_from_slice(&FORM_VERSION.to_le_bytes());
        file.extend(zstd::encode_all(self.plain_bytes().as_slice(), COMPRESSION_LEVEL)?);
        Ok(file)
    }

    /// Reads a model file.
    pub fn from_bytes(file: &[u8]) -> Result<Self, ModelError> {
        let rest = file.strip_prefix(MAGIC).ok_or(ModelError::NotAModel)?;
        let (form, packed) = rest.split_first_chunk::<4>().ok_or(ModelError::Damaged("it ends in its head"))?;
        let form = u32::from_le_bytes(*form);
        if form != FORM_VERSION {
            return Err(ModelError::OtherForm(form));
        }
        let mut plain = Vec::new();
        zstd::stream::read::Decoder::new(packed)
            .and_then(|unpacked| unpacked.take(MODEL_BYTES_MAX).read_to_end(&mut plain))
            .map_err(|_| ModelError::Damaged("its content cannot be unpacked"))?;
        let mut reader = plain.as_slice();
        let mut number = || -> Result<u64, ModelError> {
            let (bytes, rest) = reader.split_first_chunk::<8>().ok_or(ModelError::Damaged("it ends too early"))?;
            reader = rest;
            Ok(u64::from_le_bytes(*bytes))
        };
        let n_chars = number()?;
        let mut table = |count_bits| -> Result<Table, ModelError> {
            let n_numbers = number()?;
            if n_numbers > (plain.len() / 8) as u64 {
                return Err(ModelError::Damaged("a table is longer than the file"));
            }
            let packed: Vec<u64> = (0..n_numbers).map(|_| number()).collect::<Result<_, _>>()?;
            if !packed.is_sorted() {
                return Err(ModelError::Damaged("a table is out of order"));
            }
            Ok(Table { count_bits, packed })
        };
        let (singles, pairs, triples) = (table(SINGLE_BITS)?, table(PAIR_BITS)?, table(TRIPLE_BITS)?);
        if !reader.is_empty() {
            return Err(ModelError::Damaged("something follows its last table"));
        }
        Ok(Self { n_chars, singles, pairs, triples, digest: digest_of(&plain) })
    }
}

fn digest_of(plain: &[u8]) -> String {
    crate::model::digest_bytes_hex([plain], 12)
}

/// Sixteen bits for each character; characters beyond the basic plane share a key.
fn key(chars: &[char]) -> u64 {
    chars.iter().fold(0, |key, character| key << 16 | u64::from(u16::try_from(u32::from(*character)).unwrap_or(0xffff)))
}

#[expect(clippy::cast_precision_loss, reason = "counts of characters are far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn trained(text: &str) -> LanguageModel {
        let mut trainer = Trainer::default();
        trainer.add(text);
        trainer.finish(1).unwrap()
    }

    #[test]
    fn what_was_read_often_is_likelier() {
        let model = trained("制定和修订法规，修订规划，修订办法");
        let likely = |text: &str| model.log_probability(&text.chars().collect::<Vec<_>>(), 2);
        assert!(likely("和修订") > likely("和修盯"));
    }

    #[test]
    fn a_text_without_han_characters_teaches_nothing() {
        let mut trainer = Trainer::default();
        trainer.add("2024 annual report");
        assert!(matches!(trainer.finish(1), Err(ModelError::Empty)));
    }

    #[test]
    fn broken_files_are_refused() {
        let file = trained("修订办法").to_bytes().unwrap();
        assert!(matches!(LanguageModel::from_bytes(b"PK"), Err(ModelError::NotAModel)));
        assert!(matches!(LanguageModel::from_bytes(&file[..10]), Err(ModelError::Damaged(_))));
        assert!(matches!(LanguageModel::from_bytes(&file[..file.len() - 3]), Err(ModelError::Damaged(_))));
        let mut other = file.clone();
        other[8] = 9;
        assert!(matches!(LanguageModel::from_bytes(&other), Err(ModelError::OtherForm(9))));
    }

    proptest! {
        #[test]
        fn a_model_survives_its_file(text in "[修订办法规划，。a]{1,80}") {
            let mut trainer = Trainer::default();
            trainer.add(&text);
            if let Ok(model) = trainer.finish(1) {
                prop_assert_eq!(LanguageModel::from_bytes(&model.to_bytes().unwrap()).unwrap(), model);
            }
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut file = MAGIC.to_vec();
            file.extend_from_slice(&FORM_VERSION.to_le_bytes());
            file.extend(zstd::encode_all(bytes.as_slice(), 1).unwrap());
            let _ = LanguageModel::from_bytes(&file);
        }
    }
}
