//! Disorder in the registry itself: one platform with several accounts of a unit, accounts that are not filed or that
//! nobody can see, two accounts with one source, posts of an account that is said to be gone.
//!
//! Pure: the registry, what is known of each account's last posts, findings out. Configuration has already refused what
//! cannot be true (duplicate ids, dangling references); what stands here can be true but should not be.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

use chrono::{DateTime, NaiveDate, Utc};

use crate::model::account::{Account, AccountKind, AccountStatus, SourceSpec, Unit, labelled_enum};
use crate::model::crawl::Outcome;
use crate::model::violation::{Severity, Tier, ViolationKind};
use crate::model::week::{Calendar, Window};
use crate::model::{AccountId, PostId, UnitId, ViolationId};

labelled_enum! {
    /// What is out of order.
    RegistryCheck {
        /// A unit keeps several accounts on one platform.
        SeveralAccounts = "several_accounts", "一平台多账号";
        Unfiled = "unfiled", "未备案";
        NoSource = "no_source", "无采集来源";
        SharedSource = "shared_source", "采集来源重复";
        /// Posts after the day of deregistration.
        PostsAfterEnd = "posts_after_end", "注销后仍发布";
        /// The platform shows another name than the registry.
        Renamed = "renamed", "名称与登记不一致";
        /// The platform showed the account as verified, and does not any more.
        VerificationLost = "verification_lost", "认证失效";
        /// The platform says that the account is cancelled, banned or moved.
        Gone = "gone", "账号已不可用";
        /// A source that cannot show accounts of this kind.
        MisfitSource = "misfit_source", "采集来源与账号类型不符";
        /// No post for a while (see [`super::watch`]).
        Dormant = "dormant", "长期未更新";
        /// No post for months.
        Zombie = "zombie", "停止更新";
        /// Problems in several reporting weeks of one month.
        RepeatOffender = "repeat_offender", "一月内多次出现问题";
        /// A suspect: a post claims a publish time at which it was provably not there (see [`super::backdate`]).
        Backdated = "backdated", "疑似倒填发布时间";
    }
}

impl RegistryCheck {
    /// Whether the unit must act. What is missing in our own registry file is no problem of the unit and stands in no
    /// report.
    pub fn concerns_unit(self) -> bool {
        match self {
            Self::SeveralAccounts
            | Self::Unfiled
            | Self::PostsAfterEnd
            | Self::Renamed
            | Self::VerificationLost
            | Self::Gone
            | Self::Dormant
            | Self::Zombie
            | Self::RepeatOffender
            | Self::Backdated => true,
            Self::NoSource | Self::SharedSource | Self::MisfitSource => false,
        }
    }
}

/// Something that a person should put in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryFinding {
    pub check: RegistryCheck,
    /// The account concerned; of several, the first in the order of ids.
    pub account: AccountId,
    /// The other accounts concerned, in the order of ids.
    pub also: Vec<AccountId>,
    pub severity: Severity,
    /// One Chinese sentence for the person who must act.
    pub message: String,
    /// The document behind the check; empty where it is a matter of our own work.
    pub basis: &'static str,
    /// What it is called, where the settings or the findings say it better than [`RegistryCheck::label`].
    pub label: Option<String>,
    /// The span it speaks of.
    pub window: Option<Window>,
    /// The post it is about.
    pub post: Option<PostId>,
    /// The unit and platform, or the address, that makes this the same finding on every run.
    subject: String,
}

impl RegistryFinding {
    /// What people call it.
    pub fn label(&self) -> &str {
        self.label.as_deref().unwrap_or(self.check.label())
    }

    /// How firmly it stands: what may have an innocent explanation is a suspect and waits for a person.
    pub fn tier(&self) -> Tier {
        if self.check == RegistryCheck::Backdated { Tier::B } else { Tier::A }
    }

    /// The parts that make this the same problem on every run.
    pub fn natural_key(&self) -> [&str; 2] {
        [self.check.as_str(), &self.subject]
    }

    pub fn violation_id(&self) -> ViolationId {
        ViolationId::derive(ViolationKind::Registry, self.natural_key())
    }
}

