//! Messages on their way: routed, stored, sent, refused, merged and given up, against servers on loopback that answer as
//! the platforms do.

mod channels;

use std::path::Path;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use duwang::clock::Clock;
use duwang::engine::Engine;
use duwang::model::message::{Message, MessageKind};
use duwang::model::{AccountId, UnitId};
use duwang::notify::plan::{ATTEMPTS_MAX, PER_MINUTE_MAX};
use duwang::notify::route::About;
use duwang::rules::wording::Checker;
use duwang::simulator::interfaces::{SimAnswer, SimRequest};
use duwang::simulator::server::{DynamicServer, Wire};
use duwang::store::Store;
use duwang::store::outbox::{Delivery, StoredMessage};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::database::{Sqlite, on_both_databases, sqlite};
use crate::support::simulated::{run, stderr, stdout};

on_both_databases!(two_nodes_tell_each_message_once);

/// What stands in every credential of these tests, and must stand nowhere else.
const SECRET: &str = "S3CRET-0123456789";

const REGISTRY: &str = "\
units:
  - {id: jyj, name: 州教育局, level: prefecture, region: 云岭州}
  - {id: wsj, name: 县卫生局, level: county, region: 青石县}
accounts:
  - {id: jyj-wb, name: 云岭教育, unit: jyj, kind: weibo}
  - {id: wsj-wb, name: 青石卫生, unit: wsj, kind: weibo}
";

/// Friday 16:47 in Shanghai.
fn friday() -> DateTime<Utc> {
    "2026-11-20T08:47:00Z".parse().unwrap()
}

/// A robot on loopback that keeps what it was told, and answers what a test wants.
struct Robot {
    server: DynamicServer,
    told: Arc<Mutex<Vec<SimRequest>>>,
    answer: Arc<Mutex<(u16, Value)>>,
}

impl Robot {
    fn start() -> Self {
        let told = Arc::new(Mutex::new(Vec::new()));
        let answer = Arc::new(Mutex::new((200, json!({"errcode": 0, "errmsg": "ok", "code": 0, "media_id": "M-1"}))));
        let (kept, answers) = (Arc::clone(&told), Arc::clone(&answer));
        let server = DynamicServer::serve(Arc::new(move |request| {
            kept.lock().unwrap().push(request);
            let (status, body) = answers.lock().unwrap().clone();
            (SimAnswer::with_status(status, &body), Wire::Whole)
        }))
        .unwrap();
        Self { server, told, answer }
    }

    fn answers(&self, status: u16, body: Value) {
        *self.answer.lock().unwrap() = (status, body);
    }

    /// What it was told since it was asked last.
    fn take(&self) -> Vec<SimRequest> {
        std::mem::take(&mut *self.told.lock().unwrap())
    }

    /// The address with a secret in it, as a credential holds it.
    fn credential(&self) -> String {
        format!("url: http://{}/hook/send?key={SECRET}\nsecret: {SECRET}\n", self.server.address())
    }
}

/// A configuration folder with these channels and routes.
fn folder(notify: &str, credentials: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    std::fs::create_dir(dir.path().join("credentials")).unwrap();
    write("duwang.yaml", &format!("crawl: {{timeout: 5s}}\nnotify:\n{notify}"));
    write("accounts.yaml", REGISTRY);
    write("rules.yaml", "rules: []\n");
    for (name, text) in credentials {
        write(&format!("credentials/{name}"), text);
    }
    dir
}

fn engine(dir: &Path, store: &Store, now: DateTime<Utc>) -> Engine {
    let config = duwang::config::load(dir).unwrap_or_else(|errors| panic!("{errors}"));
    Engine::new(Arc::new(config), store.clone(), Arc::new(Checker::built_in().unwrap()), Clock::Fixed(now)).unwrap()
}

/// One channel that takes everything.
struct One {
    dir: TempDir,
    robot: Robot,
    database: Sqlite,
    engine: Engine,
}

impl One {
    async fn of(kind: &str) -> Self {
        let robot = Robot::start();
        let notify = format!(
            "  channels:\n    - {{name: office, kind: {kind}, credential: robot}}\n  \
             routes:\n    - {{what: [warning, serious, report, alarm], to: [office]}}\n"
        );
        let dir = folder(&notify, &[("robot", &robot.credential())]);
        let database = sqlite().await;
        let engine = engine(dir.path(), &database.store, friday());
        Self { dir, robot, database, engine }
    }

