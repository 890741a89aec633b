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