/// What is known of an account's life beyond the registry.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct AccountActivity {
    pub last_published_at: Option<DateTime<Utc>>,
    /// Day on which the account was recorded as deregistered, where that is known.
    pub deregistered_on: Option<NaiveDate>,
    /// The name that the platform shows.
    pub shown_name: Option<String>,
    /// It was shown as verified once, and is not any more.
    pub verification_lost: bool,
    /// What the platform said of the account itself, more than once and last.
    pub gone: Option<Outcome>,
}

const BASIS_ONE_ACCOUNT: &str = "《国务院办公厅关于推进政务新媒体健康有序发展的意见》（国办发〔2018〕123号）：一个单位原则上在同一第三方平台只开设一个账号";
const BASIS_UPDATE: &str = "国务院办公厅秘书局《政府网站与政务新媒体检查指标》（国办秘函〔2019〕19号）：内容不更新";
const BASIS_HONESTY: &str = "国务院办公厅秘书局《政府网站与政务新媒体检查指标》（国办秘函〔2019〕19号）：弄虚作假";
const BASIS_FILING: &str = "《国务院办公厅关于推进政务新媒体健康有序发展的意见》（国办发〔2018〕123号）：开设、变更、关停、注销应向主管单位备案";

/// Every finding, ordered by check, then by account. `activity` may know nothing: then nothing is claimed from it.
pub fn lint<S: BuildHasher>(
    units: &[Unit],
    accounts: &[Account],
    activity: &HashMap<AccountId, AccountActivity, S>,
    calendar: Calendar,
) -> Vec<RegistryFinding> {
    let names: HashMap<&UnitId, &str> = units.iter().map(|unit| (&unit.id, unit.name.as_str())).collect();
    let mut findings = several_accounts(accounts, &names);
    findings.extend(accounts.iter().filter_map(unfiled));
    findings.extend(accounts.iter().filter_map(no_source));
    findings.extend(shared_sources(accounts));
    findings
        .extend(accounts.iter().filter_map(|account| posts_after_end(account, activity.get(&account.id)?, calendar)));
    for account in accounts.iter().filter(|account| is_in_use(account)) {
        if let Some(activity) = activity.get(&account.id) {
            findings.extend(drift(account, activity));
        }
    }
    findings.extend(accounts.iter().flat_map(misfit_sources));
    findings.sort_by(|a, b| (a.check, &a.account, &a.subject).cmp(&(b.check, &b.account, &b.subject)));
    findings
}

/// Accounts that are in use: they count, and somebody must be able to see them.
fn is_in_use(account: &Account) -> bool {
    matches!(account.status, AccountStatus::Active | AccountStatus::Suspended)
}

/// On these kinds a second account is no disorder: an app or site is not an account on somebody's platform, and
/// nobody knows what `other` is.
fn is_one_platform(kind: AccountKind) -> bool {
    !matches!(kind, AccountKind::App | AccountKind::Website | AccountKind::Other)
}

fn several_accounts(accounts: &[Account], names: &HashMap<&UnitId, &str>) -> Vec<RegistryFinding> {
    let mut by_platform: BTreeMap<(&UnitId, AccountKind), Vec<&Account>> = BTreeMap::new();
    for account in accounts.iter().filter(|account| is_in_use(account) && is_one_platform(account.kind)) {
        by_platform.entry((&account.unit, account.kind)).or_default().push(account);
    }
    by_platform
        .into_iter()
        .filter(|(_, accounts)| accounts.len() > 1)
        .map(|((unit, kind), accounts)| {
            let message = format!(
                "{}在{}平台开设{}个账号：{}。请保留一个，其余按程序注销或整合。",
                names.get(unit).copied().unwrap_or(unit.as_str()),
                kind.label(),
                accounts.len(),
                names_of(&accounts),
            );
            finding(RegistryCheck::SeveralAccounts, &accounts, Severity::Major, message, format!("{unit}/{kind}"))
        })
        .collect()
}

fn unfiled(account: &Account) -> Option<RegistryFinding> {
    (account.status == AccountStatus::Active && account.filed_on.is_none()).then(|| {
        let message =
            format!("“{}”（{}）正常运行但无备案日期。请核实备案情况并补登。", account.name, account.kind.label());
        finding(RegistryCheck::Unfiled, &[account], Severity::Minor, message, account.id.to_string())
    })
}