    fn at(&self, now: DateTime<Utc>) -> Engine {
        Engine { clock: Clock::Fixed(now), ..self.engine.clone() }
    }

    async fn messages(&self) -> Vec<StoredMessage> {
        self.database.store.read().await.unwrap().messages(false, 1_000).await.unwrap()
    }
}

fn message(key: &str) -> Message {
    Message::new(MessageKind::Serious, key, format!("问题 {key}")).with_lines(["出现错误表述"])
}

async fn announce(engine: &Engine, keys: impl IntoIterator<Item = String>) {
    for key in keys {
        engine.announce(message(&key), About::everything()).await.unwrap();
    }
}

#[tokio::test]
async fn a_message_is_stored_then_sent_once_however_often_it_is_told() {
    let one = One::of("wecom").await;
    let engine = one.at(friday());
    announce(&engine, ["a".to_owned(), "a".to_owned()]).await;
    assert!(one.robot.take().is_empty(), "a message was sent before it was due to be");
    assert_eq!(one.messages().await.len(), 1);
    let summary = engine.deliver().await.unwrap();
    assert_eq!(summary.to_string(), "1 messages sent in 1 deliveries, 0 failed, 0 given up, 0 waiting");
    announce(&engine, ["a".to_owned()]).await;
    assert_eq!(engine.deliver().await.unwrap(), duwang::engine::notify::DeliverySummary::default());
    assert_eq!(one.robot.take().len(), 1);
    assert_eq!(one.messages().await[0].sent_at, Some(friday()));
}

#[tokio::test]
async fn everyone_is_told_what_concerns_him() {
    let (office, county) = (Robot::start(), Robot::start());
    let notify = "  channels:\n    - {name: office, kind: wecom, credential: office}\n    \
                  - {name: county, kind: dingtalk, credential: county}\n  routes:\n    \
                  - {what: [serious, report], to: [office]}\n    - {what: [serious], to: [county], regions: [青石县]}\n";
    let dir = folder(notify, &[("office", &office.credential()), ("county", &county.credential())]);
    let database = sqlite().await;
    let engine = engine(dir.path(), &database.store, friday());
    engine.announce(message("a"), About::account(AccountId::new("wsj-wb"))).await.unwrap();
    engine.announce(message("b"), About::unit(UnitId::new("jyj"))).await.unwrap();
    engine.announce(Message::new(MessageKind::Alarm, "c", "无人接收"), About::everything()).await.unwrap();
    assert_eq!(engine.deliver().await.unwrap().sent, 3);
    assert_eq!((office.take().len(), county.take().len()), (2, 1));
}

async fn two_nodes_tell_each_message_once(store: Store) {
    let robot = Robot::start();
    let notify = "  channels:\n    - {name: office, kind: webhook, credential: robot}\n  \
                  routes:\n    - {what: [serious], to: [office]}\n";
    let dir = folder(notify, &[("robot", &robot.credential())]);
    let engine = engine(dir.path(), &store, friday());
    announce(&engine, (0..8).map(|n| n.to_string())).await;
    let (one, other) = tokio::join!(engine.deliver(), engine.deliver());
    assert_eq!(one.unwrap().sent + other.unwrap().sent, 8);
    let mut told: Vec<String> = Vec::new();
    for request in robot.take() {
        let messages = request.body["messages"].as_array().unwrap().iter();
        told.extend(messages.map(|message| message["key"].as_str().unwrap().to_owned()));
    }
    told.sort();
    assert_eq!(told, ["0", "1", "2", "3", "4", "5", "6", "7"]);
}

