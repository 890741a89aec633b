//! What the readers of items share: the posts of a page beside its deleted ones. Pure.

use serde_json::Value;

use super::{Page, wire};
use crate::model::post::PostDraft;

/// One item of a list as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drafted {
    /// Boxed: it is large.
    Public(Box<PostDraft>),
    /// The key of a post that the platform says is deleted.
    Deleted(String),
}

/// The page of these items; an item that is not public (`Ok(None)`) only counts as one that stood there.
pub fn page_of(items: &[&Value], read: impl Fn(&Value) -> Result<Option<Drafted>, String>) -> Page {
    let (drafted, bad_items) = wire::read_items(items, read);
    let mut page = Page { bad_items, n_items: items.len(), ..Page::default() };
    for item in drafted {
        match item {
            Drafted::Public(post) => page.posts.push(*post),
            Drafted::Deleted(key) => page.deleted.push(key),
        }
    }
    page
}