fn no_source(account: &Account) -> Option<RegistryFinding> {
    (account.status == AccountStatus::Active && account.sources.is_empty()).then(|| {
        let message = format!(
            "“{}”（{}）未配置采集来源，更新情况无法核实。请配置采集来源，或安排人工核查。",
            account.name,
            account.kind.label(),
        );
        finding(RegistryCheck::NoSource, &[account], Severity::Hint, message, account.id.to_string())
    })
}

fn shared_sources(accounts: &[Account]) -> Vec<RegistryFinding> {
    let mut by_target: BTreeMap<String, Vec<&Account>> = BTreeMap::new();
    for account in accounts.iter().filter(|account| account.status != AccountStatus::Deregistered) {
        for source in &account.sources {
            let sharers = by_target.entry(source.target()).or_default();
            if sharers.last().is_none_or(|last| last.id != account.id) {
                sharers.push(account);
            }
        }
    }
    by_target
        .into_iter()
        .filter(|(_, accounts)| accounts.len() > 1)
        .map(|(target, accounts)| {
            let message =
                format!("{}共用同一采集来源 {target}，发布内容无法分清归属。请逐一核对采集地址。", names_of(&accounts));
            finding(RegistryCheck::SharedSource, &accounts, Severity::Minor, message, target)
        })
        .collect()
}

/// Claims nothing unless the day of deregistration is known and the post is later than that whole day.
fn posts_after_end(account: &Account, activity: &AccountActivity, calendar: Calendar) -> Option<RegistryFinding> {
    if account.status != AccountStatus::Deregistered {
        return None;
    }
    let (ended_on, published_at) = activity.deregistered_on.zip(activity.last_published_at)?;
    let published_on = calendar.day_of(published_at);
    (published_on > ended_on).then(|| {
        let message = format!(
            "“{}”（{}）登记为{}已注销，但{}仍有发布。请核实注销手续是否办结。",
            account.name,
            account.kind.label(),
            ended_on.format("%Y年%-m月%-d日"),
            published_on.format("%Y年%-m月%-d日"),
        );
        finding(RegistryCheck::PostsAfterEnd, &[account], Severity::Major, message, account.id.to_string())
    })
}

/// What the platform shows of the account, beside what the registry says.
fn drift(account: &Account, activity: &AccountActivity) -> Vec<RegistryFinding> {
    let mut findings = Vec::new();
    let mut add = |check, severity, said: String, request: &str| {
        let message = format!("“{}”（{}）{said}。{request}", account.name, account.kind.label());
        findings.push(finding(check, &[account], severity, message, account.id.to_string()));
    };
    let plain = |name: &str| -> String { name.chars().filter(|c| !c.is_whitespace()).collect() };
    if let Some(shown) = activity.shown_name.as_deref().filter(|shown| plain(shown) != plain(&account.name)) {
        let said = format!("在平台上显示的名称为“{shown}”，与登记名称不一致");
        add(RegistryCheck::Renamed, Severity::Minor, said, "请核实是否改名，并办理变更备案。");
    }
    if activity.verification_lost {
        let said = "的平台认证已失效".to_owned();
        add(RegistryCheck::VerificationLost, Severity::Minor, said, "请核实并重新办理认证。");
    }
    if let Some(outcome) = activity.gone {
        let said = format!("在平台上显示为{}，登记状态仍为{}", outcome.label(), account.status.label());
        add(RegistryCheck::Gone, Severity::Major, said, "请核实，并办理变更或注销备案。");
    }
    findings
}

/// A matter of our own registry: the source of one kind under an account of another.
fn misfit_sources(account: &Account) -> Vec<RegistryFinding> {
    let misfits = account.sources.iter().filter(|source| match &source.spec {
        SourceSpec::Interface(spec) => !spec.interface.kinds().contains(&account.kind),
        SourceSpec::Feed { .. } | SourceSpec::HtmlList(_) => false,
    });
    misfits
        .map(|source| {
            let message = format!(
                "“{}”为{}，不能通过采集来源 {} 查看。请更正账号类型或采集来源。",
                account.name,
                account.kind.label(),
                source.spec.kind(),
            );
            finding(RegistryCheck::MisfitSource, &[account], Severity::Hint, message, source.id.to_string())
        })
        .collect()
}

