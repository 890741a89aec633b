//! Who is told: messages and what they concern → channels. Pure.

use crate::config::Registry;
use crate::config::notify::{Channel, NotifySettings, Route};
use crate::model::message::MessageKind;
use crate::model::{AccountId, UnitId};

/// Whom a message concerns. Nobody named: the whole area, which is told to unrestricted routes only. A message that names
/// several goes as a whole to everyone who is concerned by one of them: tell each office its own where it must not read of
/// the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    pub units: Vec<UnitId>,
    pub accounts: Vec<AccountId>,
}

impl About {
    /// The whole area.
    pub fn everything() -> Self {
        Self::default()
    }

    pub fn unit(unit: UnitId) -> Self {
        Self { units: vec![unit], accounts: Vec::new() }
    }

    pub fn account(account: AccountId) -> Self {
        Self { units: Vec::new(), accounts: vec![account] }
    }
}

/// The channels over which a message goes, in the order of the settings, each once.
pub fn channels<'s>(
    settings: &'s NotifySettings,
    registry: &Registry,
    kind: MessageKind,
    about: &About,
) -> Vec<&'s Channel> {
    let owners = about.accounts.iter().filter_map(|id| registry.account(id)).map(|account| &account.unit);
    let units: Vec<&UnitId> = about.units.iter().chain(owners).collect();
    let regions: Vec<&String> = units.iter().filter_map(|id| registry.unit(id)).map(|unit| &unit.region).collect();
    let takes = |route: &&Route| {
        route.what.contains(&kind)
            && (route.is_unrestricted()
                || units.iter().any(|unit| route.units.contains(unit))
                || regions.iter().any(|region| route.regions.contains(region))
                || about.accounts.iter().any(|account| route.accounts.contains(account)))
    };
    let names: Vec<&String> = settings.routes.iter().filter(takes).flat_map(|route| &route.to).collect();
    settings.channels.iter().filter(|channel| names.contains(&&channel.name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::notify::ChannelSpec;
    use crate::model::account::{Account, AccountKind, AccountStatus, Unit, UnitLevel};

    fn registry() -> Registry {
        let unit = |id: &str, region: &str| Unit {
            id: UnitId::new(id),
            name: id.to_owned(),
            level: UnitLevel::County,
            region: region.to_owned(),
            supervisor: None,
        };
        let account = |id: &str, unit: &str| Account {
            id: AccountId::new(id),
            name: id.to_owned(),
            unit: UnitId::new(unit),
            kind: AccountKind::Weibo,
            platform_id: None,
            status: AccountStatus::Active,
            filed_on: None,
            sources: Vec::new(),
        };
        Registry {
            units: vec![unit("jyj", "甲县"), unit("wsj", "乙县")],
            accounts: vec![account("jyj-wb", "jyj"), account("wsj-wb", "wsj")],
        }
    }

    fn route(what: &[MessageKind], to: &[&str]) -> Route {
        Route {
            what: what.to_vec(),
            to: to.iter().map(|name| (*name).to_owned()).collect(),
            units: Vec::new(),
            regions: Vec::new(),
            accounts: Vec::new(),
        }
    }

    #[test]
    fn everyone_is_told_what_concerns_him_once() {
        use MessageKind::{Report, Serious};
        let channel =
            |name: &str| Channel { name: name.to_owned(), spec: ChannelSpec::Wecom, credential: Some("c".to_owned()) };
        let settings = NotifySettings {
            channels: ["office", "county", "unit", "group"].map(channel).to_vec(),
            routes: vec![
                route(&[Serious, Report], &["office"]),
                route(&[Report], &["office"]),
                Route { regions: vec!["乙县".to_owned()], ..route(&[Serious], &["county"]) },
                Route { units: vec![UnitId::new("jyj")], ..route(&[Serious, Report], &["unit"]) },
                Route { accounts: vec![AccountId::new("wsj-wb")], ..route(&[Serious], &["group"]) },
            ],
        };
        let check = |kind, about: &About, expected: &[&str]| {
            let found = channels(&settings, &registry(), kind, about);
            assert_eq!(found.iter().map(|channel| channel.name.as_str()).collect::<Vec<_>>(), expected, "{about:?}");
        };
        check(Report, &About::everything(), &["office"]);
        check(Serious, &About::everything(), &["office"]);
        check(Serious, &About::unit(UnitId::new("jyj")), &["office", "unit"]);
        check(Serious, &About::unit(UnitId::new("wsj")), &["office", "county"]);
        check(Serious, &About::account(AccountId::new("wsj-wb")), &["office", "county", "group"]);
        check(Serious, &About::account(AccountId::new("gone")), &["office"]);
        check(MessageKind::Alarm, &About::everything(), &[]);
    }
}
