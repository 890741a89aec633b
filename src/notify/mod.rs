//! Telling people: messages in the form of each channel, and the conversation with its server.
//!
//! Channels are robots of WeCom, DingTalk and Feishu groups, mail, and webhooks. [`route`] says who is told, [`plan`] when
//! and what goes together; both are pure, and so are the bodies ([`robot`]), texts ([`text`]), signatures ([`sign`]) and the
//! reading of answers ([`reply`]). Only [`http`], [`mail`] and [`files`] reach outside. It must not know the database:
//! what waits, and what was delivered, is the matter of `engine::notify` and `store::outbox`.
//!
//! Invariant: delivered is what the platform calls delivered in its answer, not what ended with HTTP 200. Invariant: no
//! error quotes an address, key, secret or password. Start reading at [`Notifier::send`].

mod files;
mod http;
mod mail;
pub mod plan;
mod reply;
mod robot;
pub mod route;
mod sign;
mod text;

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::config::credentials::{Credential, Credentials};
use crate::config::notify::{Channel, ChannelKind, ChannelSpec};
use crate::config::settings::CrawlSettings;
use crate::model::message::{Message, one_line};

/// Longest explanation of a failure, in characters.
const DETAIL_CHARS_MAX: usize = 300;

/// Why a message did not arrive, and what a caller does about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The channel cannot be reached now: the others of its messages need not be tried.
    Unreachable,
    /// This message was refused; another may pass.
    Refused,
    /// The channel was asked too often: leave it alone for so long.
    Paused(Duration),
}

/// A message that did not arrive. The detail names no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct NotDelivered {
    pub reason: Reason,
    pub detail: String,
}

impl NotDelivered {
    fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }

    fn paused(wait: Duration, detail: impl Into<String>) -> Self {
        Self::new(Reason::Paused(wait), detail)
    }
}

/// Speaks with the servers of channels; one for the whole process.
#[derive(Debug)]
pub struct Notifier {
    http: http::Http,
    timeout: Duration,
}

impl Notifier {
    pub fn new(settings: &CrawlSettings) -> anyhow::Result<Self> {
        Ok(Self { http: http::Http::new(settings)?, timeout: settings.timeout })
    }

    /// Tells these messages in one, over one channel. `key` names the delivery: the same messages again have the same.
    pub async fn send(
        &self,
        channel: &Channel,
        credentials: &Credentials,
        messages: &[&Message],
        key: &str,
        now: DateTime<Utc>,
    ) -> Result<(), NotDelivered> {
        let credential = match &channel.credential {
            None => None,
            Some(name) => Some(credentials.get(name).ok_or_else(|| {
                let detail = format!("credential `{name}` cannot be used; `duwang credentials list` says why");
                NotDelivered::new(Reason::Refused, detail)
            })?),
        };
        let told = match (&channel.spec, credential) {
            (ChannelSpec::Mail(mail), credential) => self.send_mail(mail, credential, messages, key, now).await,
            (spec, Some(credential)) => self.send_call(spec.kind(), credential, messages, key, now).await,
            (_, None) => Err(NotDelivered::new(Reason::Refused, "the channel names no `credential`")),
        };
        told.map_err(|error| {
            let detail = credential.map_or_else(|| error.detail.clone(), |credential| credential.hide(&error.detail));
            NotDelivered::new(error.reason, one_line(&detail, DETAIL_CHARS_MAX))
        })
    }

    async fn send_mail(
        &self,
        settings: &crate::config::notify::MailSettings,
        credential: Option<&Credential>,
        messages: &[&Message],
        key: &str,
        now: DateTime<Utc>,
    ) -> Result<(), NotDelivered> {
        let files = files::load(ChannelKind::Mail, messages).await?;
        let letter = mail::letter(settings, messages, files, key, now)?;
        mail::send(settings, credential, letter, self.timeout).await
    }

    async fn send_call(
        &self,
        kind: ChannelKind,
        credential: &Credential,
        messages: &[&Message],
        key: &str,
        now: DateTime<Utc>,
    ) -> Result<(), NotDelivered> {
        let files = files::load(kind, messages).await?;
        // Files first: where one is refused, nothing of the message is seen yet, and it can be told again as a whole.
        let mut media = Vec::new();
        for file in files.attached {
            media.push(self.http.upload(robot::wecom_upload(credential)?, file).await?);
        }
        let call = robot::call(kind, credential, messages, &files.notes, key, now)?;
        self.http.post(kind, call).await?;
        for media_id in media {
            self.http.post(kind, robot::wecom_file(credential, &media_id)?).await?;
        }
        Ok(())
    }
}
