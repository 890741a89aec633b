//! The nouns of the house: plain data and the arithmetic on it.
//!
//! Pure: no IO, no async, no clock (`now` is an argument). Everything else in the crate may use this module; it uses
//! nothing of the crate. Start reading at [`account`] (who is watched), [`post`] (what was seen), [`coverage`] (what a
//! listing proves) and [`week`] (which span is judged).

pub mod account;
pub mod close;
pub mod coverage;
pub mod crawl;
pub mod decision;
pub mod interface;
pub mod link;
pub mod message;
pub mod post;
pub mod recheck;
pub mod rule;
pub mod verdict;
pub mod violation;
pub mod week;

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Declares a text id: a name given by the operator's files or derived from a natural key.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps an id that was checked where it entered (configuration or database).
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// Id of a unit (主办单位), given in `accounts.yaml`.
    UnitId
);
text_id!(
    /// Id of an account (账号), given in `accounts.yaml`.
    AccountId
);
text_id!(
    /// Id of a source (采集来源): account, kind and a digest of its address, so the same line is the same source.
    SourceId
);
text_id!(
    /// Id of a frequency rule (监管规则), given in `rules.yaml`.
    RuleId
);
text_id!(
    /// Id of an exemption (报备豁免), given in `exemptions.yaml`.
    ExemptionId
);
text_id!(
    /// Id of a violation (问题): derived from its natural key, so the same problem has the same id on every run.
    ViolationId
);

/// Database id of a stored post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct PostId(pub i64);

/// The first `n_chars` hex digits of the SHA-256 of `parts`, each part closed by a NUL so that no two splits collide.
pub fn digest_hex<'a>(parts: impl IntoIterator<Item = &'a str>, n_chars: usize) -> String {
    digest_bytes_hex(parts.into_iter().map(str::as_bytes), n_chars)
}

/// The same for bytes.
pub fn digest_bytes_hex<'a>(parts: impl IntoIterator<Item = &'a [u8]>, n_chars: usize) -> String {
    use std::fmt::Write as _;
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
        hasher.update([0]);
    }
    let mut hex = String::with_capacity(64);
    for byte in hasher.finalize() {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex.truncate(n_chars);
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_keeps_the_borders_of_its_parts() {
        assert_ne!(digest_hex(["ab", "c"], 64), digest_hex(["a", "bc"], 64));
        assert_eq!(digest_hex(["ab", "c"], 8).len(), 8);
    }
}
