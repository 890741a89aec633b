use std::collections::BTreeSet;

use chrono::{Days, TimeDelta, Weekday};

use super::{end, instant, world};
use crate::model::account::{AccountKind, AccountStatus};
use crate::model::week::{Calendar, Window};
use crate::simulator::content::Shape;
use crate::simulator::planting::CITIZEN_NUMBER;
use crate::simulator::{Behaviour, SimAccount, World};

const CALENDAR: Calendar = Calendar { zone: chrono_tz::Asia::Shanghai, week_starts_on: Weekday::Fri };

fn text_of(account: &SimAccount) -> String {
    account
        .posts
        .iter()
        .map(|post| format!("{}\n{}\n", post.title, post.paragraphs.join("\n")))
        .collect::<Vec<_>>()
        .concat()
}

#[test]
fn the_same_seed_gives_the_same_world() {
    let posts = |world: &World| world.accounts().iter().map(|account| account.posts.clone()).collect::<Vec<_>>();
    assert_eq!(posts(&world()), posts(&world()));
    assert_eq!(world().expected(), world().expected());
    assert_ne!(posts(&world()), posts(&World::new(8, end())));
}

#[test]
fn the_prefecture_has_its_nine_classes_of_accounts() {
    let world = world();
    let counts = [
        (AccountKind::WechatSubscription, 52),
        (AccountKind::Toutiao, 12),
        (AccountKind::Douyin, 15),
        (AccountKind::Weibo, 16),
        (AccountKind::Kuaishou, 3),
        (AccountKind::Baijiahao, 1),
        (AccountKind::People, 2),
        (AccountKind::App, 5),
        (AccountKind::Other, 2),
    ];
    for (kind, expected) in counts {
        assert_eq!(world.accounts().iter().filter(|account| account.kind == kind).count(), expected, "{kind}");
    }
    assert_eq!(world.accounts().iter().map(|account| &account.id).collect::<BTreeSet<_>>().len(), 108);
}

#[test]
fn the_registry_holds_each_problem_that_a_lint_should_find() {
    let world = world();
    let accounts = world.accounts();
    let wechat = accounts.iter().filter(|account| account.kind == AccountKind::WechatSubscription);
    let units: BTreeSet<_> = wechat.clone().map(|account| &account.unit.id).collect();
    assert_eq!(wechat.count() - units.len(), 1, "one unit has two accounts on one platform");
    assert_eq!(accounts.iter().filter(|account| account.filed_on.is_none()).count(), 2);
    assert!(accounts.iter().any(|account| account.channel.host().is_none()));
    assert_eq!(accounts.iter().filter(|account| account.exempt).count(), 1);
    let week = CALENDAR.week_window(CALENDAR.last_closed_week(end()));
    let closed = |account: &&SimAccount| account.status == AccountStatus::Deregistered;
    let posting = accounts.iter().filter(closed).filter(|account| world.pushes(&account.id, week) > 0);
    assert_eq!(posting.count(), 1);
}

#[test]
fn behaviours_keep_their_promises_whatever_day_the_world_ends() {
    for days in 0..7 {
        let now = end() + TimeDelta::days(days);
        let world = World::new(days.unsigned_abs(), now);
        let week = CALENDAR.last_closed_week(now);
        let week_window = CALENDAR.week_window(week);
        let fortnight = CALENDAR.days(week.last_day - Days::new(13), week.last_day);
        let quarter = Window { from: now - TimeDelta::days(93), to: now };
        for account in world.accounts() {
            let pushes = |window| world.pushes(&account.id, window);
            let required = if account.kind == AccountKind::WechatSubscription { 3 } else { 1 };
            match account.behaviour {
                Behaviour::Regular => assert!(pushes(week_window) >= required, "{}", account.id),
                Behaviour::Lazy if required == 3 => assert!((1..=2).contains(&pushes(week_window)), "{}", account.id),
                Behaviour::Lazy => assert!(pushes(week_window) <= 1, "{}", account.id),
                Behaviour::Dormant => assert_eq!(pushes(fortnight), 0, "{}", account.id),
                Behaviour::Dead => assert_eq!(pushes(quarter), 0, "{}", account.id),
            }
            assert!(!account.posts.is_empty(), "{}", account.id);
            assert!(account.posts.iter().all(|post| post.published_at < now), "{}", account.id);
        }
    }
}

#[test]
fn planted_errors_stand_where_the_truth_says_and_nowhere_else() {
    let world = world();
    assert_eq!(world.expected().len(), 14);
    assert!(world.expected().iter().any(|error| error.needs_article_page));
    let texts: Vec<String> = world.accounts().iter().map(text_of).collect();
    for error in world.expected() {
        let account = world.account(&error.account).unwrap();
        let post = account.posts.iter().find(|post| post.key == error.post_key).unwrap();
        assert!(post.paragraphs.iter().any(|paragraph| paragraph.contains(&error.wrong)), "{error:?}");
        let everywhere: usize = texts.iter().map(|text| text.matches(&error.wrong).count()).sum();
        assert_eq!(everywhere, world.expected().iter().filter(|other| other.wrong == error.wrong).count());
    }
}

#[test]
fn a_rectified_error_is_gone_from_text_and_truth() {
    let mut world = world();
    let error = world.expected()[0].clone();
    world.rectify(&error);
    assert_eq!(world.expected().len(), 13);
    let account = world.account(&error.account).unwrap();
    let text = account.posts.iter().find(|post| post.key == error.post_key).unwrap().paragraphs.concat();
    assert!(text.contains(&error.right) && !text.contains(&error.wrong));
}

#[test]
fn articles_have_the_length_of_real_ones_and_no_open_slot() {
    for account in world().accounts() {
        assert!(!text_of(account).contains(['{', '}']), "{}", account.id);
        for post in account.posts.iter().filter(|post| post.paragraphs.len() > 2) {
            let n_chars: usize = post.paragraphs.iter().map(|paragraph| paragraph.chars().count()).sum();
            assert!((150..=600).contains(&n_chars), "{n_chars}: {}", post.title);
        }
    }
}

#[test]
fn articles_of_one_push_share_their_time() {
    let world = world();
    let account = world.accounts().iter().find(|account| account.is_wechat()).unwrap();
    for pair in account.posts.windows(2) {
        assert_eq!(pair[0].push == pair[1].push, pair[0].published_at == pair[1].published_at);
    }
    assert!(account.posts.iter().any(|post| post.index > 1));
}

#[test]
fn all_shapes_of_articles_occur() {
    let world = world();
    for shape in [Shape::Article, Shape::Pictures, Shape::Text] {
        assert!(world.accounts().iter().flat_map(|account| &account.posts).any(|post| post.shape == shape));
    }
}

#[test]
fn the_invented_citizen_number_has_a_valid_checksum() {
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let digits = CITIZEN_NUMBER.bytes().map(|byte| u32::from(byte - b'0'));
    let sum: u32 = digits.zip(weights).map(|(digit, weight)| digit * weight).sum();
    assert_eq!(CITIZEN_NUMBER.as_bytes()[17], b"10X98765432"[sum as usize % 11]);
}

#[test]
fn a_push_is_counted_once_and_only_inside_the_window() {
    let world = world();
    let account = world.accounts().iter().find(|account| account.is_wechat()).unwrap();
    let all = Window { from: instant("2020-01-01T00:00:00Z"), to: end() };
    let times: BTreeSet<_> = account.posts.iter().map(|post| post.published_at).collect();
    assert_eq!(world.pushes(&account.id, all), times.len());
    assert_eq!(world.pushes(&account.id, Window { from: end(), to: end() + TimeDelta::days(1) }), 0);
}
