//! Posts that claim to be older than they are (倒填发布时间): pure.
//!
//! A listing that proves a span was seen shows every post published in it. A post that shows up later and claims a time
//! within that span was not there: a suspect, because it may have an innocent explanation (held back for review, deleted and
//! restored before anybody saw it), so a person decides.
//!
//! The caller compares with what the same source had proved before: another source may show other posts.

use chrono::{DateTime, TimeDelta, Utc};

use super::registry::{RegistryCheck, RegistryFinding, finding};
use crate::model::PostId;
use crate::model::account::Account;
use crate::model::coverage::Span;
use crate::model::violation::Severity;
use crate::model::week::Calendar;

/// A time without a zone, or a day without a time, may be this far from the truth.
const VAGUE: TimeDelta = TimeDelta::days(1);
/// Longest title quoted, in characters.
const TITLE_CHARS_MAX: usize = 60;

/// The publish time that a new post claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    pub published_at: DateTime<Utc>,
    /// The zone was assumed.
    pub zone_assumed: bool,
}

/// The instant up to which listings prove that a post with this claim was not there; `None`: they do not. Both ends of the
/// claim must lie within a span by `tolerance`: the oldest items of a listing are cut off anywhere, and bridges and
/// reviewers are late.
pub fn backdated_after(
    claim: Claim,
    proved: &[Span],
    tolerance: TimeDelta,
    calendar: Calendar,
) -> Option<DateTime<Utc>> {
    let day_only = calendar.start_of(calendar.day_of(claim.published_at)) == claim.published_at;
    let vague = if claim.zone_assumed || day_only { VAGUE } else { TimeDelta::zero() };
    let earliest = claim.published_at.checked_sub_signed(vague + tolerance)?;
    let latest = claim.published_at.checked_add_signed(vague + tolerance)?;
    proved
        .iter()
        .filter(|span| span.from.is_none_or(|from| from <= earliest) && latest <= span.to)
        .map(|span| span.to)
        .max()
}

/// A stored post under suspicion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackdatedPost {
    pub post: PostId,
    pub key: String,
    pub title: String,
    pub published_at: DateTime<Utc>,
    pub first_seen_at: DateTime<Utc>,
    /// Up to when it was provably not there.
    pub backdated_after: DateTime<Utc>,
}

/// The suspect that a person must look at.
pub fn suspect(account: &Account, post: &BackdatedPost, calendar: Calendar) -> RegistryFinding {
    let minute = |at: DateTime<Utc>| at.with_timezone(&calendar.zone).format("%Y年%-m月%-d日%H:%M").to_string();
    let title: String = post.title.chars().take(TITLE_CHARS_MAX).collect();
    let message = format!(
        "“{}”（{}）《{title}》标注发布于{}，但截至{}的采集记录中没有该内容，{}首次出现。请核实发布时间是否属实。",
        account.name,
        account.kind.label(),
        minute(post.published_at),
        minute(post.backdated_after),
        minute(post.first_seen_at),
    );
    let subject = format!("{}/{}", account.id, post.key);
    let mut found = finding(RegistryCheck::Backdated, &[account], Severity::Major, message, subject);
    found.post = Some(post.post);
    found
}

#[cfg(test)]
mod tests {
    use chrono::Weekday;
    use proptest::prelude::*;

    use super::*;
    use crate::model::coverage::Coverage;

    const CALENDAR: Calendar = Calendar { zone: chrono_tz::Asia::Shanghai, week_starts_on: Weekday::Fri };

    fn hour(n: i64) -> DateTime<Utc> {
        // Not at midnight of the zone, which would be a day without a time.
        DateTime::from_timestamp(1_600_000_000 + 1_800 + n * 3_600, 0).unwrap()
    }

    fn span(from: i64, to: i64) -> Span {
        Span { from: Some(hour(from)), to: hour(to) }
    }

    fn check(published: i64, zone_assumed: bool, spans: &[Span], expected: Option<i64>) {
        let claim = Claim { published_at: hour(published), zone_assumed };
        assert_eq!(backdated_after(claim, spans, TimeDelta::days(1), CALENDAR), expected.map(hour));
    }

