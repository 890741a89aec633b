//! How fast each host is asked: a rate and a number of requests at once, kept for each host that was ever asked.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;

use crate::config::settings::{CrawlSettings, HostPace};
use crate::model::account::authority_of;

/// A pace beyond this is no pace: the interval would be less than a timer can tell.
const PER_SECOND_MAX: f64 = 100_000.0;
/// Slowest pace, in requests per second: one a day.
const PER_SECOND_MIN: f64 = 1.0 / 86_400.0;

/// A pace that several processes keep together.
pub trait SharedPace: Send + Sync + std::fmt::Debug {
    /// Takes the next free moment of a host or credential, and says how long it is until then.
    fn reserve<'a>(&'a self, key: &'a str, interval: Duration) -> BoxFuture<'a, Duration>;
}

/// The gates of all hosts, made when a host is first asked.
#[derive(Debug)]
pub(super) struct Gates {
    shared: Option<Arc<dyn SharedPace>>,
    default_host: HostPace,
    hosts: BTreeMap<String, HostPace>,
    /// Held for a look-up only, never across an await.
    by_key: Mutex<HashMap<String, Arc<Gate>>>,
}

impl Gates {
    pub(super) fn new(settings: &CrawlSettings, shared: Option<Arc<dyn SharedPace>>) -> Self {
        Self { shared, default_host: settings.default_host, hosts: settings.hosts.clone(), by_key: Mutex::default() }
    }

    /// The gate of an address. One setting for `host` makes one gate for all its ports, so that the pace holds for the
    /// host; a setting for `host:port` stands alone.
    pub(super) fn of(&self, url: &Url) -> Arc<Gate> {
        let authority = authority_of(url);
        let host = url.host_str().unwrap_or_default();
        let (key, pace) = match (self.hosts.get(&authority), self.hosts.get(host)) {
            (Some(pace), _) => (authority.as_str(), *pace),
            (None, Some(pace)) => (host, *pace),
            (None, None) => (authority.as_str(), self.default_host),
        };
        self.of_key(key, pace)
    }

    /// The gate of a platform's interface: of the credential it is asked with, or of the host where it needs none.
    /// `None` where the operator names the host in `crawl.hosts`: then that pace is the whole pace.
    pub(super) fn of_credential(&self, url: &Url, credential: Option<&str>, interval: Duration) -> Option<Arc<Gate>> {
        let authority = authority_of(url);
        if self.hosts.contains_key(&authority) || self.hosts.contains_key(url.host_str().unwrap_or_default()) {
            return None;
        }
        let pace = HostPace { per_second: 1.0 / interval.as_secs_f64().max(1.0 / PER_SECOND_MAX), concurrent: 1 };
        // A blank stands in no host.
        let key = credential.map_or_else(|| format!("interface {authority}"), |name| format!("credential {name}"));
        Some(self.of_key(&key, pace))
    }

    fn of_key(&self, key: &str, pace: HostPace) -> Arc<Gate> {
        let mut gates = self.by_key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gate) = gates.get(key) {
            return Arc::clone(gate);
        }
        let shared = self.shared.clone().zip(interval(pace.per_second)).map(|(pace, interval)| Shared {
            pace,
            key: key.to_owned(),
            interval,
        });
        let gate = Arc::new(Gate { shared, ..Gate::new(pace) });
        gates.insert(key.to_owned(), Arc::clone(&gate));
        gate
    }
}

/// Lets requests to one host pass at its pace.
#[derive(Debug)]
pub(super) struct Gate {
    /// `None`: no limit.
    rate: Option<DefaultDirectRateLimiter>,
    /// Kept together with other processes, in place of the own rate.
    shared: Option<Shared>,
    slots: Semaphore,
}

#[derive(Debug)]
struct Shared {
    pace: Arc<dyn SharedPace>,
    key: String,
    interval: Duration,
}

impl Gate {
    fn new(pace: HostPace) -> Self {
        let rate = quota(pace.per_second).map(RateLimiter::direct);
        let n_slots = usize::try_from(pace.concurrent.max(1)).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self { rate, shared: None, slots: Semaphore::new(n_slots) }
    }

    /// Waits for a slot, then for the rate. The slot is free again when the permit is dropped.
    pub(super) async fn pass(&self) -> Option<SemaphorePermit<'_>> {
        // An error would mean a closed semaphore, and nobody closes it.
        let permit = self.slots.acquire().await.ok();
        if let Some(shared) = &self.shared {
            tokio::time::sleep(shared.pace.reserve(&shared.key, shared.interval).await).await;
        } else if let Some(rate) = &self.rate {
            rate.until_ready().await;
        }
        permit
    }
}

