//! The contract of the outbox, on SQLite and on PostgreSQL.

use chrono::TimeDelta;
use duwang::model::message::{Message, MessageKind};
use duwang::store::Store;
use duwang::store::outbox::{Backlog, Delivery, NewMessage};

use crate::support::build::at;
use crate::support::database::on_both_databases;

on_both_databases!(
    a_message_told_again_is_the_same_one,
    an_attempt_is_claimed_once_and_comes_back_if_it_is_forgotten,
    what_was_sent_failed_and_given_up_is_told_apart,
    a_channel_is_left_alone_as_a_whole,
    no_minute_holds_more_than_its_turns,
);

fn message(key: &str) -> Message {
    Message::new(MessageKind::Serious, key, format!("标题 {key}"))
        .with_lines(["一行 \"引号\""])
        .with_link("原文", "https://example.org/")
        .with_files(["/reports/weekly.docx".into()])
}

async fn queue(store: &Store, channel: &str, keys: &[&str], seconds: i64) {
    let messages: Vec<Message> = keys.iter().map(|key| message(key)).collect();
    let rows: Vec<NewMessage<'_>> = messages
        .iter()
        .map(|message| NewMessage { channel, message, created_at: at(seconds), due_at: at(seconds) })
        .collect();
    let mut tx = store.write().await.unwrap();
    tx.queue_messages(&rows).await.unwrap();
    tx.commit().await.unwrap();
}

async fn due(store: &Store, channel: &str, seconds: i64) -> Vec<String> {
    let due = store.read().await.unwrap().due_messages(channel, at(seconds), 10).await.unwrap();
    due.into_iter().map(|stored| stored.message.key).collect()
}

async fn a_message_told_again_is_the_same_one(store: Store) {
    queue(&store, "office", &["a", "b"], 0).await;
    queue(&store, "office", &["b", "c"], 5).await;
    queue(&store, "mail", &["a"], 5).await;
    assert_eq!(due(&store, "office", 9).await, ["a", "b", "c"]);
    assert_eq!(due(&store, "office", 4).await, ["a", "b"]);
    let mut tx = store.read().await.unwrap();
    assert_eq!(tx.due_channels(at(4)).await.unwrap(), ["office"]);
    assert_eq!(tx.due_channels(at(5)).await.unwrap(), ["mail", "office"]);
    let stored = tx.due_messages("office", at(0), 1).await.unwrap().remove(0);
    assert_eq!((stored.key.as_str(), stored.message), ("office/serious/a", message("a")));
    assert_eq!((stored.attempts, stored.created_at), (0, at(0)));
}

async fn an_attempt_is_claimed_once_and_comes_back_if_it_is_forgotten(store: Store) {
    queue(&store, "office", &["a"], 0).await;
    let claim = async |seconds| {
        let mut tx = store.write().await.unwrap();
        let claimed = tx.claim_message("office/serious/a", at(seconds), at(seconds + 60)).await.unwrap();
        tx.commit().await.unwrap();
        claimed
    };
    assert!(claim(1).await);
    assert!(!claim(1).await, "a second node took the same message");
    assert!(due(&store, "office", 60).await.is_empty());
    // The process was killed: nothing was entered.
    assert_eq!(due(&store, "office", 61).await, ["a"]);
    assert!(claim(61).await);
    let stored = store.read().await.unwrap().messages(false, 1).await.unwrap().remove(0);
    assert_eq!((stored.attempts, stored.due_at), (2, Some(at(121))));
}

async fn what_was_sent_failed_and_given_up_is_told_apart(store: Store) {
    queue(&store, "office", &["a", "b", "c"], 0).await;
    queue(&store, "office", &["d"], 1).await;
    let mut tx = store.write().await.unwrap();
    tx.mark_failed("office/serious/a", "HTTP 500", Some(at(60))).await.unwrap();
    tx.mark_sent("office/serious/a", at(2)).await.unwrap();
    tx.mark_failed("office/serious/b", "93000 invalid", Some(at(60))).await.unwrap();
    tx.mark_failed("office/serious/c", "93000 invalid", None).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    let listed = |messages: Vec<duwang::store::outbox::StoredMessage>| -> Vec<(String, Delivery, Option<String>)> {
        messages.into_iter().map(|m| (m.message.key.clone(), m.delivery(), m.last_error)).collect()
    };
    let error = || Some("93000 invalid".to_owned());
    let undelivered = [
        ("d".to_owned(), Delivery::Waiting, None),
        ("b".to_owned(), Delivery::Waiting, error()),
        ("c".to_owned(), Delivery::GivenUp, error()),
    ];
    assert_eq!(listed(tx.messages(true, 10).await.unwrap()), undelivered);
    let all = listed(tx.messages(false, 10).await.unwrap());
    assert_eq!((all.len(), &all[1]), (4, &("a".to_owned(), Delivery::Sent, None)));
    assert_eq!(tx.messages(false, 2).await.unwrap().len(), 2);
    let backlog = Backlog { waiting: 2, given_up: 1, waiting_since: Some(at(0)) };
    assert_eq!(tx.notification_backlog().await.unwrap(), backlog);
    drop(tx);
    assert_eq!(due(&store, "office", 99).await, ["b", "d"]);
}

async fn a_channel_is_left_alone_as_a_whole(store: Store) {
    queue(&store, "office", &["a", "b"], 0).await;
    queue(&store, "mail", &["a"], 0).await;
    let mut tx = store.write().await.unwrap();
    tx.mark_sent("office/serious/b", at(1)).await.unwrap();
    tx.postpone_channel("office", at(600)).await.unwrap();
    tx.commit().await.unwrap();
    assert!(due(&store, "office", 599).await.is_empty());
    assert_eq!(due(&store, "office", 600).await, ["a"]);
    assert_eq!(due(&store, "mail", 0).await, ["a"]);
}

async fn no_minute_holds_more_than_its_turns(store: Store) {
    let (cost, debt_max) = (TimeDelta::seconds(5), TimeDelta::seconds(40));
    let mut taken = Vec::new();
    for second in 0..180 {
        for _ in 0..3 {
            let mut tx = store.write().await.unwrap();
            if tx.spend_channel_time("office", at(second), cost, debt_max).await.unwrap() {
                taken.push(second);
            }
            tx.commit().await.unwrap();
        }
    }
    for begin in 0..120 {
        let n_taken = taken.iter().filter(|second| (begin..begin + 60).contains(*second)).count();
        assert!(n_taken <= 20, "{n_taken} in the minute from {begin}: {taken:?}");
    }
    assert!(taken.len() > 40, "{taken:?}");
    let mut tx = store.read().await.unwrap();
    assert_eq!(tx.channel_debt("mail", at(0)).await.unwrap(), TimeDelta::zero());
    assert!(tx.channel_debt("office", at(179)).await.unwrap() > TimeDelta::seconds(30));
}
