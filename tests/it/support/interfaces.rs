//! A simulated platform interface, watched through the real client over loopback.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use duwang::config::credentials::{Credential, Credentials};
use duwang::config::settings::{CrawlSettings, HostPace};
use duwang::model::AccountId;
use duwang::model::account::{Source, SourceSpec};
use duwang::model::crawl::{Failure, Listing, Outcome, Validators};
use duwang::model::interface::{Interface, InterfaceSpec};
use duwang::simulator::interfaces::Respond;
use duwang::simulator::{InterfaceFault, InterfaceServer, Seeded, SeededItem};
use duwang::source::{Fetched, Reader, fetch};
use sha1::{Digest as _, Sha1};

/// Friday 2026-11-20, 16:00 in Shanghai.
pub fn now() -> DateTime<Utc> {
    "2026-11-20T08:00:00Z".parse().unwrap()
}

/// `n` items, one a day up to now, oldest first, under ids that `id_of` makes of their times.
pub fn daily_items(n: i64, id_of: impl Fn(DateTime<Utc>) -> String) -> Vec<SeededItem> {
    let times = (0..n).rev().map(|days_ago| now() - TimeDelta::days(days_ago) - TimeDelta::hours(1));
    times
        .enumerate()
        .map(|(number, published_at)| SeededItem {
            id: id_of(published_at),
            title: format!("第{}期工作动态", number + 1),
            text: format!("第{}期：各单位认真落实有关要求。", number + 1),
            published_at,
            ..SeededItem::default()
        })
        .collect()
}

/// The query with which WeChat signs a request that is so old.
pub fn signed_query(token: &str, age_s: i64) -> String {
    let timestamp = (now().timestamp() - age_s).to_string();
    let mut parts = [token, &timestamp, "nonce"];
    parts.sort_unstable();
    let mut query = format!("timestamp={timestamp}&nonce=nonce&signature=");
    for byte in Sha1::digest(parts.concat().as_bytes()) {
        write!(query, "{byte:02x}").unwrap();
    }
    query
}

/// A source that asks a simulated interface.
pub struct Watched {
    pub server: InterfaceServer,
    reader: Reader,
    source: Source,
    credentials: Credentials,
}

impl Watched {
    /// Starts the platform; `values` are those of the registry, `secrets` those of the credential file.
    pub fn start(
        interface: Interface,
        respond: Respond,
        account: Seeded,
        values: &[(&'static str, &str)],
        secrets: &[(&str, &str)],
    ) -> Self {
        let server = InterfaceServer::start(respond, account, now()).unwrap();
        let settings = CrawlSettings {
            timeout: Duration::from_millis(1500),
            retries_max: 0,
            body_bytes_max: 1024 * 1024,
            hosts: BTreeMap::from([("127.0.0.1".to_owned(), HostPace { per_second: 0.0, concurrent: 8 })]),
            ..CrawlSettings::default()
        };
        let values = values.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let credential = (!secrets.is_empty()).then(|| "office".to_owned());
        let spec = SourceSpec::Interface(Box::new(InterfaceSpec { interface, credential, values }));
        let source = Source::new(&AccountId::new("a"), server.base_url().parse().unwrap(), spec);
        let credentials = Credentials::of("office", Credential::of(secrets));
        Self { server, reader: Reader::new(&settings).unwrap(), source, credentials }
    }

    /// Looks once.
    pub async fn look(&self) -> Result<Listing, Failure> {
        match fetch(&self.reader, &self.source, &self.credentials, &Validators::default(), now()).await? {
            Fetched::Listing { listing, .. } => Ok(listing),
            Fetched::Unchanged { .. } => panic!("an interface has no 304"),
        }
    }

    /// Every fault ends in the outcome named, and the interface answers well afterwards.
    pub async fn expect_failures(&self, expected: &[(InterfaceFault, Outcome)]) {
        for (fault, outcome) in expected {
            self.server.set_fault(Some(*fault));
            match self.look().await {
                Err(failure) => assert_eq!(failure.outcome, *outcome, "{fault:?}: {failure}"),
                Ok(listing) => panic!("{fault:?} was read as a listing of {} posts", listing.posts.len()),
            }
        }
        self.server.set_fault(None);
        self.look().await.unwrap();
    }

    /// The faults of the wire, which are the same for every interface that answers with JSON.
    pub async fn expect_wire_failures(&self) {
        self.expect_failures(&[
            (InterfaceFault::SlowDrip, Outcome::Network),
            (InterfaceFault::TruncatedGzip, Outcome::Network),
            (InterfaceFault::RedirectLoop, Outcome::ShapeChanged),
            (InterfaceFault::HugePage, Outcome::TooLarge),
            (InterfaceFault::Unavailable, Outcome::ServerError),
            (InterfaceFault::TruncatedJson, Outcome::ShapeChanged),
            (InterfaceFault::CaptchaPage, Outcome::Captcha),
        ])
        .await;
    }
}
