//! Enters listings in the coverage ledger once the signs of life of their bridges are known.

use std::collections::{BTreeMap, HashMap};

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};

use crate::model::SourceId;
use crate::model::coverage::Coverage;
use crate::model::crawl::{Reach, proved_span};
use crate::store::Store;
use crate::store::crawls::{ProvedSpan, UnsettledCrawl};

/// Feeds of one bridge vouch for each other if they were read at most this long apart: a bridge that wakes up later
/// says nothing about what it served before.
const VOUCH_SPAN: TimeDelta = TimeDelta::minutes(15);

/// Settles every listing that is not settled yet. Repeating it changes nothing; a killed crawl is settled by the next.
pub async fn settle(store: &Store) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    // Two nodes that settled at once would each write a ledger that does not know what the other proved.
    tx.lock("settle").await?;
    let crawls = tx.unsettled_crawls().await?;
    if crawls.is_empty() {
        return Ok(());
    }
    let known = tx.bridges().await?;
    let sources: Vec<&SourceId> = crawls.iter().map(|crawl| &crawl.source).collect();
    let ledger = tx.proved_spans_of(&sources).await?;
    let spans = merged_spans(&crawls, &known, &ledger);
    let alive = signs_of_life(&crawls, &known);
    tx.settle(&spans, &alive, &crawls).await.context("cannot enter listings in the coverage ledger")?;
    tx.commit().await?;
    Ok(())
}

/// The whole ledger of each source that a crawl adds to.
fn merged_spans(
    crawls: &[UnsettledCrawl],
    known: &HashMap<String, DateTime<Utc>>,
    ledger: &[ProvedSpan],
) -> Vec<ProvedSpan> {
    let mut by_source: BTreeMap<&SourceId, (&UnsettledCrawl, Coverage)> = BTreeMap::new();
    let signs = Signs::of(crawls);
    for crawl in crawls {
        let reach = if crawl.from_bridge {
            Reach::SignOfLife(signs.alive_at(&crawl.authority, crawl.listed_at, known))
        } else {
            Reach::Listing
        };
        if let Some(span) = proved_span(crawl.extent, crawl.listed_at, reach) {
            by_source.entry(&crawl.source).or_insert_with(|| (crawl, Coverage::default())).1.add(span);
        }
    }
    for proved in ledger {
        if let Some((_, coverage)) = by_source.get_mut(&proved.source) {
            coverage.add(proved.span);
        }
    }
    let spans = by_source.into_values().flat_map(|(crawl, coverage)| {
        let spans = coverage.spans().to_vec();
        spans.into_iter().map(|span| ProvedSpan { account: crawl.account.clone(), source: crawl.source.clone(), span })
    });
    spans.collect()
}

/// When which feed of a host showed which newest post.
struct Signs<'a> {
    by_authority: HashMap<&'a str, Vec<Sign>>,
}

/// When a listing was taken, and the newest publish time it showed.
type Sign = (DateTime<Utc>, DateTime<Utc>);

impl<'a> Signs<'a> {
    fn of(crawls: &'a [UnsettledCrawl]) -> Self {
        let mut by_authority: HashMap<&str, Vec<_>> = HashMap::new();
        for crawl in crawls {
            if let Some(newest_at) = crawl.extent.newest_at {
                by_authority.entry(&crawl.authority).or_default().push((crawl.listed_at, newest_at));
            }
        }
        // By time of listing, each with the newest seen up to then: a look-up is a binary search.
        for signs in by_authority.values_mut() {
            signs.sort_unstable();
            let mut newest = DateTime::<Utc>::MIN_UTC;
            for (_, newest_at) in signs {
                newest = newest.max(*newest_at);
                *newest_at = newest;
            }
        }
        Self { by_authority }
    }

    /// The newest publish time seen on the host up to the time of a listing and a little after.
    fn alive_at(
        &self,
        authority: &str,
        listed_at: DateTime<Utc>,
        known: &HashMap<String, DateTime<Utc>>,
    ) -> Option<DateTime<Utc>> {
        let signs = self.by_authority.get(authority).map_or(&[][..], Vec::as_slice);
        let n_before = signs.partition_point(|(seen_at, _)| *seen_at <= listed_at + VOUCH_SPAN);
        let seen = n_before.checked_sub(1).and_then(|last| signs.get(last)).map(|(_, newest_at)| *newest_at);
        seen.max(known.get(authority).copied())
    }
}