fn names_of(accounts: &[&Account]) -> String {
    let names: Vec<String> = accounts.iter().map(|account| format!("“{}”", account.name)).collect();
    names.join("、")
}

pub(super) fn finding(
    check: RegistryCheck,
    accounts: &[&Account],
    severity: Severity,
    message: String,
    subject: String,
) -> RegistryFinding {
    let mut ids: Vec<AccountId> = accounts.iter().map(|account| account.id.clone()).collect();
    ids.sort();
    let basis = match check {
        RegistryCheck::SeveralAccounts => BASIS_ONE_ACCOUNT,
        RegistryCheck::Unfiled
        | RegistryCheck::PostsAfterEnd
        | RegistryCheck::Renamed
        | RegistryCheck::VerificationLost
        | RegistryCheck::Gone => BASIS_FILING,
        RegistryCheck::Dormant | RegistryCheck::Zombie => BASIS_UPDATE,
        RegistryCheck::Backdated => BASIS_HONESTY,
        RegistryCheck::NoSource
        | RegistryCheck::SharedSource
        | RegistryCheck::MisfitSource
        | RegistryCheck::RepeatOffender => "",
    };
    let account = ids.remove(0);
    RegistryFinding {
        check,
        account,
        also: ids,
        severity,
        message,
        basis,
        label: None,
        window: None,
        post: None,
        subject,
    }
}

#[cfg(test)]
mod tests {
    use chrono::Weekday;

    use super::*;
    use crate::model::account::{Freshness, Source, SourceSpec, UnitLevel};
    use crate::model::interface::{Interface, InterfaceSpec};

    const CALENDAR: Calendar = Calendar { zone: chrono_tz::Asia::Shanghai, week_starts_on: Weekday::Fri };

    /// An account in order: filed, with a source of its own.
    fn account(id: &str, kind: AccountKind) -> Account {
        let id = AccountId::new(id);
        let url = format!("http://feeds.example/{id}.xml").parse().unwrap();
        Account {
            name: format!("名称{id}"),
            unit: UnitId::new("jyj"),
            kind,
            platform_id: None,
            status: AccountStatus::Active,
            filed_on: Some("2021-03-01".parse().unwrap()),
            sources: vec![Source::new(&id, url, SourceSpec::Feed { freshness: Freshness::Bridge, bridge: None })],
            id,
        }
    }

    fn check(accounts: &[Account], activity: &[(&str, AccountActivity)], expected: &[(RegistryCheck, &str, usize)]) {
        let unit = Unit {
            id: UnitId::new("jyj"),
            name: "州教育局".to_owned(),
            level: UnitLevel::Prefecture,
            region: "云岭州".to_owned(),
            supervisor: None,
        };
        let activity: HashMap<AccountId, AccountActivity> =
            activity.iter().map(|(id, activity)| (AccountId::new(*id), activity.clone())).collect();
        let findings = lint(&[unit], accounts, &activity, CALENDAR);
        let found: Vec<(RegistryCheck, &str, usize)> =
            findings.iter().map(|f| (f.check, f.account.as_str(), f.also.len())).collect();
        assert_eq!(found, expected, "{findings:#?}");
    }

    #[test]
    fn accounts_in_order_raise_nothing() {
        check(&[account("a", AccountKind::Weibo), account("b", AccountKind::Douyin)], &[], &[]);
        check(&[account("a", AccountKind::WechatSubscription), account("b", AccountKind::WechatService)], &[], &[]);
        check(&[account("a", AccountKind::App), account("b", AccountKind::App)], &[], &[]);
    }

    #[test]
    fn two_accounts_of_a_unit_on_one_platform_are_one_finding() {
        let mut accounts = [account("b", AccountKind::Weibo), account("a", AccountKind::Weibo)];
        check(&accounts, &[], &[(RegistryCheck::SeveralAccounts, "a", 1)]);
        accounts[0].status = AccountStatus::Closing;
        check(&accounts, &[], &[]);
        accounts[0].status = AccountStatus::Active;
        accounts[0].unit = UnitId::new("other");
        check(&accounts, &[], &[]);
    }

    #[test]
    fn an_active_account_without_filing_or_source_is_named() {
        let mut one = account("a", AccountKind::Weibo);
        one.filed_on = None;
        one.sources.clear();
        check(std::slice::from_ref(&one), &[], &[(RegistryCheck::Unfiled, "a", 0), (RegistryCheck::NoSource, "a", 0)]);
        one.status = AccountStatus::Pending;
        check(&[one], &[], &[]);
    }

