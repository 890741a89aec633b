use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeEncrypt as _, KeyIvInit as _};
use proptest::prelude::*;

use super::*;

const TOKEN: &str = "linjiang2026";
/// The last character carries bits behind the last byte, as keys made at random do.
const AES_KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const APP_ID: &str = "wx0123456789abcdef";
const NOW: i64 = 1_795_161_600;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(NOW, 0).unwrap()
}

fn plain() -> Callback {
    Callback::new(TOKEN, None, APP_ID).unwrap()
}

fn safe() -> Callback {
    Callback::new(TOKEN, Some(AES_KEY), APP_ID).unwrap()
}

fn query(at: i64, extra: &[(&str, &str)]) -> String {
    let at = at.to_string();
    let signature = crypt::signature([TOKEN, &at, "n0nce"]);
    let pairs = [("signature", signature.as_str()), ("timestamp", &at), ("nonce", "n0nce"), ("openid", "o1")];
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).extend_pairs(extra).finish()
}

fn signed_query(encrypted: &str, extra: &[(&str, &str)]) -> String {
    let signature = crypt::signature([TOKEN, &NOW.to_string(), "n0nce", encrypted]);
    let of_message = [("encrypt_type", "aes"), ("msg_signature", signature.as_str())];
    query(NOW, &[&of_message, extra].concat())
}

/// Encrypts as WeChat does, from raw parts so that tests can break them.
fn encrypt_raw(mut message: Vec<u8>) -> String {
    let key = BASE64_STANDARD.decode("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFE=").unwrap();
    let n_padding = 32 - message.len() % 32;
    message.extend(std::iter::repeat_n(u8::try_from(n_padding).unwrap(), n_padding));
    let n = message.len();
    let cipher = cbc::Encryptor::<aes::Aes256>::new_from_slices(&key, &key[..16]).unwrap();
    BASE64_STANDARD.encode(cipher.encrypt_padded::<NoPadding>(&mut message, n).unwrap())
}

fn encrypt(text: &str, app_id: &str) -> String {
    let length = u32::try_from(text.len()).unwrap().to_be_bytes();
    encrypt_raw([b"0123456789abcdef".as_slice(), &length, text.as_bytes(), app_id.as_bytes()].concat())
}

fn envelope(encrypted: &str) -> String {
    format!("<xml><ToUserName><![CDATA[gh_1]]></ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>")
}

fn event(kind: &str, rest: &str) -> String {
    format!(
        "<xml>\n<ToUserName><![CDATA[gh_0123456789ab]]></ToUserName>\n<FromUserName><![CDATA[oA]]></FromUserName>\n\
         <CreateTime>1795161500</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[{kind}]]></Event>{rest}</xml>"
    )
}

fn mass_send(status: &str, articles: &str) -> String {
    let rest = format!(
        "<MsgID>1000001625</MsgID><Status><![CDATA[{status}]]></Status><TotalCount>9</TotalCount>\
         <CopyrightCheckResult><Count>1</Count><ResultList><item><ArticleIdx>1</ArticleIdx>\
         <OriginalArticleUrl><![CDATA[Url_1]]></OriginalArticleUrl></item></ResultList></CopyrightCheckResult>{articles}"
    );
    event("MASSSENDJOBFINISH", &rest)
}

const TWO_LINKS: &str = "<ArticleUrlResult><Count>2</Count><ResultList>\
    <item><ArticleIdx>1</ArticleIdx><ArticleUrl><![CDATA[http://mp.weixin.qq.com/s?__biz=MzA=&mid=22&idx=1&sn=a&chksm=b#rd]]></ArticleUrl></item>\
    <item><ArticleIdx>2</ArticleIdx><ArticleUrl>http://mp.weixin.qq.com/s?__biz=MzA=&amp;mid=22&amp;idx=2&amp;sn=c</ArticleUrl></item>\
    </ResultList></ArticleUrlResult>";

fn read(body: &str) -> Result<Event, Refusal> {
    plain().receive(&query(NOW, &[]), body.as_bytes(), now())
}

