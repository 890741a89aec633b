//! Which page of a list is read next, and what the pages together prove.

use std::collections::HashSet;

use url::Url;

use super::Page;
use crate::model::account::{HtmlListSpec, authority_of};
use crate::model::crawl::{BadItem, Listing};

/// The pages of one list so far, as one listing.
#[derive(Debug)]
pub struct Paging {
    visited: Vec<Url>,
    pages_max: u32,
    /// The next-page selector has found something in this very crawl.
    next_works: bool,
    n_items: usize,
    keys: HashSet<String>,
    listing: Listing,
}

impl Paging {
    /// Starts before the first page.
    pub fn new(spec: &HtmlListSpec) -> Self {
        Self {
            visited: Vec::new(),
            pages_max: spec.pages_max,
            next_works: false,
            n_items: 0,
            keys: HashSet::new(),
            listing: Listing::default(),
        }
    }

    /// Adds a page and gives the address of the next one to read: on the same host, not read before, within
    /// `pages_max`, and only as long as pages bring something new (some sites show the last page for ever).
    ///
    /// The listing has ended where the next link is gone, but only after it was there on an earlier page: a selector
    /// that never finds anything may as well be mistyped, and "nothing older" is a claim that accuses.
    pub fn add(&mut self, address: &Url, page: Page) -> Option<Url> {
        self.visited.push(address.clone());
        let n_before = self.n_items;
        self.n_items += page.listing.posts.len() + page.listing.bad_items.len();
        let shifted = |bad: BadItem| BadItem { index: bad.index + n_before, ..bad };
        self.listing.bad_items.extend(page.listing.bad_items.into_iter().map(shifted));
        let n_posts = self.listing.posts.len();
        self.listing.posts.extend(page.listing.posts.into_iter().filter(|post| self.keys.insert(post.key.clone())));
        let brought_new = self.listing.posts.len() > n_posts;
        self.listing.ended = page.listing.ended && self.next_works && brought_new;
        self.next_works |= !page.listing.ended;

        let next = page.next?;
        let first = self.visited.first().unwrap_or(address);
        let n_visited = u32::try_from(self.visited.len()).unwrap_or(u32::MAX);
        let goes_on = brought_new
            && n_visited < self.pages_max
            && authority_of(&next) == authority_of(first)
            && !self.visited.contains(&next);
        goes_on.then_some(next)
    }

    pub fn into_listing(self) -> Listing {
        self.listing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::html_list::parse_page;

    fn spec(next: bool) -> HtmlListSpec {
        HtmlListSpec {
            item: "li".to_owned(),
            link: "a".to_owned(),
            title: None,
            date: String::new(),
            date_format: None,
            next: next.then(|| "a.next".to_owned()),
            pages_max: 3,
        }
    }

    /// Reads pages given as items and next link; says which addresses were asked for, and the listing.
    fn walk(spec: &HtmlListSpec, pages: &[(&str, &str)]) -> (Vec<String>, Listing) {
        let mut paging = Paging::new(spec);
        let mut address: Url = "http://a.cn/1".parse().unwrap();
        let mut asked = Vec::new();
        for (items, next) in pages {
            let item = |c: char| format!("<li><a href=/p/{c}>{c}</a> 2026-11-19</li>");
            let items: String = items.chars().map(item).collect();
            let next =
                if next.is_empty() { String::new() } else { format!("<a class=next href='{next}'>下一页</a>") };
            let page = parse_page(&(items + &next), &address, spec).unwrap();
            match paging.add(&address, page) {
                Some(next) => address = next,
                None => break,
            }
            asked.push(address.to_string());
        }
        (asked, paging.into_listing())
    }

    #[test]
    fn pages_are_read_until_the_next_link_is_gone() {
        let (asked, listing) = walk(&spec(true), &[("ab", "/2"), ("bc", "")]);
        assert_eq!(asked, ["http://a.cn/2"]);
        assert_eq!(listing.posts.len(), 3);
        assert!(listing.ended);
    }

    #[test]
    fn a_next_link_that_was_never_seen_proves_no_end() {
        assert!(!walk(&spec(true), &[("ab", "")]).1.ended);
        assert!(!walk(&spec(false), &[("ab", "")]).1.ended);
    }

    #[test]
    fn reading_stops_at_the_limit_at_a_repeated_page_and_at_a_strange_host() {
        let (asked, listing) = walk(&spec(true), &[("a", "/2"), ("b", "/3"), ("c", "/4"), ("d", "")]);
        assert_eq!((asked.len(), listing.posts.len(), listing.ended), (2, 3, false));
        let (asked, listing) = walk(&spec(true), &[("a", "/2"), ("a", "/3"), ("b", "")]);
        assert_eq!((asked.len(), listing.posts.len(), listing.ended), (1, 1, false));
        let (asked, _) = walk(&spec(true), &[("a", "/2"), ("b", "/1")]);
        assert_eq!(asked, ["http://a.cn/2"]);
        for strange in ["http://b.cn/2", "http://a.cn:81/2", "javascript:;"] {
            let (asked, listing) = walk(&spec(true), &[("a", strange)]);
            assert!(asked.is_empty() && !listing.ended, "{strange}");
        }
    }
}
