//! A prefecture's week for tests: 108 accounts in nine classes, all names invented.

use std::collections::HashMap;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc, Weekday};

use super::input::{SourceState, WeeklyInput};
use crate::model::account::{Account, AccountKind, AccountStatus, Freshness, Source, SourceSpec, Unit, UnitLevel};
use crate::model::coverage::{Coverage, Span};
use crate::model::crawl::{Outcome, Reach};
use crate::model::post::CountedPost;
use crate::model::rule::{AppliesTo, CountUnit, DateRange, Exemption, FrequencyRule, RuleLevel, RuleWindow};
use crate::model::violation::{Context, Severity, Tier, Violation, ViolationKind, ViolationState, WordingClass};
use crate::model::violation::{PostRef, ViolationRecord};
use crate::model::week::{Calendar, Week, Window};
use crate::model::{AccountId, ExemptionId, PostId, RuleId, UnitId, ViolationId};

pub const SHANGHAI: Calendar = Calendar { zone: chrono_tz::Asia::Shanghai, week_starts_on: Weekday::Fri };

/// Owns what a [`WeeklyInput`] borrows.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    pub units: Vec<Unit>,
    pub accounts: Vec<Account>,
    pub rules: Vec<FrequencyRule>,
    pub exemptions: Vec<Exemption>,
    pub posts: HashMap<AccountId, Vec<CountedPost>>,
    pub last_post_at: HashMap<AccountId, DateTime<Utc>>,
    pub coverage: HashMap<AccountId, Coverage>,
    pub inactive: HashMap<AccountId, Vec<Window>>,
    pub violations: Vec<ViolationRecord>,
    pub sources: Vec<SourceState>,
    pub registry: Vec<Violation>,
    pub posts_to_fill: u64,
}

pub fn week() -> Week {
    SHANGHAI.week_of(day("2024-05-16"))
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// An instant in Shanghai: `2024-05-12 09:30`.
pub fn at(text: &str) -> DateTime<Utc> {
    let wall = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap();
    wall.and_utc() - TimeDelta::hours(8)
}

impl Sample {
    pub fn input(&self) -> WeeklyInput<'_> {
        WeeklyInput {
            calendar: SHANGHAI,
            week: week(),
            as_of: at("2024-05-17 10:00"),
            office: "青原州政务公开办公室",
            area: "青原州",
            units: &self.units,
            accounts: &self.accounts,
            rules: &self.rules,
            exemptions: &self.exemptions,
            posts: &self.posts,
            last_post_at: &self.last_post_at,
            coverage: &self.coverage,
            inactive: &self.inactive,
            violations: &self.violations,
            sources: &self.sources,
            registry: &self.registry,
            posts_to_fill: self.posts_to_fill,
            lists_version: Some("2024.05"),
        }
    }

    pub fn unit(&mut self, id: &str, name: &str, level: UnitLevel, region: &str) {
        self.units.push(Unit {
            id: UnitId::new(id),
            name: name.to_owned(),
            level,
            region: region.to_owned(),
            supervisor: None,
        });
    }

    /// An active account with one feed that saw the last 30 days.
    pub fn account(&mut self, id: &str, name: &str, unit: &str, kind: AccountKind) -> AccountId {
        let account = AccountId::new(id);
        let url: url::Url = format!("http://127.0.0.1:8001/{id}.xml").parse().unwrap();
        let source = Source::new(&account, url, SourceSpec::Feed { freshness: Freshness::Bridge, bridge: None });
        self.sources.push(SourceState {
            account: account.clone(),
            source: source.id.clone(),
            url: source.url.to_string(),
            outcome: Outcome::Listed,
            last_success_at: Some(at("2024-05-17 09:00")),
            detail: String::new(),
            reach: Reach::SignOfLife(Some(at("2024-05-17 08:40"))),
        });
        self.accounts.push(Account {
            id: account.clone(),
            name: name.to_owned(),
            unit: UnitId::new(unit),
            kind,
            platform_id: None,
            status: AccountStatus::Active,
            filed_on: Some(day("2021-03-01")),
            sources: vec![source],
        });
        self.cover(&account, "2024-04-17 00:00", "2024-05-17 08:40");
        account
    }

    pub fn cover(&mut self, account: &AccountId, from: &str, to: &str) {
        let span = Span::new(Some(at(from)), at(to));
        self.coverage.insert(account.clone(), span.into_iter().collect());
    }

    pub fn post(&mut self, account: &AccountId, published_at: DateTime<Utc>) {
        self.posts.entry(account.clone()).or_default().push(CountedPost {
            published_at,
            push_key: None,
            original: true,
        });
        let last = self.last_post_at.entry(account.clone()).or_insert(published_at);
        *last = published_at.max(*last);
    }

    pub fn rule(&mut self, id: &str, level: RuleLevel, min: u32, window: RuleWindow, kinds: &[AccountKind]) {
        self.rules.push(FrequencyRule {
            id: RuleId::new(id),
            applies_to: AppliesTo { kinds: kinds.to_vec(), ..AppliesTo::default() },
            min,
            count: if level == RuleLevel::Local { CountUnit::Push } else { CountUnit::Post },
            window,
            originals_only: false,
            level,
            effective: DateRange::default(),
            warn_before: None,
            basis: format!("青政办函〔2023〕{min}号第二条"),
        });
    }

    pub fn wording(
        &mut self,
        account: &AccountId,
        title: &str,
        wrong: &str,
        right: Option<&str>,
    ) -> &mut ViolationRecord {
        let id = ViolationId::derive(ViolationKind::Wording, [account.as_str(), title, wrong]);
        self.violations.push(ViolationRecord {
            violation: Violation {
                id,
                kind: ViolationKind::Wording,
                account: account.clone(),
                post: Some(PostId(1)),
                subject: "entry-1".to_owned(),
                severity: Severity::Minor,
                tier: Tier::A,
                class: Some(WordingClass::Typo),
                state: ViolationState::Open,
                message: format!("“{wrong}”为错别字"),
                basis: "现代汉语词典（第7版）".to_owned(),
                found: wrong.to_owned(),
                suggestion: right.map(str::to_owned),
                context: Some(Context {
                    before: "会议要求，全体干部要认真".to_owned(),
                    after: "会议精神，抓好工作落实".to_owned(),
                }),
                span: Some((12, 14)),
                occurrences: 1,
                post_version: Some(1),
                lists_version: Some("2024.05".to_owned()),
                window: None,
                first_seen_at: at("2024-05-14 12:00"),
            },
            post: Some(PostRef {
                title: title.to_owned(),
                url: Some("https://mp.weixin.qq.com/s/AbCdEf012345".to_owned()),
                published_at: Some(at("2024-05-13 17:45")),
            }),
        });
        self.violations.last_mut().unwrap()
    }

    pub fn registry_problem(&mut self, account: &AccountId, check: &str, message: &str) {
        self.registry.push(Violation {
            id: ViolationId::derive(ViolationKind::Registry, [account.as_str(), check]),
            kind: ViolationKind::Registry,
            account: account.clone(),
            post: None,
            subject: check.to_owned(),
            severity: Severity::Minor,
            tier: Tier::A,
            class: None,
            state: ViolationState::Open,
            message: message.to_owned(),
            basis: "政务新媒体备案管理要求".to_owned(),
            found: String::new(),
            suggestion: None,
            context: None,
            span: None,
            occurrences: 1,
            post_version: None,
            lists_version: None,
            window: None,
            first_seen_at: at("2024-05-14 12:00"),
        });
    }
}

