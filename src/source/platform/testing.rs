//! What the tests of every adapter need: a context, answers, and a talk carried out without a network.

use chrono::{DateTime, Utc};
use serde_json::Value;
use url::Url;

use super::{Answer, CALLS_MAX, Call, Context, Conversation, Step};
use crate::config::credentials::Credential;
use crate::model::crawl::{Failure, Listing};
use crate::model::interface::{Interface, InterfaceSpec};

/// The `now` of the tests: Friday 2026-11-20, 16:00 in Shanghai.
pub fn now() -> DateTime<Utc> {
    "2026-11-20T08:00:00Z".parse().unwrap()
}

/// What a context borrows from.
#[derive(Debug)]
pub struct Asked {
    base: Url,
    spec: InterfaceSpec,
    credential: Option<Credential>,
    pub back_to: DateTime<Utc>,
    pub note: Option<String>,
}

impl Asked {
    /// Asks an interface with registry values and secrets.
    pub fn new(interface: Interface, values: &[(&'static str, &str)], secrets: &[(&str, &str)]) -> Self {
        let values = values.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let credential = (!secrets.is_empty()).then(|| Credential::of(secrets));
        Self {
            base: "http://127.0.0.1:9000/".parse().unwrap(),
            spec: InterfaceSpec { interface, credential: Some("office".to_owned()), values },
            credential,
            back_to: now() - chrono::TimeDelta::days(45),
            note: None,
        }
    }

    pub fn context(&self) -> Context<'_> {
        Context {
            base: &self.base,
            spec: &self.spec,
            credential: self.credential.as_ref(),
            now: now(),
            back_to: self.back_to,
            note: self.note.as_deref(),
        }
    }
}

pub fn answer(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    let content_type = Some("application/json; charset=utf-8".to_owned());
    Answer { status, content_type, location: None, retry_at: None, bytes: body.into() }
}

pub fn json(value: &Value) -> Answer {
    answer(200, value.to_string())
}

pub fn redirect(to: &str) -> Answer {
    Answer { location: Some(to.parse().unwrap()), ..answer(302, "") }
}

/// Carries the talk out with a platform that is a function; gives the listing and every question asked.
pub fn talk(
    conversation: &mut dyn Conversation,
    mut platform: impl FnMut(&Call) -> Answer,
) -> (Result<Listing, Failure>, Vec<Call>) {
    let mut asked = Vec::new();
    let mut call = match conversation.start() {
        Ok(call) => call,
        Err(failure) => return (Err(failure), asked),
    };
    while asked.len() < CALLS_MAX {
        let answer = platform(&call);
        asked.push(call);
        match conversation.take(&answer) {
            Ok(Step::Ask(next)) => call = next,
            Ok(Step::Done(listing)) => return (Ok(listing), asked),
            Err(failure) => return (Err(failure), asked),
        }
    }
    panic!("the talk does not end");
}
