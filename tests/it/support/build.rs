//! Small registries and posts.

use chrono::{DateTime, Utc};
use duwang::model::account::{Account, AccountKind, AccountStatus, Freshness, Source, SourceSpec, Unit, UnitLevel};
use duwang::model::post::{TextOrigin, TextState};
use duwang::model::{AccountId, UnitId};
use duwang::store::posts::PostRecord;

pub fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_600_000_000 + seconds, 0).unwrap()
}

pub fn unit(id: &str) -> Unit {
    Unit {
        id: UnitId::new(id),
        name: format!("{id}局"),
        level: UnitLevel::Prefecture,
        region: "某州".to_owned(),
        supervisor: None,
    }
}

/// An active subscription account with one bridge feed.
pub fn account(id: &str, unit: &str) -> Account {
    let account = AccountId::new(id);
    let url = format!("http://bridge.example/{id}.xml").parse().unwrap();
    let source = Source::new(&account, url, SourceSpec::Feed { freshness: Freshness::Bridge, bridge: None });
    Account {
        id: account,
        name: format!("{id}发布"),
        unit: UnitId::new(unit),
        kind: AccountKind::WechatSubscription,
        platform_id: None,
        status: AccountStatus::Active,
        filed_on: None,
        sources: vec![source],
    }
}

/// A post with its whole text, as a listing told it.
pub fn post(account: &str, key: &str, text: &str) -> PostRecord {
    PostRecord {
        account: AccountId::new(account),
        key: key.to_owned(),
        push_key: None,
        url: Some(format!("https://example.com/{key}")),
        title: text.split('\n').next().unwrap_or_default().to_owned(),
        published_at: Some(at(0)),
        zone_assumed: false,
        edited_at: None,
        original: true,
        text_state: TextState::Full,
        origin: TextOrigin::Listing,
        source: None,
        listing_hash: text.to_owned(),
        text: text.to_owned(),
        links: Vec::new(),
        masked: Vec::new(),
        seen_at: at(100),
        fillable: false,
    }
}
