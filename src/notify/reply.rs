//! What a robot answered: its platform says in the body whether the message arrived; HTTP 200 alone says nothing. Pure.

use std::time::Duration;

use serde_json::Value;

use super::{NotDelivered, Reason};
use crate::config::notify::ChannelKind;
use crate::model::message::one_line;

/// Longest word of a platform that is shown, in characters.
const DETAIL_CHARS_MAX: usize = 160;
/// How long a platform that was asked too often is left alone: DingTalk is silent for ten minutes.
const MUTED: Duration = Duration::from_mins(10);

/// Whether the answer says that the message was delivered.
pub(super) fn check(kind: ChannelKind, status: u16, body: &[u8]) -> Result<(), NotDelivered> {
    if status == 429 {
        return Err(NotDelivered::paused(MUTED, "HTTP 429: too many requests"));
    }
    if kind == ChannelKind::Webhook {
        return if (200..300).contains(&status) { Ok(()) } else { Err(of_status(status)) };
    }
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    // Feishu's old robots answer `StatusCode`.
    let code = ["errcode", "code", "StatusCode"].iter().find_map(|key| answer.get(key).and_then(Value::as_i64));
    match code {
        Some(0) if (200..300).contains(&status) => Ok(()),
        Some(code) if code != 0 => {
            let words = ["errmsg", "msg", "StatusMessage"];
            let words = words.iter().find_map(|key| answer.get(key).and_then(Value::as_str)).unwrap_or_default();
            Err(of_code(kind, code, &one_line(words, DETAIL_CHARS_MAX)))
        }
        _ if !(200..300).contains(&status) => Err(of_status(status)),
        _ => Err(NotDelivered::new(Reason::Refused, "the answer is not that of a robot; check the address")),
    }
}

fn of_status(status: u16) -> NotDelivered {
    let reason = if status >= 500 { Reason::Unreachable } else { Reason::Refused };
    NotDelivered::new(reason, format!("HTTP {status}"))
}

/// Every code but 0 is a message that did not arrive; those that operators meet are told what to do.
fn of_code(kind: ChannelKind, code: i64, words: &str) -> NotDelivered {
    let told = format!("{code} {words}");
    let advice = match (kind, code) {
        (ChannelKind::Wecom, 45_009) | (ChannelKind::Dingtalk, 130_101) | (ChannelKind::Feishu, 11_232) => {
            return NotDelivered::paused(MUTED, told);
        }
        (ChannelKind::Wecom, 93_000) => "the robot is gone or its key is wrong",
        (ChannelKind::Dingtalk, 310_000) => "check secret, keywords and allowed addresses of the robot",
        (ChannelKind::Feishu, 9_499) => "the platform cannot read the message",
        (ChannelKind::Feishu, 19_021) => "check the robot's secret and the clock of this machine",
        (ChannelKind::Feishu, 19_022) => "allow the address of this machine in the robot's settings",
        (ChannelKind::Feishu, 19_024) => "the robot asks for a keyword: remove it and sign instead",
        _ => return NotDelivered::new(Reason::Refused, told),
    };
    NotDelivered::new(Reason::Refused, format!("{told}; {advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::notify::ChannelKind::{Dingtalk, Feishu, Webhook, Wecom};

    #[test]
    fn only_a_zero_in_the_body_is_a_delivery() {
        let check = |kind, status, body: &str, expected: Option<(Reason, &str)>| {
            let found = check(kind, status, body.as_bytes()).err();
            match (&found, expected) {
                (None, None) => {}
                (Some(found), Some((reason, words))) => {
                    assert!(found.reason == reason && found.detail.contains(words), "{body}: {found:?}");
                }
                _ => panic!("{body}: {found:?}"),
            }
        };
        check(Wecom, 200, r#"{"errcode":0,"errmsg":"ok"}"#, None);
        let muted = Reason::Paused(MUTED);
        check(Wecom, 200, r#"{"errcode":45009,"errmsg":"api freq out of limit"}"#, Some((muted, "45009 api freq")));
        check(Wecom, 200, r#"{"errcode":93000,"errmsg":"invalid"}"#, Some((Reason::Refused, "key is wrong")));
        check(Dingtalk, 200, r#"{"errcode":0,"errmsg":"ok"}"#, None);
        check(Dingtalk, 200, r#"{"errcode":130101,"errmsg":"send too fast"}"#, Some((muted, "130101")));
        check(Dingtalk, 200, r#"{"errcode":310000,"errmsg":"sign not match"}"#, Some((Reason::Refused, "secret")));
        check(Feishu, 200, r#"{"code":0,"msg":"success","data":{}}"#, None);
        check(Feishu, 200, r#"{"StatusCode":0,"StatusMessage":"success"}"#, None);
        check(Feishu, 200, r#"{"code":11232,"msg":"frequency limited"}"#, Some((muted, "11232")));
        check(Feishu, 200, r#"{"code":9499,"msg":"Bad Request"}"#, Some((Reason::Refused, "cannot read")));
        check(
            Feishu,
            200,
            r#"{"code":19022,"msg":"Ip Not Allowed"}"#,
            Some((Reason::Refused, "address of this machine")),
        );
        check(Feishu, 400, r#"{"code":19024,"msg":"Key Words Not Found"}"#, Some((Reason::Refused, "keyword")));
        check(Wecom, 200, "<html>login</html>", Some((Reason::Refused, "not that of a robot")));
        check(Wecom, 200, "", Some((Reason::Refused, "not that of a robot")));
        check(Wecom, 502, r#"{"errcode":0}"#, Some((Reason::Unreachable, "502")));
        check(Webhook, 204, "", None);
        check(Webhook, 401, "", Some((Reason::Refused, "401")));
        check(Webhook, 503, "", Some((Reason::Unreachable, "503")));
        check(Webhook, 429, "", Some((muted, "429")));
    }
}
