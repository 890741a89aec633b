//! The word lists that are part of the program: the only place that names their files.

/// Name and text of each list under `wordlists/`; a test compares them with the folder.
pub const LISTS: &[(&str, &str)] = &[
    ("collocations.tsv", include_str!("../../../wordlists/collocations.tsv")),
    ("forms.tsv", include_str!("../../../wordlists/forms.tsv")),
    ("idioms.tsv", include_str!("../../../wordlists/idioms.tsv")),
    ("leaders.tsv", include_str!("../../../wordlists/leaders.tsv")),
    ("news.tsv", include_str!("../../../wordlists/news.tsv")),
    ("official.tsv", include_str!("../../../wordlists/official.tsv")),
    ("officialese.tsv", include_str!("../../../wordlists/officialese.tsv")),
    ("places.tsv", include_str!("../../../wordlists/places.tsv")),
    ("protected/countries.tsv", include_str!("../../../wordlists/protected/countries.tsv")),
    ("protected/gansu.tsv", include_str!("../../../wordlists/protected/gansu.tsv")),
    ("protected/institutions.tsv", include_str!("../../../wordlists/protected/institutions.tsv")),
    ("protected/laws.tsv", include_str!("../../../wordlists/protected/laws.tsv")),
    ("protected/slogans.tsv", include_str!("../../../wordlists/protected/slogans.tsv")),
    ("protected/terms.tsv", include_str!("../../../wordlists/protected/terms.tsv")),
    ("published.tsv", include_str!("../../../wordlists/published.tsv")),
    ("sensitive.tsv", include_str!("../../../wordlists/sensitive.tsv")),
    ("style.tsv", include_str!("../../../wordlists/style.tsv")),
    ("typos.tsv", include_str!("../../../wordlists/typos.tsv")),
    ("usage.tsv", include_str!("../../../wordlists/usage.tsv")),
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

/// Groups of characters that look alike.
const LOOKALIKES: &str = include_str!("../../../wordlists/lookalikes.txt");

/// Groups of characters that look alike (形近字).
pub(super) fn lookalikes() -> impl Iterator<Item = &'static str> {
    LOOKALIKES.lines().map(str::trim).filter(|line| !line.starts_with('#') && !line.is_empty())
}
