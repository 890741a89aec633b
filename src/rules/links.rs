//! Which links of a post are checked, what an answer means, and when a link counts as wrong (错链死链). Pure.
//!
//! Invariant: a link is called dead only where it was dead on two different days and never answered in between. Every
//! other trouble (refused, slow, broken, our own network) says nothing of it. A host that is in no list is no suspect.

use chrono::{DateTime, TimeDelta, Utc};
use url::Url;

use crate::config::settings::LinkSettings;
use crate::model::account::authority_of;
use crate::model::link::LinkState;
use crate::model::post::Link;
use crate::model::violation::{Severity, Tier};
use crate::model::week::Calendar;

/// Links of one post that are checked at most.
pub const LINKS_PER_POST_MAX: usize = 50;
/// Longest checked address, in bytes; an index holds it.
const URL_BYTES_MAX: usize = 2_000;
/// A link that did not clearly work is asked again after this long: on the next day, also where the daily run comes
/// a little earlier than the day before.
const BAD_AGAIN_AFTER: TimeDelta = TimeDelta::hours(20);
/// The shortest anchor text that is looked for in the post.
const ANCHOR_CHARS_MIN: usize = 2;

/// A link to be checked: its address in the form in which it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedLink {
    pub url: String,
    /// The words of the anchor.
    pub text: String,
}

/// The web links of a post, each once; not those to the platforms' own articles.
pub fn links_to_check(links: &[Link], article_hosts: &[String]) -> Vec<CheckedLink> {
    let mut checked: Vec<CheckedLink> = Vec::new();
    for link in links {
        let Some(url) = web_address(&link.href) else { continue };
        let url_text = url.as_str();
        if article_hosts.contains(&authority_of(&url)) || checked.iter().any(|known| known.url == url_text) {
            continue;
        }
        checked.push(CheckedLink { url: url.into(), text: link.text.clone() });
        if checked.len() == LINKS_PER_POST_MAX {
            break;
        }
    }
    checked
}

fn web_address(href: &str) -> Option<Url> {
    let mut url = Url::parse(href.trim()).ok()?;
    url.set_fragment(None);
    let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
    let has_login = !url.username().is_empty() || url.password().is_some();
    (is_web && !has_login && url.as_str().len() <= URL_BYTES_MAX).then_some(url)
}

/// Whether a link leads to a shop or betting site of the list. Public hosts never do.
pub fn is_suspect(url: &str, settings: &LinkSettings) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    let is_under = |domain: &String| {
        host.strip_suffix(domain.as_str()).is_some_and(|before| before.is_empty() || before.ends_with('.'))
    };
    let wears = |pattern: &String| {
        if pattern.contains('.') { is_under(pattern) } else { host.split(['.', '-']).any(|part| part == pattern) }
    };
    !settings.public_hosts.iter().any(is_under) && settings.suspect_hosts.iter().any(wears)
}

/// What asking a link brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The status of the page that the redirects led to.
    Status(u16),
    /// The name server says that there is no such host.
    NoSuchHost,
    /// No answer that says anything of the link.
    Failed(String),
}

/// How a link stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub state: LinkState,
    /// The status that speaks for the state; none where no host answered.
    pub status: Option<u16>,
    /// The last answer, for the operator.
    pub detail: String,
    /// Since when every clear answer was bad.
    pub first_bad_at: Option<DateTime<Utc>>,
}

impl Standing {
    /// Nobody has asked yet.
    pub fn unchecked() -> Self {
        Self { state: LinkState::Unchecked, status: None, detail: String::new(), first_bad_at: None }
    }

    /// How the link stands after a further answer.
    #[must_use]
    pub fn after(&self, answer: &Answer, now: DateTime<Utc>, calendar: Calendar) -> Self {
        let (status, detail) = match answer {
            Answer::Status(status) => (Some(*status), format!("HTTP {status}")),
            Answer::NoSuchHost => (None, "no such host".to_owned()),
            Answer::Failed(detail) => (None, detail.clone()),
        };
        match answer {
            Answer::Status(200..=399) => Self { state: LinkState::Alive, status, detail, first_bad_at: None },
            Answer::Status(404 | 410) | Answer::NoSuchHost => {
                let first_bad_at = self.first_bad_at.unwrap_or(now);
                let is_confirmed =
                    self.state == LinkState::Dead || calendar.day_of(first_bad_at) < calendar.day_of(now);
                let state = if is_confirmed { LinkState::Dead } else { LinkState::Doubtful };
                Self { state, status, detail, first_bad_at: Some(first_bad_at) }
            }
            // What was known of a bad link stays known.
            Answer::Status(_) | Answer::Failed(_) if self.first_bad_at.is_some() => Self { detail, ..self.clone() },
            Answer::Status(_) | Answer::Failed(_) => {
                Self { state: LinkState::Trouble, status, detail, first_bad_at: None }
            }
        }
    }

