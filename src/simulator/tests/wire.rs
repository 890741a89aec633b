use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{end, world};
use crate::simulator::content::Shape;
use crate::simulator::pages::{self, Notice, js_text};
use crate::simulator::registry::FeedStyle;
use crate::simulator::render::{self, Addresses, FEED_ITEMS_MAX};
use crate::simulator::{HostName, SimAccount, World};

fn addresses() -> Addresses {
    Addresses(BTreeMap::from([
        (HostName::Articles, "http://127.0.0.1:9001".to_owned()),
        (HostName::Site, "http://127.0.0.1:9002".to_owned()),
    ]))
}

fn wechat(world: &World) -> &SimAccount {
    world.accounts().iter().find(|account| account.is_wechat() && account.posts.len() > FEED_ITEMS_MAX).unwrap()
}

#[test]
fn every_style_of_feed_can_be_read_and_lists_the_newest_posts() {
    let world = world();
    let account = wechat(&world);
    let styles = [
        FeedStyle::RssHub,
        FeedStyle::Atom,
        FeedStyle::JsonFeed10,
        FeedStyle::JsonFeed11,
        FeedStyle::WeMpRss,
        FeedStyle::WechatFeeds,
    ];
    for style in styles {
        let body = render::feed(style, account, &account.posts, &addresses(), end());
        let feed = feed_rs::parser::parse(body.as_bytes()).unwrap();
        assert_eq!(feed.entries.len(), FEED_ITEMS_MAX, "{style:?}");
        let newest = account.posts.last().unwrap();
        let entry = feed.entries.iter().find(|entry| entry.links[0].href.ends_with(&newest.key)).unwrap();
        assert_eq!(entry.title.as_ref().unwrap().content, newest.title, "{style:?}");
        if style == FeedStyle::WeMpRss {
            assert!(!body.contains("GMT") && !body.contains("+0800"));
        } else {
            assert_eq!(entry.published.or(entry.updated), Some(newest.published_at), "{style:?}");
        }
    }
}

#[test]
fn a_feed_without_posts_is_still_a_valid_feed() {
    let world = world();
    for style in [FeedStyle::RssHub, FeedStyle::Atom, FeedStyle::JsonFeed11] {
        let body = render::feed(style, wechat(&world), &[], &addresses(), end());
        assert!(feed_rs::parser::parse(body.as_bytes()).unwrap().entries.is_empty(), "{style:?}");
    }
}

#[test]
fn planted_words_survive_the_inline_tag() {
    let world = world();
    let planted = |key: &str| world.expected().iter().any(|error| error.post_key == key);
    let posts: Vec<_> = world.accounts().iter().flat_map(|account| &account.posts).collect();
    assert!(posts.iter().any(|post| post.split_words.is_some()));
    for post in posts.into_iter().filter(|post| planted(&post.key)) {
        let html = render::post_html(post);
        let text: String = scraper::Html::parse_fragment(&html).root_element().text().collect();
        assert_eq!(text, post.paragraphs.concat());
        if let Some(words) = &post.split_words {
            assert!(!html.contains(words.as_str()));
        }
    }
}

#[test]
fn an_article_page_has_the_marks_of_its_shape() {
    let world = world();
    for shape in [Shape::Article, Shape::Pictures, Shape::Text] {
        let wechat = world.accounts().iter().filter(|account| account.is_wechat());
        let mut articles = wechat.flat_map(|account| account.posts.iter().map(move |post| (account, post)));
        let (account, post) = articles.find(|(_, post)| post.shape == shape).unwrap();
        let page = pages::article(account, post, &addresses());
        assert_eq!(page.matches("id=\"js_article\"").count(), 1);
        assert!(page.contains("window.cgiDataNew = {"));
        assert!(page.contains(&format!("item_show_type: '{}' * 1", shape.number())));
        assert!(page.contains(&post.published_at.timestamp().to_string()));
        assert_eq!(page.contains("id=\"js_content\""), shape != Shape::Pictures);
        assert_eq!(page.contains("text_page_info"), shape == Shape::Text);
        assert_eq!(page.contains("var ct = "), shape == Shape::Article);
    }
}

#[test]
fn a_notice_names_no_article() {
    for (_, notice) in Notice::ALL {
        let page = pages::notice(notice);
        assert!(!page.contains("js_article") && !page.contains("cgiDataNew"), "{notice:?}");
    }
}

#[test]
fn list_pages_show_every_post_once_and_lead_to_the_oldest() {
    let world = world();
    let account = world.accounts().iter().find(|account| !account.is_wechat() && account.posts.len() > 20).unwrap();
    let pages = pages::list_pages(account, &addresses());
    let select = |text: &str| scraper::Selector::parse(text).unwrap();
    let (mut n_items, mut n_next) = (0, 0);
    for page in &pages {
        let html = scraper::Html::parse_document(page);
        n_next += html.select(&select(pages::selectors::NEXT)).count();
        for item in html.select(&select(pages::selectors::ITEM)) {
            n_items += 1;
            let date: String = item.select(&select(pages::selectors::DATE)).next().unwrap().text().collect();
            assert!(chrono::NaiveDate::parse_from_str(&date, pages::selectors::DATE_FORMAT).is_ok());
            let link = item.select(&select(pages::selectors::LINK)).next().unwrap();
            assert!(link.attr("href").unwrap().starts_with("/p/"));
        }
    }
    assert_eq!(n_items, account.posts.len());
    assert_eq!(n_next, pages.len() - 1);
}

/// Takes `\xNN` back.
fn js_decode(text: &str) -> String {
    let mut parts = text.split("\\x");
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        decoded.push(char::from(u8::from_str_radix(&part[..2], 16).unwrap()));
        decoded.push_str(&part[2..]);
    }
    decoded
}

proptest! {
    #[test]
    fn any_text_stays_within_the_quotes_of_a_script(text in ".*") {
        let escaped = js_text(&text);
        prop_assert!(!escaped.contains(['\'', '"', '<', '\n']));
        prop_assert_eq!(js_decode(&escaped), text);
    }
}
