//! Signatures and encryption of WeChat's callback messages.
//!
//! A message is AES-256-CBC of 16 random bytes, the length of the text in four bytes, the text, and the `AppID`, padded to
//! blocks of 32 bytes; the vector is the first half of the key. It carries no authentication of its own: it must be
//! decrypted only after its signature was found good.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeDecrypt as _, KeyIvInit as _};
use secrecy::zeroize::Zeroizing;
use sha1::{Digest as _, Sha1};
use subtle::ConstantTimeEq as _;

use super::Refusal;

/// Characters of an `EncodingAESKey`: base64 of the key, without the `=` at its end.
const KEY_CHARS: usize = 43;
const KEY_BYTES: usize = 32;
const VECTOR_BYTES: usize = 16;
/// Padding goes up to this, not to the 16 of the cipher.
const PADDING_MAX: usize = 32;
const RANDOM_BYTES: usize = 16;
const LENGTH_BYTES: usize = 4;
/// Keys made at random may have bits behind the last byte.
const KEY_BASE64: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// The key of the safe mode.
pub(super) struct MessageKey(Zeroizing<[u8; KEY_BYTES]>);

impl std::fmt::Debug for MessageKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MessageKey(…)")
    }
}

impl MessageKey {
    /// Out of an `EncodingAESKey`.
    pub fn new(encoded: &str) -> Option<Self> {
        if encoded.len() != KEY_CHARS || !encoded.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        let bytes = Zeroizing::new(KEY_BASE64.decode(format!("{encoded}=")).ok()?);
        Some(Self(Zeroizing::new(bytes.as_slice().try_into().ok()?)))
    }

    /// The text of a message whose signature is good.
    pub fn decrypt(&self, encrypted: &str, app_id: &str) -> Result<String, Refusal> {
        let mut bytes = BASE64_STANDARD.decode(encrypted.trim()).map_err(|_| Refusal::Undecryptable)?;
        let (text, for_app) = self.open(&mut bytes).ok_or(Refusal::Undecryptable)?;
        if for_app.ct_eq(app_id.as_bytes()).into() { Ok(text) } else { Err(Refusal::AppId) }
    }

    /// Text and `AppID` of a message.
    fn open<'b>(&self, bytes: &'b mut [u8]) -> Option<(String, &'b [u8])> {
        let vector = self.0.get(..VECTOR_BYTES)?;
        let cipher = cbc::Decryptor::<aes::Aes256>::new_from_slices(self.0.as_slice(), vector).ok()?;
        let plain = cipher.decrypt_padded::<NoPadding>(bytes).ok()?;
        let n_padding = usize::from(*plain.last()?);
        if !(1..=PADDING_MAX).contains(&n_padding) {
            return None;
        }
        let (message, padding) = plain.split_at_checked(plain.len().checked_sub(n_padding)?)?;
        if padding.iter().any(|byte| usize::from(*byte) != n_padding) {
            return None;
        }
        let (length, rest) = message.get(RANDOM_BYTES..)?.split_at_checked(LENGTH_BYTES)?;
        let length = u32::from_be_bytes(length.try_into().ok()?);
        let (text, app_id) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        Some((String::from_utf8(text.to_vec()).ok()?, app_id))
    }
}

/// Whether a signature is that of these parts: SHA-1 in hexadecimal of the parts, sorted and joined. Takes the same time
/// wherever they differ.
pub(super) fn is_signature<'a>(claimed: &str, parts: impl IntoIterator<Item = &'a str>) -> bool {
    signature(parts).as_bytes().ct_eq(claimed.as_bytes()).into()
}

pub(super) fn signature<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut parts: Vec<&str> = parts.into_iter().collect();
    parts.sort_unstable();
    let mut hasher = Sha1::new();
    for part in parts {
        hasher.update(part.as_bytes());
    }
    hasher
        .finalize()
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|n| char::from_digit(n.into(), 16))
        .collect()
}