/// 108 accounts: 12 short (3 of them of several rules), 8 unverified, 9 wording problems, 3 registry problems.
pub fn prefecture() -> Sample {
    let mut sample = Sample { posts_to_fill: 17, ..Sample::default() };
    rules(&mut sample);
    let classes = [
        (AccountKind::WechatSubscription, 52),
        (AccountKind::Weibo, 16),
        (AccountKind::Douyin, 15),
        (AccountKind::Toutiao, 12),
        (AccountKind::App, 5),
        (AccountKind::Kuaishou, 3),
        (AccountKind::People, 2),
        (AccountKind::Other, 2),
        (AccountKind::Baijiahao, 1),
    ];
    let bureaus = ["教育局", "水务局", "林草局", "交通运输局", "文旅局", "卫健委", "民政局", "司法局", "农业农村局"];
    let regions = ["青原州", "河曲县", "云岭县", "石门县", "白塔市"];
    for (index, region) in regions.iter().enumerate() {
        let (level, prefix) = if index == 0 { (UnitLevel::Prefecture, "州") } else { (UnitLevel::County, *region) };
        for (bureau_index, bureau) in bureaus.iter().enumerate() {
            sample.unit(&format!("u{index}{bureau_index}"), &format!("{prefix}{bureau}"), level, region);
        }
    }
    let mut number: usize = 0;
    for (kind, n) in classes {
        for _ in 0..n {
            let (region, bureau) = (number / 9 % 5, number % 9);
            let place = if region == 0 { "青原" } else { regions[region].trim_end_matches(['县', '市']) };
            let topic = bureaus[bureau].trim_end_matches(['局', '委']);
            let account = sample.account(
                &format!("a{number:03}"),
                &format!("{place}{topic}发布"),
                &format!("u{region}{bureau}"),
                kind,
            );
            write_posts(&mut sample, &account, number);
            number += 1;
        }
    }
    troubles(&mut sample);
    problems(&mut sample);
    sample
}

fn rules(sample: &mut Sample) {
    use AccountKind::{Douyin, Kuaishou, WechatChannels, WechatService, WechatSubscription};
    sample.rule("state-14-days", RuleLevel::Veto, 1, RuleWindow::RollingDays(14), &[]);
    sample.rule("province-weekly", RuleLevel::Provincial, 1, RuleWindow::Week, &[]);
    sample.rule("local-subscription-weekly", RuleLevel::Local, 3, RuleWindow::Week, &[WechatSubscription]);
    sample.rule(
        "local-video-weekly",
        RuleLevel::Local,
        1,
        RuleWindow::Week,
        &[WechatService, WechatChannels, Douyin, Kuaishou],
    );
}

