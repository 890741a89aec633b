//! What each channel's server is told, byte for byte where a platform checks it.

use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use duwang::notify::route::About;
use sha2::{Digest as _, Sha256};

use super::*;
use crate::support::smtp::{Mood, SmtpServer};

/// HMAC-SHA256 as RFC 2104 writes it down, apart from the library that the program uses.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    assert!(key.len() <= 64);
    let pad = |byte: u8| -> Vec<u8> { (0..64).map(|at| key.get(at).copied().unwrap_or(0) ^ byte).collect() };
    let inner = Sha256::digest([pad(0x36).as_slice(), message].concat());
    Sha256::digest([pad(0x5c).as_slice(), inner.as_slice()].concat()).to_vec()
}

fn finding() -> Message {
    Message::new(MessageKind::Serious, "W-1", "州教育局：严重错误表述")
        .with_lines(["账号：云岭教育", "原文：<@all>布署"])
        .with_link("查看", "https://duwang.example/v/W-1")
}

/// The request that tells the finding.
async fn told(one: &One) -> SimRequest {
    let engine = one.at(friday());
    engine.announce(finding(), About::everything()).await.unwrap();
    assert_eq!(engine.deliver().await.unwrap().sent, 1);
    let mut requests = one.robot.take();
    assert_eq!(requests.len(), 1);
    requests.remove(0)
}

const TEXT: &str = "**【严重问题】州教育局：严重错误表述**\n> 账号：云岭教育\n> 原文：＜＠all＞布署\n[查看](https://duwang.example/v/W-1)";

#[tokio::test]
async fn wecom_is_told_in_markdown_under_its_key() {
    let request = told(&One::of("wecom").await).await;
    assert_eq!((request.path.as_str(), request.query("key")), ("/hook/send", SECRET));
    assert_eq!(request.body, json!({"msgtype": "markdown", "markdown": {"content": TEXT}}));
}

#[tokio::test]
async fn dingtalk_is_told_with_its_signature() {
    let request = told(&One::of("dingtalk").await).await;
    let timestamp = friday().timestamp_millis().to_string();
    assert_eq!(request.query("timestamp"), timestamp);
    let sign = BASE64_STANDARD.encode(hmac(SECRET.as_bytes(), format!("{timestamp}\n{SECRET}").as_bytes()));
    assert_eq!(request.query("sign"), sign);
    let title = "【严重问题】州教育局：严重错误表述";
    let markdown = json!({"title": title, "text": TEXT.replace('\n', "\n\n")});
    assert_eq!(request.body, json!({"msgtype": "markdown", "markdown": markdown}));
}

#[tokio::test]
async fn feishu_is_told_with_a_card_and_its_signature() {
    let request = told(&One::of("feishu").await).await;
    let timestamp = friday().timestamp().to_string();
    let sign = BASE64_STANDARD.encode(hmac(format!("{timestamp}\n{SECRET}").as_bytes(), b""));
    assert_eq!((&request.body["timestamp"], &request.body["sign"]), (&json!(timestamp), &json!(sign)));
    assert_eq!(request.body["msg_type"], "interactive");
    let card = &request.body["card"];
    assert_eq!(card["header"]["template"], "red");
    assert_eq!(card["elements"], json!([{"tag": "div", "text": {"tag": "lark_md", "content": TEXT}}]));
}