#[tokio::test]
async fn many_waiting_messages_are_merged_and_no_minute_holds_more_than_twenty() {
    let one = One::of("wecom").await;
    announce(&one.at(friday()), (0..200).map(|n| format!("{n:03}"))).await;
    let mut told = Vec::new();
    for second in 0..=120 {
        let now = friday() + TimeDelta::seconds(second);
        // A stream of serious findings beside what waits.
        announce(&one.at(now), [format!("late-{second}")]).await;
        one.at(now).deliver().await.unwrap();
        told.extend(one.robot.take().into_iter().map(|request| (second, request)));
    }
    for begin in 0..=60 {
        let n_told = told.iter().filter(|(second, _)| (begin..begin + 60).contains(second)).count();
        assert!(n_told <= PER_MINUTE_MAX as usize, "{n_told} messages in the minute from {begin}");
    }
    let texts: Vec<&str> =
        told.iter().map(|(_, request)| request.body["markdown"]["content"].as_str().unwrap()).collect();
    assert!(texts.iter().all(|text| text.len() <= 4096));
    assert!(texts[0].starts_with("**共 ") && texts[0].contains("问题 000"), "{}", texts[0]);
    // Nothing is lost in merging.
    for stored in one.messages().await.iter().filter(|stored| stored.delivery() == Delivery::Sent) {
        let n_told = texts
            .iter()
            .filter(|text| text.lines().any(|line| line.trim_end_matches('*').ends_with(&stored.message.title)))
            .count();
        assert_eq!(n_told, 1, "{}", stored.message.title);
    }
    let n_sent = one.messages().await.iter().filter(|stored| stored.delivery() == Delivery::Sent).count();
    assert!(n_sent >= 300, "{n_sent}");
}

#[tokio::test]
async fn a_refused_message_is_tried_again_ever_later_and_at_last_given_up() {
    let one = One::of("feishu").await;
    one.robot.answers(200, json!({"code": 9499, "msg": format!("Bad Request, token {SECRET}"), "data": {}}));
    announce(&one.at(friday()), ["a".to_owned()]).await;
    let mut attempts = Vec::new();
    let mut now = friday();
    while let Some(due_at) = one.messages().await[0].due_at {
        now = due_at;
        assert_ne!(due_from_half_hour(now), 0, "{now}");
        let summary = one.at(now).deliver().await.unwrap();
        assert_eq!(summary.failed + summary.given_up, 1, "{summary}");
        attempts.push(now);
    }
    assert_eq!(attempts.len(), ATTEMPTS_MAX as usize);
    let waits: Vec<i64> = attempts.windows(2).map(|pair| (pair[1] - pair[0]).num_minutes()).collect();
    assert!(waits.is_sorted() && waits[0] <= 2 && waits[10] >= 360, "{waits:?}");
    let stored = one.messages().await.remove(0);
    assert_eq!((stored.delivery(), stored.attempts), (Delivery::GivenUp, ATTEMPTS_MAX));
    let error = stored.last_error.unwrap();
    assert!(error.contains("9499 Bad Request") && !error.contains(SECRET), "{error}");
    assert_eq!(one.at(now + TimeDelta::days(9)).deliver().await.unwrap().sent, 0);
}

/// Minutes since the last whole or half hour.
fn due_from_half_hour(at: DateTime<Utc>) -> i64 {
    at.timestamp() / 60 % 30
}

#[tokio::test]
async fn feishu_is_left_alone_at_whole_and_half_hours() {
    let one = One::of("feishu").await;
    let hour: DateTime<Utc> = "2026-11-20T09:00:00Z".parse().unwrap();
    announce(&one.at(hour), ["a".to_owned()]).await;
    assert_eq!(one.messages().await[0].due_at, Some(hour + TimeDelta::minutes(1)));
    assert_eq!(one.at(hour).deliver().await.unwrap().sent, 0);
    // What was due before waits through the half hour too.
    let summary = one.at(hour + TimeDelta::seconds(1_830)).deliver().await.unwrap();
    assert_eq!((summary.sent, summary.waiting), (0, 1));
    assert!(one.robot.take().is_empty());
    assert_eq!(one.at(hour + TimeDelta::minutes(31)).deliver().await.unwrap().sent, 1);
}

#[tokio::test]
async fn a_channel_that_was_asked_too_often_rests_as_a_whole() {
    for (kind, answer) in [
        ("wecom", json!({"errcode": 45009, "errmsg": "api freq out of limit"})),
        ("dingtalk", json!({"errcode": 130_101, "errmsg": "send too fast, exceed 20 times per minute"})),
        ("feishu", json!({"code": 11232, "msg": "frequency limited"})),
    ] {
        let one = One::of(kind).await;
        one.robot.answers(200, answer);
        announce(&one.at(friday()), ["a".to_owned(), "b".to_owned(), "c".to_owned()]).await;
        let summary = one.at(friday()).deliver().await.unwrap();
        assert_eq!((summary.failed, summary.waiting), (1, 2), "{kind}");
        assert_eq!(one.robot.take().len(), 1, "{kind}");
        one.robot.answers(200, json!({"errcode": 0, "code": 0}));
        assert_eq!(one.at(friday() + TimeDelta::minutes(9)).deliver().await.unwrap().sent, 0, "{kind}");
        assert_eq!(one.at(friday() + TimeDelta::minutes(12)).deliver().await.unwrap().sent, 3, "{kind}");
    }
}

