//! The one HTTP client: every request of the crawlers goes through here.
//!
//! Polite and suspicious: one pace for each host ([`pace`]), conditional requests, `Retry-After` obeyed, few retries; every
//! redirect is checked against the scope of its request ([`scope`]); bodies are read in a stream up to a limit and are
//! whole or an error. It must not know what the bodies mean. Every end that is not a page is a typed
//! [`Failure`] ([`status`]).

pub mod links;
mod pace;
pub mod scope;
mod status;

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Client, ClientBuilder, StatusCode, redirect};
use url::Url;

use crate::config::settings::CrawlSettings;
use crate::model::account::authority_of;
use crate::model::crawl::{Failure, Outcome, Validators};
use crate::source::platform::{Answer, Call};
use pace::Gates;
pub use pace::SharedPace;
pub use scope::Scope;

/// Longest validator kept, in bytes; a longer one is not sent back.
const VALIDATOR_BYTES_MAX: usize = 1024;
/// Most bytes of an error page read for its message.
const ERROR_BODY_BYTES_MAX: u64 = 16 * 1024;
/// Most memory reserved before a body arrives, whatever its announced length.
const BODY_RESERVE_BYTES_MAX: u64 = 256 * 1024;
/// Longest wait between two attempts.
const RETRY_WAIT_MAX: Duration = Duration::from_mins(1);
/// How long an idle connection is kept.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

fn validators_of(headers: &HeaderMap) -> Validators {
    let text = |name| {
        let value: &HeaderValue = headers.get(name)?;
        value.to_str().ok().filter(|text| text.len() <= VALIDATOR_BYTES_MAX).map(str::to_owned)
    };
    Validators { etag: text(header::ETAG), last_modified: text(header::LAST_MODIFIED) }
}

/// One question to a server.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub url: &'a Url,
    /// Of the last answer, or empty.
    pub validators: &'a Validators,
    /// The `Accept` header.
    pub accept: &'static str,
    pub scope: Scope<'a>,
}

/// One good answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// 304: the last answer still stands.
    NotModified,
    Body(Body),
}

/// A whole page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// Decompressed.
    pub bytes: Vec<u8>,
    pub content_type: Option<String>,
    pub validators: Validators,
    /// Where the redirects led.
    pub final_url: Url,
}

/// Cheap to share by reference; one for the whole process, so that pace and connections are shared.
#[derive(Debug)]
pub struct HttpClient {
    client: Client,
    gates: Gates,
    body_bytes_max: u64,
    redirects_max: u32,
    retries_max: u32,
    retry_wait: Duration,
}

/// A client without redirects of its own, cookies and referrer. Reads no environment: a proxy variable does not change
/// where requests go.
fn build_client(settings: &CrawlSettings, adjust: impl Fn(ClientBuilder) -> ClientBuilder) -> anyhow::Result<Client> {
    // Another part of the program may have installed it first; then it is already there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut headers = HeaderMap::new();
    // WeChat's notices follow the language.
    headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static("zh-CN,zh;q=0.9"));
    let builder = || {
        let builder = Client::builder()
            .user_agent(settings.user_agent.as_str())
            .default_headers(headers.clone())
            .timeout(settings.timeout)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy();
        adjust(builder)
    };
    let client = builder().build().or_else(|error| {
        // A bare machine has no CA certificates; plain HTTP (a bridge on this machine, the demo) works all the same.
        let reason = error.source().map(ToString::to_string).unwrap_or_default();
        tracing::warn!(reason, "no https source can be read: install CA certificates (package `ca-certificates`)");
        builder().tls_certs_only([]).build()
    });
    client.context("building the HTTP client; is `crawl.user_agent` plain ASCII?")
}

impl HttpClient {
    /// `shared`: the pace that it keeps together with other processes.
    pub fn new(settings: &CrawlSettings, shared: Option<Arc<dyn SharedPace>>) -> anyhow::Result<Self> {
        let client = build_client(settings, |builder| builder)?;
        Ok(Self {
            client,
            gates: Gates::new(settings, shared),
            body_bytes_max: settings.body_bytes_max,
            redirects_max: settings.redirects_max,
            retries_max: settings.retries_max,
            retry_wait: settings.retry_wait,
        })
    }