#[tokio::test]
async fn a_webhook_is_told_everything_and_can_check_who_tells() {
    let one = One::of("webhook").await;
    one.robot.answers(204, Value::Null);
    let request = told(&one).await;
    let timestamp = friday().timestamp().to_string();
    let signed = [timestamp.as_bytes(), b".", &request.bytes].concat();
    let digits = hmac(SECRET.as_bytes(), &signed).into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let hex: String = digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect();
    assert_eq!(request.header("x-duwang-signature"), format!("sha256={hex}"));
    assert_eq!(request.header("x-duwang-timestamp"), timestamp);
    assert_eq!(request.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(request.body["delivery"], request.header("x-duwang-delivery"));
    let message = &request.body["messages"][0];
    assert_eq!((&message["kind"], &message["key"]), (&json!("serious"), &json!("W-1")));
    assert_eq!(message["lines"][1], "原文：<@all>布署");
    assert_eq!(message["links"][0]["url"], "https://duwang.example/v/W-1");
}

#[tokio::test]
async fn an_answer_that_is_no_success_in_its_body_is_no_delivery() {
    for (kind, status, answer, words) in [
        ("wecom", 200, json!({"errcode": 93_000, "errmsg": "invalid webhook url"}), "93000 invalid webhook url"),
        ("wecom", 200, json!({"errcode": 40_008, "errmsg": "invalid message type"}), "40008"),
        (
            "dingtalk",
            200,
            json!({"errcode": 310_000, "errmsg": "sign not match"}),
            "310000 sign not match; check secret",
        ),
        ("feishu", 200, json!({"code": 9_499, "msg": "Bad Request"}), "9499"),
        ("feishu", 200, json!({"code": 19_021, "msg": "sign match fail"}), "clock of this machine"),
        ("feishu", 400, json!({"code": 19_022, "msg": "Ip Not Allowed"}), "19022 Ip Not Allowed; allow the address"),
        ("feishu", 200, json!({"code": 19_024, "msg": "Key Words Not Found"}), "keyword"),
        ("dingtalk", 200, json!("<html>"), "not that of a robot"),
        ("webhook", 403, json!({"ok": true}), "HTTP 403"),
        ("webhook", 302, json!({}), "HTTP 302"),
    ] {
        let one = One::of(kind).await;
        one.robot.answers(status, answer);
        announce(&one.at(friday()), ["a".to_owned()]).await;
        let summary = one.at(friday()).deliver().await.unwrap();
        assert_eq!((summary.sent, summary.failed), (0, 1), "{kind} {words}");
        let error = one.messages().await.remove(0).last_error.unwrap();
        assert!(error.contains(words) && !error.contains(SECRET), "{kind}: {error}");
    }
}

/// A weekly report of two files.
fn report(dir: &Path) -> Message {
    let files: Vec<PathBuf> = ["weekly.docx", "周报.xlsx"].iter().map(|name| dir.join(name)).collect();
    for file in &files {
        std::fs::write(file, b"PK\x03\x04 the report").unwrap();
    }
    Message::new(MessageKind::Report, "2026-11-19/0", "周报").with_lines(["未达标 3 个"]).with_files(files)
}

#[tokio::test]
async fn wecom_is_sent_the_files_of_a_report() {
    let one = One::of("wecom").await;
    let engine = one.at(friday());
    engine.announce(report(one.dir.path()), About::everything()).await.unwrap();
    assert_eq!(engine.deliver().await.unwrap().sent, 1);
    let requests = one.robot.take();
    let paths: Vec<&str> = requests.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(paths, ["/hook/upload_media", "/hook/upload_media", "/hook/send", "/hook/send", "/hook/send"]);
    let upload = &requests[0];
    assert_eq!((upload.query("key"), upload.query("type")), (SECRET, "file"));
    let form = String::from_utf8_lossy(&upload.bytes);
    assert!(form.contains("name=\"media\"; filename=\"weekly.docx\"") && form.contains("the report"), "{form}");
    assert!(requests[2].body["markdown"]["content"].as_str().unwrap().ends_with("附件：weekly.docx\n附件：周报.xlsx"));
    assert_eq!(requests[3].body, json!({"msgtype": "file", "file": {"media_id": "M-1"}}));
}

#[tokio::test]
async fn a_report_whose_file_is_gone_says_so_and_is_not_delivered() {
    let one = One::of("wecom").await;
    let message = report(one.dir.path());
    std::fs::remove_file(&message.files[0]).unwrap();
    one.at(friday()).announce(message, About::everything()).await.unwrap();
    assert_eq!(one.at(friday()).deliver().await.unwrap().failed, 1);
    assert!(one.robot.take().is_empty());
    let error = one.messages().await.remove(0).last_error.unwrap();
    assert!(error.starts_with("cannot read the file `weekly.docx`"), "{error}");
}

fn mail(server: &SmtpServer, tls: &str) -> TempDir {
    let notify = format!(
        "  channels:\n    - {{name: office, kind: mail, host: 127.0.0.1, port: {}, tls: {tls}, from: duwang@gov.example, \
         to: [office@gov.example, head@gov.example], credential: smtp}}\n  routes:\n    - {{what: [report, serious], to: [office]}}\n",
        server.address.port()
    );
    folder(&notify, &[("smtp", &format!("user: duwang\npassword: {SECRET}\n"))])
}

/// The body of a part that holds this header line.
fn part<'t>(text: &'t str, header: &str) -> &'t str {
    let at = text.find(header).unwrap_or_else(|| panic!("no {header} in:\n{text}"));
    let body = text[at..].split_once("\n\n").unwrap().1;
    body.split("\n--").next().unwrap()
}

