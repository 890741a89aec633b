//! The errors that the world holds on purpose, so that a check can be compared with the truth. Pure.

use chrono::{DateTime, TimeDelta, Utc};

use super::content::{Shape, SimAccount};
use super::registry::{Channel, FeedStyle};
use crate::model::AccountId;
use crate::model::violation::WordingClass;

/// Planted posts are at most this old.
const AGE_MAX: TimeDelta = TimeDelta::days(14);
/// Planted posts are among this many newest posts of the account, so that every feed lists them.
const NEWEST_MAX: usize = 16;

/// An error that stands in a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlantedError {
    pub account: AccountId,
    /// [`super::SimPost::key`]; the end of the post's link.
    pub post_key: String,
    /// The wrong words as they stand in the text; personal data unmasked.
    pub wrong: String,
    /// The right form; for personal data, what it is replaced with.
    pub right: String,
    pub class: WordingClass,
    /// The listing shows only the title: the words are found once the article page was read.
    pub needs_article_page: bool,
}

/// A sentence with an error: sentence, wrong words, right words, class.
struct Plant(&'static str, &'static str, &'static str, WordingClass);

/// `{}` stands for the wrong words. The mobile number and the citizen number are invented: no area has the code
/// 629999, and its checksum is right.
const PLANTS: &[Plant] = &[
    Plant("会议对下一阶段重点任务进行了{}，要求各有关部门按照分工抓好落实。", "布署", "部署", WordingClass::Typo),
    Plant("群众可以通过窗口、信函等方式{}，工作人员将逐一登记答复。", "反应情况", "反映情况", WordingClass::Wording),
    Plant("{}，全州已办结各类便民服务事项三千二百余件。", "截止目前", "截至目前", WordingClass::Wording),
    Plant("工作人员现场讲解了合同双方的{}，提醒居民依法维护自身权益。", "权力义务", "权利义务", WordingClass::Wording),
    Plant(
        "宣讲员向参加活动的群众介绍了《{}宪法》的主要内容。",
        "中华人民共合国",
        "中华人民共和国",
        WordingClass::Protected,
    ),
    Plant("有意报名的居民可拨打活动联系人电话{}咨询。", "19900010002", "略", WordingClass::Privacy),
    Plant(
        "公示期内对补贴对象（身份证号{}）有异议的，可向乡镇人民政府提出。",
        CITIZEN_NUMBER,
        "略",
        WordingClass::Privacy,
    ),
];

/// Invented: area 629999 is assigned to no place.
pub(super) const CITIZEN_NUMBER: &str = "629999198507140039";

/// Puts every plant into two posts of accounts whose text can be seen.
pub(super) fn plant(accounts: &mut [SimAccount], seed: u64, end: DateTime<Utc>) -> Vec<PlantedError> {
    let mut rng = fastrand::Rng::with_seed(seed ^ 0x5EED);
    let mut places = places(accounts, end);
    // The one style without text in its listing always holds an error: reading article pages is worth it.
    let unread = |place: &(usize, usize)| needs_page(&accounts[place.0]);
    rng.shuffle(&mut places);
    if let Some(place) = places.iter().position(unread) {
        places.swap(0, place);
    }
    let mut planted = Vec::new();
    for (number, (account, post)) in places.into_iter().take(2 * PLANTS.len()).enumerate() {
        let Plant(sentence, wrong, right, class) = &PLANTS[number % PLANTS.len()];
        let account = &mut accounts[account];
        let needs_article_page = needs_page(account);
        let post = &mut account.posts[post];
        let place = post.paragraphs.len() - 1;
        post.paragraphs.insert(place, sentence.replace("{}", wrong));
        // In the second round the page splits the words with an inline tag.
        post.split_words = (number >= PLANTS.len()).then(|| (*wrong).to_owned());
        planted.push(PlantedError {
            account: account.id.clone(),
            post_key: post.key.clone(),
            wrong: (*wrong).to_owned(),
            right: (*right).to_owned(),
            class: *class,
            needs_article_page,
        });
    }
    planted
}

fn needs_page(account: &SimAccount) -> bool {
    account.channel == Channel::Bridge(FeedStyle::WechatFeeds)
}

/// Account and post numbers of the recent long posts that a crawl can read.
fn places(accounts: &[SimAccount], end: DateTime<Utc>) -> Vec<(usize, usize)> {
    let mut places = Vec::new();
    for (number, account) in accounts.iter().enumerate().filter(|(_, account)| account.channel.shows_text()) {
        let newest_first = account.posts.iter().enumerate().rev().take(NEWEST_MAX);
        let fit = newest_first.filter(|(_, post)| {
            end - post.published_at < AGE_MAX && post.shape == Shape::Article && post.paragraphs.len() > 2
        });
        places.extend(fit.map(|(post, _)| (number, post)));
    }
    places
}