    /// Asks, follows redirects within the scope, and tries again after network and server errors. `now` turns
    /// `Retry-After` into an instant.
    pub async fn get(&self, request: Request<'_>, now: DateTime<Utc>) -> Result<Response, Failure> {
        let mut n_retries = 0;
        loop {
            let error = match self.follow(request, now).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            if !error.can_retry || n_retries >= self.retries_max {
                return Err(error.failure);
            }
            tokio::time::sleep(self.wait_before_retry(n_retries)).await;
            n_retries += 1;
        }
    }

    /// Asks a platform's interface: redirects are not followed, and every status is an answer. Tries again after network
    /// and server errors. One question at a time with one credential, at least `interval` apart, unless `crawl.hosts`
    /// names the host.
    pub async fn call(
        &self,
        call: &Call,
        credential: Option<&str>,
        interval: Duration,
        now: DateTime<Utc>,
    ) -> Result<Answer, Failure> {
        let mut n_retries = 0;
        loop {
            let error = match self.call_once(call, credential, interval, now).await {
                Ok(answer) if answer.status < 500 || n_retries >= self.retries_max => return Ok(answer),
                Ok(_) => None,
                Err(error) => Some(error),
            };
            if let Some(error) = error
                && (!error.can_retry || n_retries >= self.retries_max)
            {
                return Err(error.failure);
            }
            tokio::time::sleep(self.wait_before_retry(n_retries)).await;
            n_retries += 1;
        }
    }

    async fn call_once(
        &self,
        call: &Call,
        credential: Option<&str>,
        interval: Duration,
        now: DateTime<Utc>,
    ) -> Result<Answer, AttemptError> {
        let host = self.gates.of(&call.url);
        let own = self.gates.of_credential(&call.url, credential, interval);
        let _own_permit = match &own {
            Some(own) => own.pass().await,
            None => None,
        };
        let _permit = host.pass().await;
        let mut builder = match &call.body {
            None => self.client.get(call.url.clone()),
            Some(body) => self
                .client
                .post(call.url.clone())
                .header(header::CONTENT_TYPE, "application/json")
                .body(body.to_string()),
        };
        for (name, value) in &call.headers {
            builder = builder.header(*name, value);
        }
        let response = builder.send().await.map_err(|error| network_error(&call.url, &error))?;
        let status = response.status().as_u16();
        let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
        let location = location.and_then(|location| call.url.join(location).ok());
        let retry_at = status::retry_at(response.headers(), now);
        let body = self.read_body(response).await?;
        Ok(Answer { status, content_type: body.content_type, location, retry_at, bytes: body.bytes })
    }

    /// Doubles with each retry; between half and all of it, so that many clients do not come back at once.
    fn wait_before_retry(&self, n_retries: u32) -> Duration {
        let whole = self.retry_wait.saturating_mul(2_u32.saturating_pow(n_retries)).min(RETRY_WAIT_MAX);
        whole.mul_f64(fastrand::f64().mul_add(0.5, 0.5))
    }

    async fn follow(&self, request: Request<'_>, now: DateTime<Utc>) -> Result<Response, AttemptError> {
        request.scope.check_first(request.url)?;
        let mut seen = vec![request.url.clone()];
        loop {
            let url = seen.last().unwrap_or(request.url);
            let next = match self.ask(url, request, now).await? {
                Reply::Done(response) => return Ok(response),
                Reply::Moved(next) => next,
            };
            request.scope.check_hop(url, &next)?;
            if seen.contains(&next) {
                let detail = format!("redirect loop: `{next}` was already visited; check the address of the source");
                return Err(Failure::new(Outcome::ShapeChanged, detail).into());
            }
            if seen.len() > self.redirects_max as usize {
                let detail = format!("more than {} redirects (`crawl.redirects_max`)", self.redirects_max);
                return Err(Failure::new(Outcome::ShapeChanged, detail).into());
            }
            seen.push(next);
        }
    }