fn base64(part: &str) -> Vec<u8> {
    BASE64_STANDARD.decode(part.split_whitespace().collect::<String>()).unwrap()
}

/// Quoted-printable, in which letters are readable and everything else is `=` and two digits.
fn quoted_printable(part: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = part.replace("=\n", "").into_bytes().into_iter();
    while let Some(byte) = rest.next() {
        if byte == b'=' {
            let digits: Vec<u8> = rest.by_ref().take(2).collect();
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn a_report_goes_by_mail_with_its_files() {
    let server = SmtpServer::start(Mood::Takes);
    let dir = mail(&server, "none");
    let database = sqlite().await;
    let engine = engine(dir.path(), &database.store, friday());
    engine.announce(report(dir.path()), About::everything()).await.unwrap();
    assert_eq!(engine.deliver().await.unwrap().sent, 1);
    let received = server.received().remove(0);
    assert!(received.from.starts_with("<duwang@gov.example>"), "{received:?}");
    assert_eq!(received.to, ["<office@gov.example>", "<head@gov.example>"]);
    let login = BASE64_STANDARD.encode(format!("\0duwang\0{SECRET}"));
    assert_eq!(received.auth, format!("AUTH PLAIN {login}"));
    let text = &received.text;
    assert!(text.contains(&format!("Subject: =?utf-8?b?{}?=", BASE64_STANDARD.encode("【报告】周报"))), "{text}");
    assert!(text.contains("Date: Fri, 20 Nov 2026 08:47:00 +0000"), "{text}");
    assert!(text.contains("Message-ID: <") && text.contains("@gov.example>"), "{text}");
    let letter = String::from_utf8(base64(part(text, "Content-Type: text/plain"))).unwrap();
    assert!(letter.contains("未达标 3 个") && letter.contains("附件：周报.xlsx"), "{letter}");
    let attached = part(text, "Content-Disposition: attachment; filename=\"weekly.docx\"");
    assert_eq!(quoted_printable(attached), "PK\x03\x04 the report");
    assert!(!text.contains(SECRET));
}

#[tokio::test]
async fn a_mail_server_that_refuses_is_quoted_without_the_password() {
    for (mood, words) in
        [(Mood::Busy, "try later"), (Mood::Refuses("no, S3CRET-0123456789 may not send"), "may not send")]
    {
        let server = SmtpServer::start(mood);
        let dir = mail(&server, "none");
        let database = sqlite().await;
        let engine = engine(dir.path(), &database.store, friday());
        announce(&engine, ["a".to_owned(), "b".to_owned()]).await;
        let summary = engine.deliver().await.unwrap();
        // A server that is busy is not asked twice.
        assert_eq!((summary.failed, summary.waiting), if mood == Mood::Busy { (1, 1) } else { (2, 0) });
        let stored = database.store.read().await.unwrap().messages(true, 10).await.unwrap();
        let error = stored.into_iter().find_map(|stored| stored.last_error).unwrap();
        assert!(error.contains(words) && !error.contains(SECRET), "{error}");
        assert!(server.received().is_empty());
    }
}

#[tokio::test]
async fn no_mail_and_no_password_travel_in_the_clear() {
    for tls in ["implicit", "starttls"] {
        let server = SmtpServer::start(Mood::Takes);
        let dir = mail(&server, tls);
        let database = sqlite().await;
        let engine = engine(dir.path(), &database.store, friday());
        announce(&engine, ["a".to_owned()]).await;
        assert_eq!(engine.deliver().await.unwrap().failed, 1, "{tls}");
        assert!(server.received().is_empty(), "{tls}");
        let heard = server.heard();
        assert!(heard.iter().all(|line| line.starts_with("EHLO") || line == "QUIT"), "{tls}: {heard:?}");
    }
}
