//! The word lists that are part of the program: the only place that names their files.

/// Name and text of each file of `wordlists/`; a test compares them with the folder.
pub const LISTS: &[(&str, &str)] = &[
    ("protected.tsv", include_str!("../../../wordlists/protected.tsv")),
    ("typos.tsv", include_str!("../../../wordlists/typos.tsv")),
];