/// The time between two requests; `None` = unlimited.
fn interval(per_second: f64) -> Option<Duration> {
    let limited = per_second > 0.0 && per_second <= PER_SECOND_MAX;
    limited.then(|| Duration::from_secs_f64(1.0 / per_second.max(PER_SECOND_MIN)))
}

/// One request in each interval, without bursts; `None` = unlimited.
fn quota(per_second: f64) -> Option<Quota> {
    Quota::with_period(interval(per_second)?).map(|quota| quota.allow_burst(NonZeroU32::MIN))
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn gates() -> Gates {
        let fast = HostPace { per_second: 0.0, concurrent: 3 };
        let slow = HostPace { per_second: 0.5, concurrent: 1 };
        let hosts = BTreeMap::from([("a.cn:81".to_owned(), fast), ("a.cn".to_owned(), slow)]);
        Gates::new(&CrawlSettings { hosts, ..CrawlSettings::default() }, None)
    }

    fn gate(gates: &Gates, url: &str) -> Arc<Gate> {
        gates.of(&url.parse().unwrap())
    }

    #[test]
    fn host_and_port_are_looked_up_before_the_host() {
        let gates = gates();
        assert_eq!(gate(&gates, "http://a.cn:81/x").slots.available_permits(), 3);
        assert!(gate(&gates, "http://a.cn:81/x").rate.is_none());
        assert_eq!(gate(&gates, "http://a.cn:82/x").slots.available_permits(), 1);
        assert!(gate(&gates, "http://b.cn/").rate.is_some());
    }

    #[test]
    fn one_host_has_one_gate() {
        let gates = gates();
        assert!(Arc::ptr_eq(&gate(&gates, "http://a.cn/1"), &gate(&gates, "https://a.cn:8443/2")));
        assert!(!Arc::ptr_eq(&gate(&gates, "http://a.cn/1"), &gate(&gates, "http://a.cn:81/1")));
        assert!(!Arc::ptr_eq(&gate(&gates, "http://b.cn/1"), &gate(&gates, "http://c.cn/1")));
    }

    #[test]
    fn a_credential_has_a_gate_of_its_own_unless_the_operator_sets_the_pace_of_the_host() {
        let gates = gates();
        let url = |text: &str| text.parse::<Url>().unwrap();
        let minute = Duration::from_mins(1);
        let one = gates.of_credential(&url("http://b.cn/1"), Some("office"), minute).unwrap();
        let again = gates.of_credential(&url("http://c.cn/2"), Some("office"), minute).unwrap();
        let other = gates.of_credential(&url("http://b.cn/1"), Some("other"), minute).unwrap();
        assert!(Arc::ptr_eq(&one, &again) && !Arc::ptr_eq(&one, &other));
        assert!(one.pass().now_or_never().is_some());
        assert!(one.pass().now_or_never().is_none());
        assert!(gates.of_credential(&url("http://b.cn/1"), None, minute).is_some());
        assert!(gates.of_credential(&url("http://a.cn/1"), Some("office"), minute).is_none());
    }

    #[test]
    fn no_more_requests_pass_at_once_than_the_host_allows() {
        let gate = Gate::new(HostPace { per_second: 0.0, concurrent: 2 });
        let first = gate.pass().now_or_never();
        let second = gate.pass().now_or_never();
        assert!(first.is_some() && second.is_some());
        assert!(gate.pass().now_or_never().is_none());
        drop(first);
        assert!(gate.pass().now_or_never().is_some());
    }

    #[test]
    fn a_second_request_waits_for_the_rate() {
        let gate = Gate::new(HostPace { per_second: 0.001, concurrent: 9 });
        assert!(gate.pass().now_or_never().is_some());
        assert!(gate.pass().now_or_never().is_none());
    }

    #[test]
    fn zero_and_absurd_rates_are_unlimited_and_slow_ones_are_bounded() {
        for unlimited in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e9] {
            assert!(quota(unlimited).is_none(), "{unlimited}");
        }
        assert_eq!(quota(4.0).unwrap().replenish_interval(), Duration::from_millis(250));
        assert_eq!(quota(1e-300).unwrap().replenish_interval(), Duration::from_hours(24));
    }
}
