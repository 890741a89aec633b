//! What has been proved to be seen: spans of time and their union (已核查时段).

use chrono::{DateTime, Utc};

use super::week::Window;

/// A half-open span `[from, to)` of proved time. `from` is `None` where a listing reached the very first post: (-∞, to).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub from: Option<DateTime<Utc>>,
    pub to: DateTime<Utc>,
}

impl Span {
    /// `None` where the span would be empty.
    pub fn new(from: Option<DateTime<Utc>>, to: DateTime<Utc>) -> Option<Self> {
        (from.is_none_or(|from| from < to)).then_some(Self { from, to })
    }
}

/// The union of proved spans of one account: sorted, disjoint, not even touching.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    spans: Vec<Span>,
}

impl Coverage {
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Adds a span; the result does not depend on the order of additions.
    pub fn add(&mut self, span: Span) {
        self.spans.push(span);
        // `None` sorts before every `Some`, which is just what -∞ needs.
        self.spans.sort_by_key(|span| (span.from, span.to));
        let mut merged: Vec<Span> = Vec::with_capacity(self.spans.len());
        for span in self.spans.drain(..) {
            match merged.last_mut() {
                Some(last) if span.from.is_none_or(|from| from <= last.to) => last.to = last.to.max(span.to),
                _ => merged.push(span),
            }
        }
        self.spans = merged;
    }

    /// Whether the whole window was seen.
    pub fn covers(&self, window: Window) -> bool {
        self.spans.iter().any(|span| span.from.is_none_or(|from| from <= window.from) && window.to <= span.to)
    }

    /// The seen parts of the window.
    pub fn within(&self, window: Window) -> Vec<Window> {
        let clip = |span: &Span| Window {
            from: span.from.map_or(window.from, |from| from.max(window.from)),
            to: span.to.min(window.to),
        };
        self.spans.iter().map(clip).filter(|part| part.from < part.to).collect()
    }

    /// The seen share of the window, 0.0 to 1.0.
    pub fn ratio(&self, window: Window) -> f64 {
        let seen_ms: i64 = self.within(window).iter().map(|part| (part.to - part.from).num_milliseconds()).sum();
        let window_ms = (window.to - window.from).num_milliseconds();
        if window_ms <= 0 {
            return 0.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "a window of milliseconds fits a float's 53 bits by far")]
        let ratio = seen_ms as f64 / window_ms as f64;
        ratio
    }
}

impl FromIterator<Span> for Coverage {
    fn from_iter<I: IntoIterator<Item = Span>>(spans: I) -> Self {
        let mut coverage = Self::default();
        for span in spans {
            coverage.add(span);
        }
        coverage
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn span(from: i64, to: i64) -> Span {
        Span { from: Some(at(from)), to: at(to) }
    }

    fn window(from: i64, to: i64) -> Window {
        Window { from: at(from), to: at(to) }
    }

    #[test]
    fn touching_spans_become_one_and_a_gap_stays() {
        let coverage: Coverage = [span(0, 10), span(10, 20), span(30, 40)].into_iter().collect();
        assert_eq!(coverage.spans(), [span(0, 20), span(30, 40)]);
        assert!(coverage.covers(window(0, 20)));
        assert!(!coverage.covers(window(5, 35)));
        assert!((coverage.ratio(window(10, 40)) - 2.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn a_listing_that_reached_the_first_post_covers_all_before_it() {
        let coverage: Coverage = [Span { from: None, to: at(10) }].into_iter().collect();
        assert!(coverage.covers(window(-1_000_000, 10)));
        assert!(!coverage.covers(window(0, 11)));
    }

    proptest! {
        #[test]
        fn the_order_of_spans_does_not_matter(spans in prop::collection::vec((0_i64..50, 1_i64..20), 0..12), seed in any::<u64>()) {
            let spans: Vec<Span> = spans.iter().map(|(from, length)| span(*from, from + length)).collect();
            let mut shuffled = spans.clone();
            fastrand::Rng::with_seed(seed).shuffle(&mut shuffled);
            let coverage: Coverage = spans.iter().copied().collect();
            prop_assert_eq!(&coverage, &shuffled.into_iter().collect::<Coverage>());
            // Covered exactly where some span lies.
            for second in 0..70 {
                let seen = spans.iter().any(|span| span.from.unwrap() <= at(second) && at(second + 1) <= span.to);
                prop_assert_eq!(coverage.covers(window(second, second + 1)), seen);
            }
        }
    }
}