fn signs_of_life(crawls: &[UnsettledCrawl], known: &HashMap<String, DateTime<Utc>>) -> Vec<(String, DateTime<Utc>)> {
    let mut alive: BTreeMap<&str, DateTime<Utc>> = BTreeMap::new();
    // A bridge that says when it last read the platform says that it is alive.
    for crawl in crawls.iter().filter(|crawl| crawl.from_bridge || crawl.extent.until_at.is_some()) {
        let newest_at = crawl.extent.newest_at.max(crawl.extent.until_at).max(known.get(&crawl.authority).copied());
        if let Some(newest_at) = newest_at {
            let entry = alive.entry(&crawl.authority).or_insert(newest_at);
            *entry = (*entry).max(newest_at);
        }
    }
    alive.into_iter().map(|(authority, alive_at)| (authority.to_owned(), alive_at)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::AccountId;
    use crate::model::coverage::Span;
    use crate::model::crawl::Extent;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(minutes * 60, 0).unwrap()
    }

    fn crawl(source: &str, listed_at: i64, oldest: i64, newest: i64) -> UnsettledCrawl {
        UnsettledCrawl {
            source: SourceId::new(source),
            account: AccountId::new(source),
            authority: "bridge".to_owned(),
            from_bridge: true,
            listed_at: at(listed_at),
            extent: Extent { oldest_at: Some(at(oldest)), newest_at: Some(at(newest)), ended: false, until_at: None },
        }
    }

    fn span_of(spans: &[ProvedSpan], source: &str) -> Vec<Span> {
        spans.iter().filter(|proved| proved.source.as_str() == source).map(|proved| proved.span).collect()
    }

    fn span(from: i64, to: i64) -> Span {
        Span { from: Some(at(from)), to: at(to) }
    }

    #[test]
    fn feeds_of_one_bridge_vouch_for_each_other() {
        let crawls = [crawl("quiet", 1000, 100, 200), crawl("busy", 1005, 800, 990)];
        let spans = merged_spans(&crawls, &HashMap::new(), &[]);
        assert_eq!(span_of(&spans, "quiet"), [span(100, 990)]);
        assert_eq!(span_of(&spans, "busy"), [span(800, 990)]);
    }

    #[test]
    fn a_bridge_that_wakes_up_later_does_not_vouch_for_what_it_served_before() {
        let crawls = [crawl("quiet", 1000, 100, 200), crawl("busy", 2000, 900, 1990)];
        let spans = merged_spans(&crawls, &HashMap::new(), &[]);
        assert_eq!(span_of(&spans, "quiet"), [span(100, 200)]);
    }

    #[test]
    fn an_earlier_sign_of_life_still_holds() {
        let known = HashMap::from([("bridge".to_owned(), at(600))]);
        let spans = merged_spans(&[crawl("quiet", 1000, 100, 200)], &known, &[]);
        assert_eq!(span_of(&spans, "quiet"), [span(100, 600)]);
    }

    #[test]
    fn a_listing_of_the_platform_itself_needs_no_voucher() {
        let mut direct = crawl("own", 1000, 100, 200);
        direct.from_bridge = false;
        assert_eq!(span_of(&merged_spans(&[direct], &HashMap::new(), &[]), "own"), [span(100, 1000)]);
    }

    #[test]
    fn new_proof_joins_the_ledger_of_its_source() {
        let old = ProvedSpan { account: AccountId::new("quiet"), source: SourceId::new("quiet"), span: span(50, 150) };
        let known = HashMap::from([("bridge".to_owned(), at(600))]);
        let spans = merged_spans(&[crawl("quiet", 1000, 100, 200)], &known, &[old]);
        assert_eq!(span_of(&spans, "quiet"), [span(50, 600)]);
    }

    proptest! {
        #[test]
        fn the_order_in_which_feeds_answer_does_not_matter(
            times in prop::collection::vec((0_i64..60, 0_i64..500, 0_i64..400), 1..12),
            seed in any::<u64>(),
        ) {
            let crawls: Vec<_> = times
                .iter()
                .enumerate()
                .map(|(n, (listed_at, oldest, length))| {
                    crawl(&format!("s{}", n % 4), 1000 + listed_at, *oldest, oldest + length)
                })
                .collect();
            let mut shuffled = crawls.clone();
            fastrand::Rng::with_seed(seed).shuffle(&mut shuffled);
            let known = HashMap::from([("bridge".to_owned(), at(300))]);
            prop_assert_eq!(merged_spans(&crawls, &known, &[]), merged_spans(&shuffled, &known, &[]));
            prop_assert_eq!(signs_of_life(&crawls, &known), signs_of_life(&shuffled, &known));
        }
    }
}
