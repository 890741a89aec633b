//! The word lists that are part of the program: the only place that names their files.

/// Name and text of each file of `wordlists/`; a test compares them with the folder.
pub const LISTS: &[(&str, &str)] = &[
    ("collocations.tsv", include_str!("../../../wordlists/collocations.tsv")),
    ("official.tsv", include_str!("../../../wordlists/official.tsv")),
    ("protected.tsv", include_str!("../../../wordlists/protected.tsv")),
    ("sensitive.tsv", include_str!("../../../wordlists/sensitive.tsv")),
    ("typos.tsv", include_str!("../../../wordlists/typos.tsv")),
    ("variants.tsv", include_str!("../../../wordlists/variants.tsv")),
];

/// Words of present-day official Chinese that the dictionary of the segmenter lacks.
const LEXICON: &str = include_str!("../../../wordlists/lexicon.txt");

/// How often words of each weight stand in jieba's corpus of 60 million words: rare, ordinary, very frequent.
const FREQUENCIES: [usize; 3] = [20, 200, 2_000];

/// The words of the lexicon with the frequency they are given in the dictionary.
pub(super) fn lexicon() -> impl Iterator<Item = (&'static str, usize)> {
    LEXICON.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let (word, weight) = line.split_once('\t')?;
        let frequency = *FREQUENCIES.get(weight.parse::<usize>().ok()?.checked_sub(1)?)?;
        Some((word, frequency))
    })
}