#[tokio::test]
async fn a_channel_that_cannot_be_reached_holds_up_no_other() {
    let alive = Robot::start();
    let gone = {
        let robot = Robot::start();
        robot.credential()
    };
    let notify = "  channels:\n    - {name: gone, kind: wecom, credential: gone}\n    \
                  - {name: alive, kind: webhook, credential: alive}\n    - {name: bare, kind: wecom, credential: none}\n  \
                  routes:\n    - {what: [serious], to: [gone, alive, bare]}\n";
    let dir = folder(notify, &[("gone", &gone), ("alive", &alive.credential())]);
    let database = sqlite().await;
    let engine = engine(dir.path(), &database.store, friday());
    announce(&engine, ["a".to_owned(), "b".to_owned()]).await;
    let summary = engine.deliver().await.unwrap();
    // The one out of reach is tried once; the one without a credential for each message.
    assert_eq!((summary.sent, summary.failed, summary.waiting), (2, 3, 1), "{summary}");
    let stored = database.store.read().await.unwrap().messages(true, 10).await.unwrap();
    let errors: Vec<String> = stored.into_iter().filter_map(|stored| stored.last_error).collect();
    assert!(errors.iter().any(|error| error.starts_with("cannot connect")), "{errors:?}");
    assert!(errors.iter().any(|error| error.contains("credential `none` cannot be used")), "{errors:?}");
    assert!(!errors.concat().contains(SECRET), "{errors:?}");
}

#[tokio::test]
async fn the_messages_of_a_channel_that_was_taken_out_are_shown_as_undelivered() {
    let one = One::of("wecom").await;
    announce(&one.at(friday()), ["a".to_owned()]).await;
    let without = folder("  channels: []\n", &[]);
    let summary = engine(without.path(), &one.database.store, friday()).deliver().await.unwrap();
    assert_eq!(summary.failed, 1);
    assert!(one.messages().await[0].last_error.as_ref().unwrap().contains("has no `office` any more"));
}

#[tokio::test]
async fn the_commands_show_what_was_delivered_and_no_secret() {
    let one = One::of("wecom").await;
    let dir = one.dir.path();
    let tested = run(dir, &["notify", "test", "office"]);
    assert_eq!(stdout(&tested), "channel `office` (wecom) delivered a test message\n", "{}", stderr(&tested));
    let text = one.robot.take()[0].body["markdown"]["content"].as_str().unwrap().to_owned();
    assert!(text.contains("通知渠道测试"), "{text}");
    one.robot.answers(200, json!({"errcode": 93_000, "errmsg": format!("invalid webhook {SECRET}")}));
    let refused = run(dir, &["notify", "test", "office"]);
    assert_eq!(refused.status.code(), Some(1));
    let errors = stderr(&refused);
    assert!(errors.contains("93000 invalid webhook …; the robot is gone") && !errors.contains(SECRET), "{errors}");
    let unknown = run(dir, &["notify", "test", "nobody"]);
    assert!(stderr(&unknown).contains("`nobody` is not a channel") && stderr(&unknown).contains("office"));

    let store = Store::connect_sqlite(&dir.join("duwang.db")).await.unwrap();
    let engine = engine(dir, &store, friday());
    announce(&engine, ["a".to_owned()]).await;
    engine.deliver().await.unwrap();
    one.robot.answers(200, json!({"errcode": 0}));
    announce(&engine, ["b".to_owned()]).await;
    engine.deliver().await.unwrap();
    store.close().await;
    let listed = run(dir, &["notify", "list"]);
    let text = stdout(&listed);
    assert_eq!(listed.status.code(), Some(0), "{}", stderr(&listed));
    for part in [
        "16:47  office  serious  sent  问题 b",
        "waiting  问题 a",
        "1 attempts, next attempt",
        "2 messages listed, 1 waiting, 0 given up",
    ] {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
    let undelivered = stdout(&run(dir, &["notify", "list", "--undelivered", "--format", "jsonl"]));
    let told: Value = serde_json::from_str(&undelivered).unwrap();
    assert_eq!(
        (&told["key"], &told["state"], &told["attempts"]),
        (&json!("office/serious/a"), &json!("waiting"), &json!(1))
    );
    assert!(!(text + &undelivered).contains(SECRET));
}