    /// When the link is asked next.
    pub fn next_due(&self, now: DateTime<Utc>, settings: &LinkSettings) -> DateTime<Utc> {
        match self.state {
            LinkState::Alive => now + TimeDelta::from_std(settings.recheck_after).unwrap_or(BAD_AGAIN_AFTER),
            LinkState::Unchecked | LinkState::Trouble | LinkState::Doubtful | LinkState::Dead => now + BAD_AGAIN_AFTER,
        }
    }
}

/// What is wrong with a link of a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkProblem {
    /// The check that found it.
    pub subject: &'static str,
    pub severity: Severity,
    pub tier: Tier,
    pub message: String,
    pub basis: &'static str,
}

/// The problem with a link, where there is one.
pub fn problem_of(link: &CheckedLink, standing: &Standing, settings: &LinkSettings) -> Option<LinkProblem> {
    let name = if link.text.is_empty() { "链接".to_owned() } else { format!("链接“{}”", link.text) };
    if is_suspect(&link.url, settings) {
        return Some(LinkProblem {
            subject: "suspect-link",
            severity: Severity::Major,
            tier: Tier::B,
            message: format!("{name}指向商业或博彩类网站，疑似错链，请核实"),
            basis: "国办秘函〔2019〕19号单项否决指标（发布或链接不良内容）；政务新媒体检查要点：商业广告",
        });
    }
    (standing.state == LinkState::Dead).then(|| {
        let reason = match standing.status {
            Some(410) => "页面已撤除（410）",
            Some(_) => "页面不存在（404）",
            None => "域名无法解析",
        };
        LinkProblem {
            subject: "dead-link",
            severity: Severity::Minor,
            tier: Tier::A,
            message: format!("{name}无法访问：{reason}，已在两个不同日期核查"),
            basis: "国办秘函〔2019〕19号；政务新媒体检查要点：链接无法访问",
        }
    })
}

/// Where the anchor stands in the text, in characters; `None` where it stands nowhere or more than once.
pub fn anchor_span(text: &str, anchor: &str) -> Option<(usize, usize)> {
    let n_chars = anchor.chars().count();
    let (start, _) = text.match_indices(anchor).next().filter(|_| n_chars >= ANCHOR_CHARS_MIN)?;
    if text[start + anchor.len()..].contains(anchor) {
        return None;
    }
    let start = text[..start].chars().count();
    Some((start, start + n_chars))
}

#[cfg(test)]
mod tests {
    use chrono_tz::Asia::Shanghai;

    use super::*;

    const CALENDAR: Calendar = Calendar { zone: Shanghai, week_starts_on: chrono::Weekday::Fri };

