//! Messages → bodies and addresses of the chat robots and of webhooks. Pure: the instant is an argument.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use url::Url;

use super::text::{self, Measure};
use super::{NotDelivered, Reason, sign};
use crate::config::credentials::Credential;
use crate::config::notify::ChannelKind;
use crate::model::message::{Message, MessageKind};

/// Longest Markdown of WeCom, in bytes.
const WECOM_BYTES_MAX: usize = 4_096;
/// Longest body of DingTalk and Feishu, in bytes: both say 20 KB.
const BODY_BYTES_MAX: usize = 20_000;
/// Longest title of a card, in bytes.
const TITLE_BYTES_MAX: usize = 200;

/// One request to a robot.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Call {
    /// Holds the secret key: never shown.
    pub url: Url,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// The most that one message of this kind may hold, and how it is measured; `None`: whatever a message may hold.
pub(super) fn text_max(kind: ChannelKind) -> Option<(usize, Measure)> {
    match kind {
        ChannelKind::Wecom => Some((WECOM_BYTES_MAX, Measure::Bytes)),
        // What stands around the text takes some bytes too.
        ChannelKind::Dingtalk | ChannelKind::Feishu => Some((BODY_BYTES_MAX - 1_000, Measure::Json)),
        ChannelKind::Mail | ChannelKind::Webhook => None,
    }
}

/// The request that tells these messages. `notes` say what became of files, `key` names the delivery.
pub(super) fn call(
    kind: ChannelKind,
    credential: &Credential,
    messages: &[&Message],
    notes: &[String],
    key: &str,
    now: DateTime<Utc>,
) -> Result<Call, NotDelivered> {
    let url = address(kind, credential)?;
    match kind {
        ChannelKind::Wecom => Ok(post(url, &wecom(messages, notes))),
        ChannelKind::Dingtalk => {
            let timestamp = now.timestamp_millis();
            let mut url = url;
            url.query_pairs_mut()
                .append_pair("timestamp", &timestamp.to_string())
                .append_pair("sign", &sign::dingtalk(timestamp, secret(credential)?));
            Ok(post(url, &dingtalk(messages, notes)))
        }
        ChannelKind::Feishu => {
            let timestamp = now.timestamp();
            let sign = sign::feishu(timestamp, secret(credential)?);
            Ok(post(url, &feishu(messages, notes, timestamp, &sign)))
        }
        ChannelKind::Webhook | ChannelKind::Mail => {
            let timestamp = now.timestamp();
            let mut call = post(url, &webhook(messages, notes, key, now));
            let signature = sign::webhook(timestamp, &call.body, secret(credential)?);
            call.headers.push(("x-duwang-timestamp", timestamp.to_string()));
            call.headers.push(("x-duwang-signature", format!("sha256={signature}")));
            call.headers.push(("x-duwang-delivery", key.to_owned()));
            Ok(call)
        }
    }
}

/// Sends a file that WeCom has taken.
pub(super) fn wecom_file(credential: &Credential, media_id: &str) -> Result<Call, NotDelivered> {
    let body = json!({"msgtype": "file", "file": {"media_id": media_id}});
    Ok(post(address(ChannelKind::Wecom, credential)?, &body))
}

/// Where WeCom takes files: beside the address of the robot, with the same key.
pub(super) fn wecom_upload(credential: &Credential) -> Result<Url, NotDelivered> {
    let mut url = address(ChannelKind::Wecom, credential)?;
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop().push("upload_media");
    }
    url.query_pairs_mut().append_pair("type", "file");
    Ok(url)
}

fn post(url: Url, body: &Value) -> Call {
    Call { url, headers: Vec::new(), body: body.to_string().into_bytes() }
}

/// The credential's `url`, or the platform's own address with its `key`.
fn address(kind: ChannelKind, credential: &Credential) -> Result<Url, NotDelivered> {
    let usual = match kind {
        ChannelKind::Wecom => "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=",
        ChannelKind::Dingtalk => "https://oapi.dingtalk.com/robot/send?access_token=",
        ChannelKind::Feishu => "https://open.feishu.cn/open-apis/bot/v2/hook/",
        ChannelKind::Mail | ChannelKind::Webhook => "",
    };
    let missing = || NotDelivered::new(Reason::Refused, "the credential holds no `url` of the robot");
    let url = match (credential.get("url"), credential.get("key")) {
        (Some(url), _) => Url::parse(url),
        (None, Some(key)) if !usual.is_empty() => Url::parse(&format!("{usual}{key}")),
        _ => return Err(missing()),
    };
    let wrong = |words: &str| NotDelivered::new(Reason::Refused, format!("the `url` of the credential {words}"));
    let url = url.map_err(|_| wrong("is not an address"))?;
    let is_here = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_here => Ok(url),
        _ => Err(wrong("does not begin with https: its key would travel in the clear")),
    }
}

fn secret(credential: &Credential) -> Result<&str, NotDelivered> {
    let missing = || NotDelivered::new(Reason::Refused, "the credential holds no `secret` to sign with");
    credential.get("secret").ok_or_else(missing)
}

