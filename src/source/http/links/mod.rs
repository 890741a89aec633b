//! Asks links of posts whether they lead anywhere: strangers wrote them, so nothing of the own network is ever reached.
//!
//! Names are looked up here, and a connection is made only to an address that was found public by that very look-up: a
//! name that changes its address in between (DNS rebinding) gains nothing. Every redirect is followed by hand and held to
//! the same rule. HEAD first; a status that may only mean that HEAD is not liked, or that would accuse, is asked again with
//! GET, of which no body is read.

use std::collections::HashSet;
use std::error::Error as _;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header;
use reqwest::{Client, Method, StatusCode};
use thiserror::Error;
use url::Url;

use super::{HttpClient, build_client, network_error, redirect_target, scope};
use crate::config::settings::CrawlSettings;
use crate::model::account::authority_of;
use crate::rules::links::Answer;

/// What servers answer to HEAD that like only GET, and what is not believed of HEAD alone.
const ASK_AGAIN_WITH_GET: [u16; 6] = [400, 403, 404, 405, 410, 501];
/// How libraries say that the name server denies a name; every other failure of a look-up may be ours.
const NO_SUCH_NAME: [&str; 3] =
    ["Name or service not known", "Name does not resolve", "nodename nor servname provided"];

/// Why a name gave no address.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
enum LookupError {
    #[error("there is no such host")]
    NoSuchName,
    #[error("the name leads into the local network: not asked (`links.allow_hosts`)")]
    NotPublic,
    #[error("the name could not be looked up: {0}")]
    Failed(String),
}

type LookedUp = Pin<Box<dyn Future<Output = Result<Vec<IpAddr>, LookupError>> + Send>>;
type Lookup = Arc<dyn Fn(String) -> LookedUp + Send + Sync>;

/// Gives a client the public addresses of a name only.
struct PublicOnly {
    lookup: Lookup,
    /// Names that may lead anywhere.
    allowed: HashSet<String>,
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().trim_end_matches('.').to_ascii_lowercase();
        let is_allowed = self.allowed.contains(&name);
        let looked_up = (self.lookup)(name);
        Box::pin(async move {
            let mut addresses = looked_up.await?;
            addresses.retain(|ip| is_allowed || !scope::is_local_ip(*ip));
            if addresses.is_empty() {
                return Err(LookupError::NotPublic.into());
            }
            let addresses = addresses.into_iter().map(|ip| SocketAddr::new(ip, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

fn system_lookup() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            match tokio::net::lookup_host((name.as_str(), 0)).await {
                Ok(addresses) => Ok(addresses.map(|address| address.ip()).collect()),
                Err(error) => Err(lookup_error(&error.to_string())),
            }
        })
    })
}

fn lookup_error(says: &str) -> LookupError {
    if NO_SUCH_NAME.iter().any(|words| says.contains(words)) {
        LookupError::NoSuchName
    } else {
        LookupError::Failed(says.to_owned())
    }
}

/// Asks links. It shares the pace of each host with the [`HttpClient`] that it is used with.
#[derive(Debug)]
pub struct LinkProber {
    client: Client,
    /// `host` or `host:port` of the own network that may be asked.
    allow_hosts: Vec<String>,
    redirects_max: u32,
}

impl LinkProber {
    pub fn new(settings: &CrawlSettings, allow_hosts: &[String]) -> anyhow::Result<Self> {
        Self::with_lookup(settings, allow_hosts, system_lookup())
    }

    fn with_lookup(settings: &CrawlSettings, allow_hosts: &[String], lookup: Lookup) -> anyhow::Result<Self> {
        let allowed = allow_hosts.iter().map(|authority| host_of(authority).to_owned()).collect();
        let resolver = Arc::new(PublicOnly { lookup, allowed });
        let client = build_client(settings, |builder| builder.dns_resolver(Arc::clone(&resolver)))?;
        Ok(Self { client, allow_hosts: allow_hosts.to_vec(), redirects_max: settings.redirects_max })
    }

    /// Asks one link, at the pace of each host on the way.
    pub async fn probe(&self, http: &HttpClient, url: &Url) -> Answer {
        match self.follow(http, url).await {
            Ok(status) => Answer::Status(status.as_u16()),
            Err(answer) => answer,
        }
    }

    async fn follow(&self, http: &HttpClient, url: &Url) -> Result<StatusCode, Answer> {
        let mut seen = vec![url.clone()];
        let mut method = Method::HEAD;
        loop {
            let url = seen.last().unwrap_or(url);
            self.check_address(url)?;
            let response = self.ask(http, method.clone(), url).await?;
            let status = response.status();
            if matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
                let next = redirect_target(url, response.headers());
                let next = next.map_err(|error| Answer::Failed(error.failure.detail))?;
                if seen.contains(&next) {
                    return Err(Answer::Failed(format!("redirect loop at `{}`", authority_of(&next))));
                }
                if seen.len() > self.redirects_max as usize {
                    let n = self.redirects_max;
                    return Err(Answer::Failed(format!("more than {n} redirects (`crawl.redirects_max`)")));
                }
                seen.push(next);
            } else if method == Method::HEAD && ASK_AGAIN_WITH_GET.contains(&status.as_u16()) {
                method = Method::GET;
            } else {
                return Ok(status);
            }
        }
    }

    /// An address literal is not looked up, so it is judged here; so is a name that is allowed at another port only.
    fn check_address(&self, url: &Url) -> Result<(), Answer> {
        let (authority, host) = (authority_of(url), url.host_str().unwrap_or_default());
        let is_allowed = self.allow_hosts.iter().any(|allowed| *allowed == authority || allowed == host);
        let is_named = self.allow_hosts.iter().any(|allowed| host_of(allowed) == host);
        if !is_allowed && (is_named || scope::is_local(url)) {
            let detail = format!("`{authority}` lies in the local network: not asked (`links.allow_hosts`)");
            return Err(Answer::Failed(detail));
        }
        Ok(())
    }

    async fn ask(&self, http: &HttpClient, method: Method, url: &Url) -> Result<reqwest::Response, Answer> {
        let gate = http.gates.of(url);
        let _permit = gate.pass().await;
        let request = self.client.request(method, url.clone()).header(header::ACCEPT, "*/*");
        // The body is dropped unread: headers are all that is asked for.
        request.send().await.map_err(|error| match lookup_error_of(&error) {
            Some(LookupError::NoSuchName) => Answer::NoSuchHost,
            _ => Answer::Failed(network_error(url, &error).failure.detail),
        })
    }
}

/// The host of `host` or `host:port`.
fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

fn lookup_error_of(error: &reqwest::Error) -> Option<&LookupError> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<LookupError>() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests;