    fn link(href: &str) -> Link {
        Link { href: href.to_owned(), text: "办事指南".to_owned() }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn after(answers: &[(&str, Answer)]) -> Standing {
        answers.iter().fold(Standing::unchecked(), |standing, (now, answer)| standing.after(answer, at(now), CALENDAR))
    }

    #[test]
    fn web_links_are_checked_once_each_and_articles_never() {
        let hrefs = [
            "https://www.example.gov.cn/a#top",
            "https://www.example.gov.cn/a",
            "https://mp.weixin.qq.com/s/x",
            "javascript:void(0)",
            "mailto:a@example.cn",
            "tel:12345",
            "/relative",
            "http://user:secret@example.cn/",
            "HTTP://Example.CN:80/b",
        ];
        let links: Vec<Link> = hrefs.iter().map(|href| link(href)).collect();
        let checked = links_to_check(&links, &["mp.weixin.qq.com".to_owned()]);
        let urls: Vec<&str> = checked.iter().map(|link| link.url.as_str()).collect();
        assert_eq!(urls, ["https://www.example.gov.cn/a", "http://example.cn/b"]);
        let many: Vec<Link> = (0..200).map(|n| link(&format!("http://example.cn/{n}"))).collect();
        assert_eq!(links_to_check(&many, &[]).len(), LINKS_PER_POST_MAX);
        assert!(links_to_check(&[link(&format!("http://a.cn/{}", "x".repeat(2_000)))], &[]).is_empty());
    }

    #[test]
    fn only_listed_hosts_are_suspects() {
        let settings = LinkSettings::default();
        let suspect = |url: &str| is_suspect(url, &settings);
        for url in
            ["https://item.taobao.com/i?id=1", "https://taobao.com/", "http://www.bet365-vip.cc/", "http://1xbet.top."]
        {
            assert!(suspect(url), "{url}");
        }
        for url in [
            "https://www.gov.cn/",
            "https://nottaobao.com/",
            "https://taobao.com.example.cn/",
            "https://bet365.example.gov.cn/",
            "https://alphabet365.com/",
            "https://unknown.example/",
        ] {
            assert!(!suspect(url), "{url}");
        }
    }

    #[test]
    fn dead_counts_on_the_second_day_of_the_zone() {
        let dead = || Answer::Status(404);
        // Both on 2026-11-20 in Shanghai, though on two days in UTC.
        let same_day = after(&[("2026-11-19T17:00:00Z", dead()), ("2026-11-20T15:00:00Z", dead())]);
        assert_eq!(same_day.state, LinkState::Doubtful);
        let next_day = after(&[("2026-11-20T15:00:00Z", dead()), ("2026-11-20T17:00:00Z", Answer::NoSuchHost)]);
        assert_eq!((next_day.state, next_day.status), (LinkState::Dead, None));
        assert_eq!(next_day.first_bad_at, Some(at("2026-11-20T15:00:00Z")));
    }

    #[test]
    fn an_answer_between_two_bad_days_starts_the_count_anew() {
        let answers = [
            ("2026-11-20T02:00:00Z", Answer::Status(410)),
            ("2026-11-21T02:00:00Z", Answer::Status(200)),
            ("2026-11-22T02:00:00Z", Answer::Status(410)),
        ];
        assert_eq!(after(&answers[..2]).state, LinkState::Alive);
        assert_eq!(after(&answers).state, LinkState::Doubtful);
    }

    #[test]
    fn trouble_is_never_bad_and_never_good() {
        for status in [400, 401, 403, 405, 429, 451, 500, 503] {
            let answers =
                [("2026-11-20T02:00:00Z", Answer::Status(status)), ("2026-11-22T02:00:00Z", Answer::Status(status))];
            assert_eq!(after(&answers).state, LinkState::Trouble, "{status}");
        }
        let failed = || Answer::Failed("timeout".to_owned());
        let dead = after(&[
            ("2026-11-20T02:00:00Z", Answer::Status(404)),
            ("2026-11-21T02:00:00Z", failed()),
            ("2026-11-22T02:00:00Z", Answer::Status(404)),
            ("2026-11-23T02:00:00Z", failed()),
        ]);
        assert_eq!((dead.state, dead.status, dead.detail.as_str()), (LinkState::Dead, Some(404), "timeout"));
    }

    #[test]
    fn a_working_link_is_left_alone_and_a_bad_one_asked_again_the_next_day() {
        let settings = LinkSettings::default();
        let now = at("2026-11-20T02:00:00Z");
        let due_in = |answer| Standing::unchecked().after(&answer, now, CALENDAR).next_due(now, &settings) - now;
        assert_eq!(due_in(Answer::Status(200)), TimeDelta::days(7));
        assert_eq!(due_in(Answer::Status(404)), BAD_AGAIN_AFTER);
    }

    #[test]
    fn an_anchor_is_placed_only_where_it_stands_once() {
        assert_eq!(anchor_span("请看办事指南。", "办事指南"), Some((2, 6)));
        assert_eq!(anchor_span("办事指南、办事指南", "办事指南"), None);
        assert_eq!(anchor_span("请看", "看"), None);
        assert_eq!(anchor_span("请看", ""), None);
    }
}
