//! What an operator can do about a source that failed. Pure.

use crate::model::AccountId;
use crate::model::account::{Source, SourceSpec};
use crate::model::crawl::Outcome;

/// One sentence; `None` where nothing needs to be done.
pub fn advice(account: &AccountId, source: &Source, outcome: Outcome) -> Option<String> {
    let test = format!("`duwang sources test {account}`");
    Some(match outcome {
        Outcome::Listed | Outcome::Unchanged | Outcome::EmptyConfirmed => return None,
        Outcome::EmptyUnproved => {
            "an empty list proves nothing: look at the account yourself, add another source, or hand its posts in with \
             `duwang posts import`"
                .to_owned()
        }
        Outcome::RateLimited => {
            "asked too often, or the platform shuts out visitors: slow down in `crawl.hosts`, or give \
                                 the source a login"
                .to_owned()
        }
        Outcome::LoginNeeded => match (source.spec.credential(), &source.spec) {
            (Some(name), _) => {
                format!("cookie or token expired: log in again, write the credential `{name}` and run {test}")
            }
            (None, SourceSpec::Feed { .. }) => format!("log in again at the bridge, then run {test}"),
            (None, _) => format!("it needs a login: name a `credential` for this source, then run {test}"),
        },
        Outcome::Captcha => format!(
            "the platform wants to see a person: open the account's page in a browser of this network, wait, and run {test}; \
             meanwhile the next source is used"
        ),
        Outcome::NotFound => format!("check the address of the source and the id of the account, then run {test}"),
        Outcome::AccountCancelled | Outcome::AccountBanned | Outcome::AccountMigrated => format!(
            "the platform says so of the account itself: ask its unit, then change `status` or the id of `{account}` in the registry"
        ),
        Outcome::PermissionMissing => {
            "the application lacks this permission: apply for it in the platform's console, or use \
                                       another source"
                .to_owned()
        }
        Outcome::IpNotAllowed => {
            format!("add this machine's public address to the white list in the platform's console, then run {test}")
        }
        Outcome::SourceClosed => "the platform has closed this way: use another source".to_owned(),
        Outcome::ShapeChanged => {
            "it answers something else than it used to: open it in a browser; after a change of the \
                                  platform install a newer duwang, and meanwhile use another source"
                .to_owned()
        }
        Outcome::TooLarge => "raise `crawl.body_bytes_max`, or let the source list fewer items".to_owned(),
        Outcome::ServerError | Outcome::Network => format!("it will be asked again; if it lasts, check it with {test}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::account::Freshness;
    use crate::model::interface::{Interface, InterfaceSpec};

    #[test]
    fn every_failure_has_its_advice_and_a_login_names_what_to_write() {
        let account = AccountId::new("gn-jyj-wb");
        let url: url::Url = "https://weibo.com/".parse().unwrap();
        let feed = Source::new(&account, url.clone(), SourceSpec::Feed { freshness: Freshness::Bridge, bridge: None });
        for outcome in Outcome::ALL {
            assert_eq!(advice(&account, &feed, *outcome).is_none(), outcome.is_success(), "{outcome}");
        }
        let spec = InterfaceSpec {
            interface: Interface::WeiboAjax,
            credential: Some("weibo-office".to_owned()),
            values: [("uid", "1".to_owned())].into(),
        };
        let ajax = Source::new(&account, url, SourceSpec::Interface(Box::new(spec)));
        let advice = advice(&account, &ajax, Outcome::LoginNeeded).unwrap();
        assert!(advice.contains("`weibo-office`") && advice.contains("duwang sources test gn-jyj-wb"), "{advice}");
    }
}