fn write_posts(sample: &mut Sample, account: &AccountId, number: usize) {
    let first_day = day("2024-05-03");
    for offset in 0..14_u64 {
        let in_report_week = offset >= 7;
        let quiet = match number {
            5 | 30 => true,
            2 | 8 | 14 | 20 | 26 | 32 | 38 | 44 | 50 => in_report_week && offset > 8,
            // Last week was worse.
            16..=19 => !in_report_week && offset > 1,
            1 | 7 | 11 | 13 | 60 | 70 | 80 | 90 | 100 | 107 => in_report_week,
            _ => offset % 7 == 3,
        };
        if !quiet {
            let start = SHANGHAI.start_of(first_day + Days::new(offset));
            sample.post(account, start + TimeDelta::minutes(9 * 60 + i64::try_from(number).unwrap()));
        }
    }
}

fn troubles(sample: &mut Sample) {
    let state = |sample: &mut Sample, id: &str, outcome, success: Option<&str>, reach: Reach, detail: &str| {
        let state = sample.sources.iter_mut().find(|state| state.account.as_str() == id).unwrap();
        state.outcome = outcome;
        state.last_success_at = success.map(at);
        state.reach = reach;
        detail.clone_into(&mut state.detail);
    };
    let silent = Reach::SignOfLife(Some(at("2024-05-12 08:05")));
    for id in ["a001", "a007", "a013"] {
        state(sample, id, Outcome::Listed, Some("2024-05-17 09:00"), silent, "");
        sample.cover(&AccountId::new(id), "2024-04-17 00:00", "2024-05-12 08:05");
    }
    state(sample, "a070", Outcome::RateLimited, Some("2024-05-13 21:10"), silent, "429, retry after 3600 s");
    sample.cover(&AccountId::new("a070"), "2024-05-01 00:00", "2024-05-12 08:05");
    state(sample, "a080", Outcome::LoginNeeded, None, Reach::Listing, "redirected to the login page");
    sample.coverage.remove(&AccountId::new("a080"));
    sample.cover(&AccountId::new("a090"), "2024-05-14 12:00", "2024-05-17 08:40");
    for id in ["a100", "a107"] {
        sample.coverage.remove(&AccountId::new(id));
        sample.sources.retain(|state| state.account.as_str() != id);
        sample
            .accounts
            .iter_mut()
            .filter(|account| account.id.as_str() == id)
            .for_each(|account| account.sources.clear());
    }
    sample.accounts[106].status = AccountStatus::Closing;
    sample.exemptions.push(Exemption {
        id: ExemptionId::new("x-1"),
        account: AccountId::new("a030"),
        rules: Vec::new(),
        from: day("2024-04-01"),
        to: day("2024-06-30"),
        reason: "系统迁移".to_owned(),
        reported_by: "报备函".to_owned(),
    });
}

fn problems(sample: &mut Sample) {
    let id = |number: usize| AccountId::new(format!("a{number:03}"));
    let pairs = [
        (0, "我局召开党组理论学习中心组学习会议", "贯策", "贯彻"),
        (0, "我局召开党组理论学习中心组学习会议", "布署", "部署"),
        (3, "全县春季植树造林工作推进会召开", "按装", "安装"),
        (9, "河曲县开展水利工程安全检查", "帐目", "账目"),
        (22, "致全市广大游客的一封信", "渡假", "度假"),
        (33, "农村公路养护专项行动启动", "松驰", "松弛"),
        (41, "走进校园宣讲法律知识", "穿流不息", "川流不息"),
        (58, "关于做好高温天气防范工作的提示", "既使", "即使"),
    ];
    for (number, title, wrong, right) in pairs {
        sample.wording(&id(number), title, wrong, Some(right));
    }
    sample.violations[1].violation.state = ViolationState::Rectified;
    sample.violations[2].violation.severity = Severity::Major;
    let privacy = sample.wording(&id(47), "困难群众临时救助公示", "6228***********1234", None);
    privacy.violation.class = Some(WordingClass::Privacy);
    privacy.violation.severity = Severity::Serious;
    privacy.violation.message = "疑似公开个人银行卡号，应当删除或者遮盖".to_owned();
    for number in [4, 6] {
        let suspect = sample.wording(&id(number), "本周工作动态", "截止", Some("截至"));
        suspect.violation.tier = Tier::B;
        suspect.violation.state = ViolationState::Suspect;
    }
    sample.registry_problem(&id(45), "several-accounts", "同一单位在微信订阅号平台开设2个账号，应当清理整合");
    sample.registry_problem(&id(62), "unfiled", "账号未登记备案日期");
    sample.registry_problem(&id(100), "no-source", "账号未配置采集来源");
}
