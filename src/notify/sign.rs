//! Signatures: HMAC-SHA256, in the three forms that channels want. Pure.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// DingTalk: the secret is the key, and the milliseconds with the secret the message.
pub(super) fn dingtalk(timestamp_ms: i64, secret: &str) -> String {
    BASE64_STANDARD.encode(mac(secret.as_bytes(), format!("{timestamp_ms}\n{secret}").as_bytes()))
}

/// Feishu: the seconds with the secret are the key, and the message is empty.
pub(super) fn feishu(timestamp_s: i64, secret: &str) -> String {
    BASE64_STANDARD.encode(mac(format!("{timestamp_s}\n{secret}").as_bytes(), b""))
}

/// The own form of webhooks: the seconds, a point and the body are signed; in hexadecimal.
pub(super) fn webhook(timestamp_s: i64, body: &[u8], secret: &str) -> String {
    let mut message = format!("{timestamp_s}.").into_bytes();
    message.extend_from_slice(body);
    let digits = mac(secret.as_bytes(), &message).into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signatures_are_those_of_openssl() {
        // printf '1700000000000\nSECabc' | openssl dgst -sha256 -hmac SECabc -binary | base64
        assert_eq!(dingtalk(1_700_000_000_000, "SECabc"), "jcUpW0QmtKduN03n4JqQ0PBosVjqnM8gU7fIIvsDmCM=");
        // python3: base64.b64encode(hmac.new(b'1700000000\nabc', b'', 'sha256').digest())
        assert_eq!(feishu(1_700_000_000, "abc"), "VIS10b0EBvzzSdFnuk4tznEmK5wHaruvf/WnViv2yR4=");
        // printf '1700000000.{}' | openssl dgst -sha256 -hmac abc
        assert_eq!(
            webhook(1_700_000_000, b"{}", "abc"),
            "dbc67ae9960503f659ed1b92a98629f8bca5b204512928da601353adba5b1f2e"
        );
    }
}