    #[test]
    fn a_claim_deep_in_seen_time_is_backdated() {
        check(50, false, &[span(0, 100)], Some(100));
        check(50, false, &[Span { from: None, to: hour(100) }], Some(100));
        check(50, false, &[span(0, 10), span(20, 80)], Some(80));
    }

    #[test]
    fn a_claim_near_the_end_of_what_was_seen_or_beyond_it_is_not() {
        check(77, false, &[span(0, 100)], None);
        check(120, false, &[span(0, 100)], None);
        check(20, false, &[span(0, 100)], None);
        check(50, false, &[], None);
        check(50, false, &[span(0, 60), span(61, 200)], None);
    }

    #[test]
    fn a_vague_time_needs_more_room() {
        check(60, true, &[span(0, 100)], None);
        check(60, true, &[span(0, 120)], Some(120));
        let midnight = CALENDAR.start_of(CALENDAR.day_of(hour(60)));
        let claim = Claim { published_at: midnight, zone_assumed: false };
        let judge = |to| backdated_after(claim, &[Span { from: None, to: hour(to) }], TimeDelta::days(1), CALENDAR);
        assert_eq!((judge(84), judge(120)), (None, Some(hour(120))));
    }

    /// Looks at the newest `depth` posts that exist at `at`, and suspects what is new and claims to be old.
    fn look(posts: &[i64], at: i64, depth: usize, known: &mut Vec<i64>, coverage: &mut Coverage) -> usize {
        let mut listed: Vec<i64> = posts.iter().copied().filter(|post| *post <= at).collect();
        listed.sort_unstable();
        let listed = listed.split_off(listed.len().saturating_sub(depth));
        let spans = coverage.spans().to_vec();
        let suspects = listed
            .iter()
            .filter(|post| !known.contains(post))
            .filter(|post| {
                let claim = Claim { published_at: hour(**post), zone_assumed: false };
                backdated_after(claim, &spans, TimeDelta::days(1), CALENDAR).is_some()
            })
            .count();
        if let Some(oldest) = listed.first() {
            coverage.add(Span { from: Some(hour(*oldest)), to: hour(at) });
        }
        known.extend(&listed);
        suspects
    }

    proptest! {
        #[test]
        fn honest_accounts_raise_nothing_whenever_and_how_often_they_are_looked_at(
            posts in prop::collection::btree_set(0_i64..2_000, 0..60),
            looks in prop::collection::vec((0_i64..2_000, 1_usize..20), 1..30),
        ) {
            let posts: Vec<i64> = posts.into_iter().collect();
            let (mut known, mut coverage) = (Vec::new(), Coverage::default());
            let mut looks = looks;
            looks.sort_unstable();
            for (at, depth) in looks {
                prop_assert_eq!(look(&posts, at, depth, &mut known, &mut coverage), 0);
                prop_assert_eq!(look(&posts, at, depth, &mut known, &mut coverage), 0);
            }
        }

        #[test]
        fn results_stored_out_of_order_raise_nothing(
            posts in prop::collection::btree_set(0_i64..2_000, 0..60),
            looks in prop::collection::vec((0_i64..2_000, 1_usize..20), 1..12),
            seed in any::<u64>(),
        ) {
            let posts: Vec<i64> = posts.into_iter().collect();
            let (mut known, mut coverage) = (Vec::new(), Coverage::default());
            let mut looks = looks;
            fastrand::Rng::with_seed(seed).shuffle(&mut looks);
            for (at, depth) in looks {
                prop_assert_eq!(look(&posts, at, depth, &mut known, &mut coverage), 0);
            }
        }

        #[test]
        fn a_post_put_into_seen_time_is_always_found(claimed in 24_i64..976, others in prop::collection::btree_set(0_i64..1_000, 1..20)) {
            prop_assume!(!others.contains(&claimed) && others.first().is_some_and(|oldest| claimed >= oldest + 24));
            let mut posts: Vec<i64> = others.into_iter().collect();
            let (mut known, mut coverage) = (Vec::new(), Coverage::default());
            prop_assert_eq!(look(&posts, 1_000, 100, &mut known, &mut coverage), 0);
            posts.push(claimed);
            prop_assert_eq!(look(&posts, 1_001, 100, &mut known, &mut coverage), 1);
        }
    }
}