    #[test]
    fn a_source_of_two_accounts_is_named_once() {
        let mut two = account("b", AccountKind::Douyin);
        let one = account("a", AccountKind::Weibo);
        two.sources = vec![Source::new(&two.id, one.sources[0].url.clone(), one.sources[0].spec.clone())];
        check(&[one, two], &[], &[(RegistryCheck::SharedSource, "a", 1)]);
    }

    #[test]
    fn a_post_after_the_day_of_deregistration_is_named_and_nothing_else_is_claimed() {
        let mut gone = account("a", AccountKind::Weibo);
        gone.status = AccountStatus::Deregistered;
        let accounts = [gone];
        let day = |text: &str| Some(text.parse::<NaiveDate>().unwrap());
        // 2023-05-10 16:30 UTC is the 11th in Shanghai.
        let at = |text: &str| Some(text.parse::<DateTime<Utc>>().unwrap());
        let activity = |last_published_at, deregistered_on| AccountActivity {
            last_published_at,
            deregistered_on,
            ..AccountActivity::default()
        };
        let late = at("2023-05-10T16:30:00Z");
        check(&accounts, &[("a", activity(late, day("2023-05-10")))], &[(RegistryCheck::PostsAfterEnd, "a", 0)]);
        check(&accounts, &[("a", activity(late, day("2023-05-11")))], &[]);
        check(&accounts, &[("a", activity(late, None))], &[]);
        check(&accounts, &[("a", activity(None, day("2023-05-10")))], &[]);
        check(&accounts, &[], &[]);
    }

    #[test]
    fn what_the_platform_shows_is_compared_with_the_registry() {
        let mut one = account("a", AccountKind::Weibo);
        let shown = |name: &str| AccountActivity { shown_name: Some(name.to_owned()), ..AccountActivity::default() };
        check(std::slice::from_ref(&one), &[("a", shown("名称 a"))], &[]);
        check(std::slice::from_ref(&one), &[("a", shown("别名"))], &[(RegistryCheck::Renamed, "a", 0)]);
        let gone = AccountActivity {
            gone: Some(Outcome::AccountCancelled),
            verification_lost: true,
            ..AccountActivity::default()
        };
        let expected = [(RegistryCheck::VerificationLost, "a", 0), (RegistryCheck::Gone, "a", 0)];
        check(std::slice::from_ref(&one), &[("a", gone.clone())], &expected);
        one.status = AccountStatus::Deregistered;
        check(&[one], &[("a", gone)], &[]);
    }

    #[test]
    fn a_source_must_fit_the_kind_and_one_address_may_serve_many_accounts() {
        let weibo = |id: &str, kind: AccountKind, uid: &str| {
            let mut account = account(id, kind);
            let spec = InterfaceSpec {
                interface: Interface::WeiboMobile,
                credential: None,
                values: [("uid", uid.to_owned())].into(),
            };
            let url = "https://m.weibo.cn/".parse().unwrap();
            account.sources = vec![Source::new(&account.id, url, SourceSpec::Interface(Box::new(spec)))];
            account.unit = UnitId::new(id);
            account
        };
        check(&[weibo("a", AccountKind::Weibo, "1"), weibo("b", AccountKind::Weibo, "2")], &[], &[]);
        let same = [weibo("a", AccountKind::Weibo, "1"), weibo("b", AccountKind::Weibo, "1")];
        check(&same, &[], &[(RegistryCheck::SharedSource, "a", 1)]);
        check(&[weibo("a", AccountKind::Douyin, "1")], &[], &[(RegistryCheck::MisfitSource, "a", 0)]);
    }

    #[test]
    fn the_same_disorder_has_the_same_id_when_another_account_joins() {
        let ids = |accounts: &[Account]| {
            lint(&[], accounts, &HashMap::<AccountId, AccountActivity>::new(), CALENDAR)[0].violation_id()
        };
        let [a, b, c] = ["a", "b", "c"].map(|id| account(id, AccountKind::Weibo));
        assert_eq!(ids(&[a.clone(), b.clone()]), ids(&[c, b, a]));
    }
}