#[test]
fn a_finished_mass_send_gives_posts_without_title() {
    let event = read(&mass_send("send success", TWO_LINKS)).unwrap();
    assert_eq!(event.key().unwrap(), "gh_0123456789ab/masssend/1000001625");
    let drafts = event.drafts();
    let keys: Vec<&str> = drafts.iter().map(|post| post.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "https://mp.weixin.qq.com/s?__biz=MzA%3D&mid=22&idx=1&sn=a",
            "https://mp.weixin.qq.com/s?__biz=MzA%3D&mid=22&idx=2&sn=c",
        ]
    );
    let first = &drafts[0];
    assert_eq!((first.title.as_str(), first.push_key.as_deref()), ("", Some("MzA=/22")));
    assert_eq!(first.published_at.unwrap().timestamp(), 1_795_161_500);
    assert_eq!(first.text_state, crate::model::post::TextState::Missing);
}

#[test]
fn the_end_of_a_mass_send_is_told() {
    let result = |status: &str| match read(&mass_send(status, TWO_LINKS)).unwrap() {
        event @ Event { kind: EventKind::MassSend { .. }, .. } => {
            let n_drafts = event.drafts().len();
            let EventKind::MassSend { result, .. } = event.kind else { unreachable!() };
            (result, n_drafts)
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(result("send success"), (SendResult::Sent, 2));
    assert_eq!(result("send fail"), (SendResult::Failed, 0));
    assert_eq!(result("err(30003)"), (SendResult::Refused(30_003), 0));
    assert_eq!(result("later"), (SendResult::Unknown("later".to_owned()), 0));
}

#[test]
fn links_may_be_missing() {
    for articles in
        ["", "<ArticleUrlResult/>", "<ArticleUrlResult><Count>0</Count><ResultList></ResultList></ArticleUrlResult>"]
    {
        let event = read(&mass_send("send success", articles)).unwrap();
        assert!(event.drafts().is_empty() && event.key().is_some());
    }
    let wrong = TWO_LINKS.replace("mp.weixin.qq.com", "mp.example.cn");
    assert!(matches!(read(&mass_send("send success", &wrong)), Err(Refusal::Shape(_))));
}

#[test]
fn a_finished_publication_gives_posts() {
    let body = |status: &str| {
        event(
            "PUBLISHJOBFINISH",
            &format!(
                "<PublishEventInfo><publish_id>2247503051</publish_id><publish_status>{status}</publish_status>\
                 <article_id><![CDATA[b5O2OUs25HBxRceL7hfReg]]></article_id><article_detail><count>1</count><item>\
                 <idx>1</idx><article_url><![CDATA[http://mp.weixin.qq.com/s/AbCd]]></article_url></item></article_detail>\
                 </PublishEventInfo>"
            ),
        )
    };
    let done = read(&body("0")).unwrap();
    assert_eq!(done.key().unwrap(), "gh_0123456789ab/publish/2247503051");
    assert_eq!(done.drafts()[0].key, "https://mp.weixin.qq.com/s/AbCd");
    for (status, expected) in
        [("1", PublishResult::Running), ("4", PublishResult::Refused), ("9", PublishResult::Unknown)]
    {
        let other = read(&body(status)).unwrap();
        assert!(other.drafts().is_empty());
        assert!(matches!(other.kind, EventKind::Publish { result, .. } if result == expected));
    }
}

#[test]
fn other_messages_are_nothing_to_do() {
    let message = "<xml><ToUserName>gh_1</ToUserName><CreateTime>1795161500</CreateTime><MsgType>text</MsgType>\
                   <Content>MASSSENDJOBFINISH</Content></xml>";
    for body in [message.to_owned(), event("subscribe", ""), event("CLICK", "<EventKey/>")] {
        let event = read(&body).unwrap();
        assert_eq!((event.kind.clone(), event.key(), event.drafts().len()), (EventKind::Other, None, 0));
    }
}

#[test]
fn what_is_no_event_is_refused() {
    let bodies = [
        "",
        "x",
        "<xml>",
        "<xml></xml>",
        "<xml/>",
        "<xml><ToUserName>gh_1</ToUserName></xml>",
        "<!DOCTYPE x [<!ENTITY a \"b\">]><xml>&a;</xml>",
        "<xml>&a;</xml>",
        "<a></b>",
    ];
    for body in bodies {
        let refusal = read(body).unwrap_err();
        assert!(matches!(refusal, Refusal::Shape(_)) && refusal.status() == 400, "{body}: {refusal}");
    }
    assert!(read(&"<a>".repeat(40)).is_err());
    assert!(read(&format!("<xml>{}</xml>", "<a></a>".repeat(3_000))).is_err());
    let refusal = plain().receive(&query(NOW, &[]), &vec![b'x'; BODY_BYTES_MAX + 1], now()).unwrap_err();
    assert_eq!((refusal.clone(), refusal.status()), (Refusal::LargeBody, 400));
    let encrypted = envelope(&encrypt("<xml></xml>", APP_ID));
    assert_eq!(read(&encrypted).unwrap_err(), Refusal::NoKey);
}

#[test]
fn the_address_is_verified_by_an_echo() {
    let callback = plain();
    assert_eq!(callback.verify(&query(NOW, &[("echostr", "58723")]), now()).unwrap(), "58723");
    assert_eq!(callback.verify(&query(NOW, &[]), now()).unwrap_err(), Refusal::Missing("echostr"));
    let forged = query(NOW, &[("echostr", "58723")]).replace("nonce=n0nce", "nonce=other");
    let refusal = callback.verify(&forged, now()).unwrap_err();
    assert_eq!((refusal.clone(), refusal.status()), (Refusal::Signature, 403));
    assert_eq!(callback.verify("", now()).unwrap_err(), Refusal::Missing("timestamp"));
    assert_eq!(callback.verify("timestamp=x", now()).unwrap_err(), Refusal::Timestamp);

    let encrypted = encrypt("58723", APP_ID);
    let echo = signed_query(&encrypted, &[("echostr", &encrypted)]);
    assert_eq!(safe().verify(&echo, now()).unwrap(), "58723");
    assert_eq!(plain().verify(&echo, now()).unwrap_err(), Refusal::NoKey);
    // The safe mode of public accounts asks in plain words, too.
    assert_eq!(safe().verify(&query(NOW, &[("echostr", "58723")]), now()).unwrap(), "58723");
}

/// Made with `openssl enc -aes-256-cbc -nopad` and `sha1sum`; 29 bytes of padding, more than a block of the cipher.
const MADE_ELSEWHERE: &str = "Q3stYC6hdFzMh9T8HCvyDLPQmxx9LzgP8osgHwDXFxqaAKeykV17J58PPfC6cr8zlDhFKVYCP018KYX0bBV82K1AGXF3a1aigOBj\
     TNHh+IIOAeOAxszSJ/G0vjxUw2Yc22it7eOk18bh7sR8WyT4XM2YeaM9V2miME+feVyeqimycbL9/cPEPABJVkQ6NgW3aL5z9SNR\
     fExyRtydZ0/zc8q4/Ccn+aMeF8nZmNXzfo8GFbtNrboVKquMJMiR0Ysc+S57QRZZgZSAK7QSBetb/caQzhyIqlLQfANfZK4ZmzVx\
     teje2VPksuAKx0lUyNpGng8kIxtDGL6A7IV6CI6flQ==";

#[test]
fn a_message_made_elsewhere_is_read() {
    let query = "msg_signature=8df471054f09c60a8de03bd3533453492d484847&timestamp=1795161600&nonce=n0nce";
    let event = safe().receive(query, envelope(MADE_ELSEWHERE).as_bytes(), now()).unwrap();
    assert_eq!(event.key().unwrap(), "gh_1/masssend/10000000000000007");
    let query = "signature=75fa34b42ed08c2fd663542e38f1ce9f50bba64b&timestamp=1795161600&nonce=n0nce&echostr=7";
    assert_eq!(plain().verify(query, now()).unwrap(), "7");
}

#[test]
fn a_signature_is_the_digest_of_the_sorted_parts() {
    // The parts are sorted, and the digest is that of FIPS 180.
    assert_eq!(crypt::signature(["token", "1795161600", "abc"]), crypt::signature(["abc", "token", "1795161600"]));
    assert_eq!(crypt::signature(["abc"]), "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert!(
        !crypt::is_signature("", ["abc"]) && !crypt::is_signature("A9993E364706816ABA3E25717850C26C9CD0D89D", ["abc"])
    );
}

#[test]
fn requests_of_another_time_are_refused() {
    let at = |at: i64| plain().receive(&query(at, &[]), mass_send("send success", "").as_bytes(), now());
    assert!(at(NOW - 300).is_ok() && at(NOW + 300).is_ok());
    for stale in [NOW - 301, NOW + 301, 0] {
        let refusal = at(stale).unwrap_err();
        assert_eq!((refusal.clone(), refusal.status()), (Refusal::Stale, 403));
    }
    assert_eq!(at(i64::MAX).unwrap_err(), Refusal::Timestamp);
}

#[test]
fn an_encrypted_event_is_read() {
    let encrypted = encrypt(&mass_send("send success", TWO_LINKS), APP_ID);
    let receive = |query: &str, body: &str| safe().receive(query, body.as_bytes(), now());
    let event = receive(&signed_query(&encrypted, &[]), &envelope(&encrypted)).unwrap();
    assert_eq!(event.drafts().len(), 2);

    let refusal = receive(&query(NOW, &[]), &mass_send("send success", TWO_LINKS)).unwrap_err();
    assert_eq!((refusal.clone(), refusal.status()), (Refusal::NotEncrypted, 403));
    let refusal = receive(&query(NOW, &[]), &envelope(&encrypted)).unwrap_err();
    assert_eq!(refusal, Refusal::Missing("msg_signature"));
    let other = encrypt("<xml></xml>", APP_ID);
    assert_eq!(receive(&signed_query(&other, &[]), &envelope(&encrypted)).unwrap_err(), Refusal::Signature);
    let foreign = encrypt(&mass_send("send success", TWO_LINKS), "wxother");
    let refusal = receive(&signed_query(&foreign, &[]), &envelope(&foreign)).unwrap_err();
    assert_eq!((refusal.clone(), refusal.status()), (Refusal::AppId, 403));
}

#[test]
fn a_message_that_cannot_be_decrypted_is_refused() {
    let long = [b"0123456789abcdef".as_slice(), &u32::MAX.to_be_bytes(), b"x"].concat();
    let cases = [
        "!".to_owned(),
        String::from("AAAA"),
        BASE64_STANDARD.encode([7; 32]),
        encrypt_raw(b"short".to_vec()),
        encrypt_raw(long),
    ];
    for encrypted in cases {
        let refusal =
            safe().receive(&signed_query(&encrypted, &[]), envelope(&encrypted).as_bytes(), now()).unwrap_err();
        assert_eq!((refusal.clone(), refusal.status()), (Refusal::Undecryptable, 400), "{encrypted}");
    }
}

#[test]
fn wrong_registered_values_are_named() {
    let new = |token: &str, key: Option<&str>, app_id: &str| Callback::new(token, key, app_id).map(drop);
    assert_eq!(new("ab", None, APP_ID), Err(CallbackError::Token));
    assert_eq!(new("a b c", None, APP_ID), Err(CallbackError::Token));
    assert_eq!(new(TOKEN, Some("short"), APP_ID), Err(CallbackError::Key));
    assert_eq!(new(TOKEN, Some(&AES_KEY.replace('a', "=")), APP_ID), Err(CallbackError::Key));
    assert_eq!(new(TOKEN, Some(AES_KEY), ""), Err(CallbackError::AppId));
    let shown = format!("{:?}", safe());
    assert!(!shown.contains(TOKEN) && !shown.contains("69, 183"), "{shown}");
}

proptest! {
    #[test]
    fn no_request_panics(query in "\\PC{0,80}", body in prop::collection::vec(any::<u8>(), 0..80)) {
        for callback in [plain(), safe()] {
            let _ = callback.verify(&query, now());
            let _ = callback.receive(&query, &body, now());
        }
    }

    #[test]
    fn no_signed_message_panics(bytes in prop::collection::vec(any::<u8>(), 0..100), text in "(<[a-z/!]{0,8}>?|[a-z&;#]{0,4}){0,12}") {
        let _ = read(&text);
        for encrypted in [encrypt_raw(bytes.clone()), BASE64_STANDARD.encode(&bytes), encrypt(&text, APP_ID)] {
            let _ = safe().receive(&signed_query(&encrypted, &[]), envelope(&encrypted).as_bytes(), now());
        }
    }

    #[test]
    fn what_was_encrypted_is_decrypted(text in "\\PC{1,200}") {
        let encrypted = encrypt(&text, APP_ID);
        prop_assert_eq!(safe().verify(&signed_query(&encrypted, &[("echostr", &encrypted)]), now()).unwrap(), text);
    }
}