    /// One request at one address.
    async fn ask(&self, url: &Url, request: Request<'_>, now: DateTime<Utc>) -> Result<Reply, AttemptError> {
        let gate = self.gates.of(url);
        let _permit = gate.pass().await;
        let mut builder = self.client.get(url.clone()).header(header::ACCEPT, request.accept);
        if let Some(etag) = &request.validators.etag {
            builder = builder.header(header::IF_NONE_MATCH, etag);
        }
        if let Some(last_modified) = &request.validators.last_modified {
            builder = builder.header(header::IF_MODIFIED_SINCE, last_modified);
        }
        let response = builder.send().await.map_err(|error| network_error(url, &error))?;
        match response.status() {
            StatusCode::OK | StatusCode::NON_AUTHORITATIVE_INFORMATION => {
                self.read_body(response).await.map(|body| Reply::Done(Response::Body(body)))
            }
            StatusCode::NOT_MODIFIED if !request.validators.is_empty() => Ok(Reply::Done(Response::NotModified)),
            StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT => Ok(Reply::Moved(redirect_target(url, response.headers())?)),
            status => {
                let retry_at = status::retry_at(response.headers(), now);
                let message = read_message(response).await;
                Err(status::refusal(status, url, &message, retry_at))
            }
        }
    }

    async fn read_body(&self, mut response: reqwest::Response) -> Result<Body, AttemptError> {
        let final_url = response.url().clone();
        let announced = response.content_length();
        if announced.is_some_and(|length| length > self.body_bytes_max) {
            return Err(self.too_large(&final_url).into());
        }
        let content_type = response.headers().get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let validators = validators_of(response.headers());
        let reserve = announced.unwrap_or(0).min(BODY_RESERVE_BYTES_MAX);
        let mut bytes = Vec::with_capacity(usize::try_from(reserve).unwrap_or(0));
        while let Some(chunk) = response.chunk().await.map_err(|error| network_error(&final_url, &error))? {
            if (bytes.len() + chunk.len()) as u64 > self.body_bytes_max {
                return Err(self.too_large(&final_url).into());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Body { bytes, content_type, validators, final_url })
    }

    fn too_large(&self, url: &Url) -> Failure {
        let host = authority_of(url);
        let limit = self.body_bytes_max;
        Failure::new(
            Outcome::TooLarge,
            format!(
                "`{host}` sent more than {limit} bytes (`crawl.body_bytes_max`); raise the limit or list fewer items"
            ),
        )
    }
}

enum Reply {
    Done(Response),
    Moved(Url),
}

/// A failed attempt, and whether another one may do better.
#[derive(Debug)]
pub(crate) struct AttemptError {
    failure: Failure,
    can_retry: bool,
}

impl From<Failure> for AttemptError {
    fn from(failure: Failure) -> Self {
        Self { failure, can_retry: false }
    }
}

fn network_error(url: &Url, error: &reqwest::Error) -> AttemptError {
    let host = authority_of(url);
    let cause = innermost(error);
    let (outcome, detail, can_retry) = if error.is_timeout() {
        (Outcome::Network, format!("`{host}` did not answer in full within `crawl.timeout`"), true)
    } else if error.is_connect() {
        (Outcome::Network, format!("cannot connect to `{host}`: {cause}"), true)
    } else if error.is_builder() {
        (Outcome::ShapeChanged, format!("`{host}`: the request cannot be built: {cause}"), false)
    } else if error.is_body() || error.is_decode() {
        (Outcome::Network, format!("`{host}` broke off in the body, or its compression is damaged: {cause}"), true)
    } else {
        (Outcome::Network, format!("`{host}` broke off the exchange: {cause}"), true)
    };
    AttemptError { failure: Failure::new(outcome, detail), can_retry }
}

fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn redirect_target(url: &Url, headers: &HeaderMap) -> Result<Url, AttemptError> {
    let location = headers.get(header::LOCATION).and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
    let target = location.and_then(|location| url.join(location).ok());
    let Some(mut target) = target.filter(|target| matches!(target.scheme(), "http" | "https")) else {
        let detail = format!("`{}` redirects without a usable `Location`", authority_of(url));
        return Err(Failure::new(Outcome::ShapeChanged, detail).into());
    };
    // A redirect must not make us log in somewhere.
    let _ = target.set_username("");
    let _ = target.set_password(None);
    Ok(target)
}

/// The beginning of an error page; what cannot be read does not matter.
async fn read_message(mut response: reqwest::Response) -> Vec<u8> {
    let mut message = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        message.extend_from_slice(&chunk);
        if message.len() as u64 >= ERROR_BODY_BYTES_MAX {
            break;
        }
    }
    message
}

#[cfg(test)]
pub(in crate::source) mod test_server;
#[cfg(test)]
mod tests;