fn wecom(messages: &[&Message], notes: &[String]) -> Value {
    let content = text::cut(&text::markdown(messages, notes), WECOM_BYTES_MAX, Measure::Bytes);
    json!({"msgtype": "markdown", "markdown": {"content": content}})
}

fn dingtalk(messages: &[&Message], notes: &[String]) -> Value {
    let title = text::cut(&text::headline(messages), TITLE_BYTES_MAX, Measure::Json);
    // DingTalk joins lines that only one line break parts.
    let text = text::markdown(messages, notes).replace('\n', "\n\n");
    let body = |text: &str| json!({"msgtype": "markdown", "markdown": {"title": title, "text": text}});
    fitted(&text, body)
}

fn feishu(messages: &[&Message], notes: &[String], timestamp: i64, sign: &str) -> Value {
    let title = text::cut(&text::headline(messages), TITLE_BYTES_MAX, Measure::Json);
    let colour = match messages.iter().map(|message| message.kind).max_by_key(|kind| urgency(*kind)) {
        Some(MessageKind::Serious | MessageKind::Alarm) => "red",
        Some(MessageKind::Warning) => "orange",
        Some(MessageKind::Report) | None => "blue",
    };
    let body = |text: &str| {
        json!({
            "timestamp": timestamp.to_string(),
            "sign": sign,
            "msg_type": "interactive",
            "card": {
                "header": {"title": {"tag": "plain_text", "content": title}, "template": colour},
                "elements": [{"tag": "div", "text": {"tag": "lark_md", "content": text}}],
            },
        })
    };
    fitted(&text::markdown(messages, notes), body)
}

fn urgency(kind: MessageKind) -> u8 {
    match kind {
        MessageKind::Report => 0,
        MessageKind::Warning => 1,
        MessageKind::Alarm => 2,
        MessageKind::Serious => 3,
    }
}

/// The body with as much of the text as the platform takes.
fn fitted(text: &str, body: impl Fn(&str) -> Value) -> Value {
    let around = body("").to_string().len();
    body(&text::cut(text, BODY_BYTES_MAX.saturating_sub(around), Measure::Json))
}

fn webhook(messages: &[&Message], notes: &[String], key: &str, now: DateTime<Utc>) -> Value {
    let told = |message: &&Message| {
        let files: Vec<_> = message.files.iter().filter_map(|path| path.file_name()).collect();
        let files: Vec<_> = files.iter().map(|name| name.to_string_lossy()).collect();
        json!({
            "key": message.key, "kind": message.kind, "title": message.title, "lines": message.lines,
            "links": message.links, "files": files,
        })
    };
    let messages: Vec<Value> = messages.iter().map(told).collect();
    json!({"version": 1, "delivery": key, "sent_at": now, "messages": messages, "notes": notes})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long(n_lines: usize) -> Message {
        Message::new(MessageKind::Serious, "k", "标题\"\\".repeat(40))
            .with_lines((0..n_lines).map(|_| "严\"重".repeat(90)))
    }

    fn body_of(kind: ChannelKind, message: &Message) -> Vec<u8> {
        let credential = Credential::of(&[("key", "KEY-1"), ("url", "https://hook.example/x"), ("secret", "s")]);
        call(kind, &credential, &[message], &[], "d1", DateTime::UNIX_EPOCH).unwrap_or_else(|e| panic!("{e:?}")).body
    }

    #[test]
    fn no_body_is_longer_than_its_platform_takes() {
        for n_lines in [0, 1, 10, 400] {
            let message = long(n_lines);
            let wecom: Value = serde_json::from_slice(&body_of(ChannelKind::Wecom, &message)).unwrap();
            assert!(wecom["markdown"]["content"].as_str().unwrap().len() <= WECOM_BYTES_MAX);
            for kind in [ChannelKind::Dingtalk, ChannelKind::Feishu] {
                let body = body_of(kind, &message);
                assert!(body.len() <= BODY_BYTES_MAX, "{kind}: {}", body.len());
                assert!(n_lines < 400 || body.len() > BODY_BYTES_MAX - 4);
            }
        }
    }

    #[test]
    fn a_key_leads_to_the_platform_and_files_lie_beside() {
        let credential = Credential::of(&[("key", "KEY-1"), ("secret", "s")]);
        let url = |kind| address(kind, &credential).map_or_else(|e| e.detail, String::from);
        assert_eq!(url(ChannelKind::Wecom), "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=KEY-1");
        assert_eq!(url(ChannelKind::Feishu), "https://open.feishu.cn/open-apis/bot/v2/hook/KEY-1");
        assert!(url(ChannelKind::Webhook).contains("no `url`"));
        let upload = wecom_upload(&credential).map_or_else(|e| e.detail, String::from);
        assert_eq!(upload, "https://qyapi.weixin.qq.com/cgi-bin/webhook/upload_media?key=KEY-1&type=file");
        let clear = Credential::of(&[("url", "http://hook.example/KEY-1")]);
        let refused = address(ChannelKind::Webhook, &clear).unwrap_err();
        assert!(refused.detail.contains("https") && !refused.detail.contains("KEY-1"));
    }
}
