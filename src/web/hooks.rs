//! `/hooks/wechat/{account}`: WeChat says within seconds that an account has published.
//!
//! The account's `wechat_official` source names the credential; beside `appid` and `secret` it holds `event_token` and, in
//! safe mode, `event_aes_key`, as they are registered in the back office. Nothing of a request is believed before its
//! signature is checked.

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;

use super::Current;
use crate::config::credentials::Credential;
use crate::engine::Engine;
use crate::model::AccountId;
use crate::model::account::{Account, SourceSpec};
use crate::model::interface::Interface;
use crate::source::platform::wechat::event::{Callback, Refusal};

/// What WeChat is answered.
type Answer = (StatusCode, String);

/// GET: WeChat asks whether the address is ours.
pub async fn verify(State(current): State<Current>, Path(account): Path<String>, RawQuery(query): RawQuery) -> Answer {
    let engine = current.engine();
    let (account, callback) = match callback(&engine, &account) {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    match callback.verify(&query.unwrap_or_default(), engine.clock.now()) {
        Ok(echo) => (StatusCode::OK, echo),
        Err(refusal) => refused(account, &refusal),
    }
}

/// POST: an event. The same event again changes nothing and is answered alike.
pub async fn receive(
    State(current): State<Current>,
    Path(account): Path<String>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Answer {
    let engine = current.engine();
    let (account, callback) = match callback(&engine, &account) {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    let event = match callback.receive(&query.unwrap_or_default(), &body, engine.clock.now()) {
        Ok(event) => event,
        Err(refusal) => return refused(account, &refusal),
    };
    if account.platform_id.as_ref().is_some_and(|platform_id| *platform_id != event.account) {
        tracing::warn!(account.id = %account.id, event.account, "event of another account: correct the callback address");
        return (StatusCode::FORBIDDEN, "the event is of another account\n".to_owned());
    }
    match engine.take_event(&account.id, &event).await {
        Ok(n_new) => {
            tracing::info!(account.id = %account.id, n_new, "event taken");
            // What WeChat wants to read; anything else is sent again.
            (StatusCode::OK, "success".to_owned())
        }
        Err(error) => {
            tracing::error!(account.id = %account.id, error = format!("{error:#}"), "event could not be stored");
            (StatusCode::INTERNAL_SERVER_ERROR, "the event could not be stored; send it again\n".to_owned())
        }
    }
}

/// The account and what is registered for its callback.
fn callback<'e>(engine: &'e Engine, id: &str) -> Result<(&'e Account, Callback), Answer> {
    let unknown = || (StatusCode::NOT_FOUND, "no event is awaited here\n".to_owned());
    let account = engine.config.registry.account(&AccountId::new(id)).ok_or_else(unknown)?;
    let credential = credential(engine, account).ok_or_else(unknown)?;
    let token = credential.get("event_token").ok_or_else(unknown)?;
    let app_id = credential.get("appid").unwrap_or_default();
    Callback::new(token, credential.get("event_aes_key"), app_id).map(|callback| (account, callback)).map_err(|error| {
        tracing::error!(account.id = %account.id, %error, "the credential of the account's events is wrong");
        (StatusCode::INTERNAL_SERVER_ERROR, "the receiver is not set up\n".to_owned())
    })
}

fn credential<'e>(engine: &'e Engine, account: &Account) -> Option<&'e Credential> {
    let official = account.sources.iter().find(|source| match &source.spec {
        SourceSpec::Interface(spec) => spec.interface == Interface::WechatOfficial,
        SourceSpec::Feed { .. } | SourceSpec::HtmlList(_) => false,
    })?;
    official.spec.credential().and_then(|name| engine.credentials.get(name))
}

fn refused(account: &Account, refusal: &Refusal) -> Answer {
    tracing::warn!(account.id = %account.id, %refusal, "event refused");
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
    (status, format!("{refusal}\n"))
}
