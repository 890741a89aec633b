//! Mail: one letter with its files, handed to the office's mail server over TLS.

use std::time::Duration;

use chrono::{DateTime, Utc};
use lettre::address::AddressError;
use lettre::message::header::ContentType;
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials as Login;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};

use super::files::Files;
use super::{NotDelivered, Reason, text};
use crate::config::credentials::Credential;
use crate::config::notify::{MailSettings, MailTls};
use crate::model::message::Message;

/// The name beside the sender's address.
const SENDER_NAME: &str = "读网";
/// Time for one whole mail with its files, in units of the time for one request.
const TIMEOUTS_PER_MAIL: u32 = 6;

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// The letter that tells these messages. Its id comes from `key`: sent twice, it is one letter to most readers.
pub(super) fn letter(
    settings: &MailSettings,
    messages: &[&Message],
    files: Files,
    key: &str,
    now: DateTime<Utc>,
) -> Result<lettre::Message, NotDelivered> {
    let unusable =
        |error: AddressError| NotDelivered::new(Reason::Refused, format!("a mail address is wrong: {error}"));
    let host = settings.from.rsplit('@').next().unwrap_or("localhost");
    let mut builder = lettre::Message::builder()
        .from(Mailbox::new(Some(SENDER_NAME.to_owned()), settings.from.parse().map_err(unusable)?))
        .message_id(Some(format!("<{key}@{host}>")))
        .date(now.into())
        .subject(text::headline(messages));
    for to in &settings.to {
        builder = builder.to(Mailbox::new(None, to.parse().map_err(unusable)?));
    }
    let mut parts = MultiPart::mixed().singlepart(SinglePart::plain(text::letter(messages, &files.notes)));
    for file in files.attached {
        let content_type = content_type(&file.name).unwrap_or(ContentType::TEXT_PLAIN);
        parts = parts.singlepart(Attachment::new(file.name).body(file.bytes, content_type));
    }
    builder
        .multipart(parts)
        .map_err(|error| NotDelivered::new(Reason::Refused, format!("the mail cannot be written: {error}")))
}

/// What reports are made of; anything else is bytes.
fn content_type(name: &str) -> Option<ContentType> {
    let text = match name.rsplit('.').next().unwrap_or_default() {
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "html" => "text/html; charset=utf-8",
        "json" => "application/json",
        "csv" => "text/csv; charset=utf-8",
        _ => "application/octet-stream",
    };
    ContentType::parse(text).ok()
}

/// Hands the letter to the server.
pub(super) async fn send(
    settings: &MailSettings,
    credential: Option<&Credential>,
    letter: lettre::Message,
    timeout: Duration,
) -> Result<(), NotDelivered> {
    let transport = transport(settings, credential, timeout)?;
    match tokio::time::timeout(timeout * TIMEOUTS_PER_MAIL, transport.send(letter)).await {
        Err(_) => Err(NotDelivered::new(Reason::Unreachable, "the mail server did not take the mail in time")),
        Ok(Err(error)) => Err(not_delivered(&error)),
        Ok(Ok(_)) => Ok(()),
    }
}

fn transport(
    settings: &MailSettings,
    credential: Option<&Credential>,
    timeout: Duration,
) -> Result<Transport, NotDelivered> {
    let builder = match settings.tls {
        MailTls::Implicit => Transport::relay(&settings.host),
        MailTls::Starttls => Transport::starttls_relay(&settings.host),
        // The settings allow it for this machine only.
        MailTls::None => Ok(Transport::builder_dangerous(settings.host.as_str())),
    };
    let mut builder = builder.map_err(|error| not_delivered(&error))?.port(settings.port).timeout(Some(timeout));
    if let Some(credential) = credential {
        let missing = || NotDelivered::new(Reason::Refused, "the credential holds no `password` of the mail server");
        let password = credential.get("password").ok_or_else(missing)?;
        let user = credential.get("user").unwrap_or(&settings.from);
        builder = builder.credentials(Login::new(user.to_owned(), password.to_owned()));
    }
    Ok(builder.build())
}

/// A server that says "never" (5xx) refuses this mail; everything else may be better later.
fn not_delivered(error: &lettre::transport::smtp::Error) -> NotDelivered {
    let reason = if error.is_permanent() { Reason::Refused } else { Reason::Unreachable };
    let cause = std::error::Error::source(error).map(|cause| format!(" ({cause})")).unwrap_or_default();
    NotDelivered::new(reason, format!("{error}{cause}"))
}
