//! Accounts of the world as the platforms' interfaces show them. Pure.

use chrono::{DateTime, Utc};

use super::{Seeded, SeededItem};
use crate::model::digest_hex;
use crate::model::interface::Interface;
use crate::simulator::content::{SimAccount, SimPost};

/// Weibo's ids begin to count at this second.
const WEIBO_EPOCH_S: i64 = 515_483_463;

/// The account with everything it published, under ids of the platform's kind.
pub fn seeded(interface: Interface, account: &SimAccount) -> Seeded {
    let items = account.posts.iter().map(|post| item(interface, post)).collect();
    Seeded {
        id: account_id(interface, account),
        name: account.name.clone(),
        verified: true,
        secret: secret(interface, account),
        items,
    }
}

/// What the platform calls the account.
pub fn account_id(interface: Interface, account: &SimAccount) -> String {
    match interface {
        Interface::WechatAlbum | Interface::WechatBackend | Interface::WechatOfficial => account.biz(),
        _ => number(account.id.as_str(), 10),
    }
}

/// What a login must bring; empty where nobody is asked.
pub fn secret(interface: Interface, account: &SimAccount) -> String {
    if interface.secrets().is_empty() { String::new() } else { digest_hex([account.id.as_str(), "secret"], 24) }
}

/// The credential file with which this secret opens the interface; empty where it needs none.
pub fn credential_text(interface: Interface, secret: &str) -> String {
    let value = |key: &str| match key {
        "cookie" => format!("session={secret}"),
        "appid" => "wx0123456789abcdef".to_owned(),
        "app_id" | "client_id" | "token" => "1234567890".to_owned(),
        _ => secret.to_owned(),
    };
    let lines: Vec<String> = interface.secrets().iter().map(|key| format!("{key}: \"{}\"\n", value(key))).collect();
    lines.concat()
}

fn item(interface: Interface, post: &SimPost) -> SeededItem {
    SeededItem {
        id: item_id(interface, post.published_at, post.push, post.index),
        title: post.title.clone(),
        text: post.paragraphs.join("\n"),
        published_at: post.published_at,
        repost: !post.original,
        ..SeededItem::default()
    }
}

/// An id of the platform's kind for the article at place `index` of the push with this number.
pub fn item_id(interface: Interface, at: DateTime<Utc>, push: u32, index: u32) -> String {
    match interface {
        Interface::WeiboAjax | Interface::WeiboMobile | Interface::WeiboOfficial => {
            (((at.timestamp() - WEIBO_EPOCH_S) << 22) + i64::from(index)).to_string()
        }
        Interface::DouyinCreator => ((at.timestamp() << 32) + i64::from(index)).to_string(),
        Interface::WechatAlbum | Interface::WechatBackend | Interface::WechatOfficial => {
            format!("{}_{index}", 2_650_000_000_u64 + u64::from(push))
        }
        _ => number(&format!("{at} {index}"), 18),
    }
}

/// A whole number of at most so many digits that belongs to a text.
fn number(text: &str, digits: u32) -> String {
    let hash = u64::from_str_radix(&digest_hex([text], 15), 16).unwrap_or_default();
    (hash % 10_u64.pow(digits - 1) + 10_u64.pow(digits - 1)).to_string()
}
