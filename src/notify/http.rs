//! The HTTP client of robots and webhooks: no redirects, no retries, bounded answers, errors without addresses.

use std::error::Error as _;

use anyhow::Context as _;
use reqwest::header::{self, HeaderValue};
use reqwest::multipart::{Form, Part};
use reqwest::{Client, RequestBuilder, redirect};
use serde_json::Value;
use url::Url;

use super::files::Attachment;
use super::robot::Call;
use super::{NotDelivered, Reason, reply};
use crate::config::notify::ChannelKind;
use crate::config::settings::CrawlSettings;

/// Most bytes read of an answer: robots answer in one line.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Most characters of the id of an uploaded file.
const MEDIA_ID_BYTES_MAX: usize = 1024;

#[derive(Debug)]
pub(super) struct Http(Client);

impl Http {
    /// Reads no environment: a proxy variable does not change where secrets go.
    pub fn new(settings: &CrawlSettings) -> anyhow::Result<Self> {
        // Another part of the program may have installed it first; then it is already there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = || {
            Client::builder()
                .user_agent(settings.user_agent.as_str())
                .timeout(settings.timeout)
                .redirect(redirect::Policy::none())
                .referer(false)
                .no_proxy()
        };
        // A bare machine has no CA certificates; `source::http` says so once.
        let client = builder().build().or_else(|_| builder().tls_certs_only([]).build());
        Ok(Self(client.context("building the HTTP client of notifications")?))
    }

    /// Tells a robot, and reads from its answer whether the message arrived.
    pub async fn post(&self, kind: ChannelKind, call: Call) -> Result<(), NotDelivered> {
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        let mut request = self.0.post(call.url).header(header::CONTENT_TYPE, json).body(call.body);
        for (name, value) in call.headers {
            request = request.header(name, value);
        }
        let (status, body) = ask(request).await?;
        reply::check(kind, status, &body)
    }

    /// Hands WeCom a file; its id can be sent for three days.
    pub async fn upload(&self, url: Url, file: Attachment) -> Result<String, NotDelivered> {
        let part = Part::bytes(file.bytes).file_name(file.name);
        let (status, body) = ask(self.0.post(url).multipart(Form::new().part("media", part))).await?;
        reply::check(ChannelKind::Wecom, status, &body)?;
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        let media_id = answer["media_id"].as_str().filter(|id| !id.is_empty() && id.len() <= MEDIA_ID_BYTES_MAX);
        let missing = || NotDelivered::new(Reason::Refused, "the file was taken, but no `media_id` came back");
        media_id.map(str::to_owned).ok_or_else(missing)
    }
}

async fn ask(request: RequestBuilder) -> Result<(u16, Vec<u8>), NotDelivered> {
    let mut response = request.send().await.map_err(unreachable)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        let left = ANSWER_BYTES_MAX - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(left)]);
        if body.len() >= ANSWER_BYTES_MAX {
            break;
        }
    }
    Ok((response.status().as_u16(), body))
}

/// What happened on the way. The address holds the key, and is left out.
fn unreachable(error: reqwest::Error) -> NotDelivered {
    let error = error.without_url();
    let words = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "cannot connect"
    } else {
        "the connection failed"
    };
    let mut deepest = error.source();
    while let Some(cause) = deepest.and_then(std::error::Error::source) {
        deepest = Some(cause);
    }
    let detail = deepest.map_or_else(|| words.to_owned(), |cause| format!("{words} ({cause})"));
    NotDelivered::new(Reason::Unreachable, detail)
}
