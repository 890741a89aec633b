//! Carries out the conversations of [`super::platform`]: asks what they want to know, at the pace of host and
//! credential.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use super::http::HttpClient;
use super::platform::{self, CALLS_MAX, Context, Note, Step};
use crate::config::credentials::Credential;
use crate::model::account::Source;
use crate::model::crawl::{Failure, Listing, Outcome, Proof};
use crate::model::interface::{Grade, InterfaceSpec};

/// How far back lists are read: longer than any window of a rule.
const BACK: TimeDelta = TimeDelta::days(45);

/// What conversations remember of one another, by credential; in memory only.
#[derive(Debug, Default)]
pub struct Notes(Mutex<HashMap<String, Note>>);

impl Notes {
    fn get(&self, credential: &str, now: DateTime<Utc>) -> Option<String> {
        let notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.get(credential).filter(|note| now < note.until).map(|note| note.text.clone())
    }

    fn set(&self, credential: &str, note: Note) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(credential.to_owned(), note);
    }
}

/// Asks a platform for an account's posts. What a failure quotes of the platform holds no secret: a platform may repeat
/// them.
pub(super) async fn converse(
    client: &HttpClient,
    notes: &Notes,
    source: &Source,
    spec: &InterfaceSpec,
    credential: Option<&Credential>,
    now: DateTime<Utc>,
) -> Result<Listing, Failure> {
    let name = spec.credential.as_deref();
    let talk = async {
        let note = name.and_then(|name| notes.get(name, now));
        let context = Context { base: &source.url, spec, credential, now, back_to: now - BACK, note: note.as_deref() };
        let mut conversation = platform::open(context);
        let mut call = conversation.start()?;
        for _ in 0..CALLS_MAX {
            let answer = client.call(&call, name, spec.interface.interval(), now).await?;
            let step = conversation.take(&answer);
            if let (Some(name), Some(note)) = (name, conversation.note()) {
                notes.set(name, note);
            }
            match step? {
                Step::Ask(next) => call = next,
                Step::Done(listing) => return Ok(graded(listing, spec.interface.grade())),
            }
        }
        Err(Failure::new(
            Outcome::ShapeChanged,
            format!("the platform did not come to an end within {CALLS_MAX} questions"),
        ))
    };
    talk.await.map_err(|mut failure| {
        if let Some(credential) = credential {
            failure.detail = credential.hide(&failure.detail);
        }
        if let Some(note) = name.and_then(|name| notes.get(name, now)) {
            failure.detail = failure.detail.replace(&note, "…");
        }
        failure
    })
}

/// The items of an interface that leaves out posts prove nothing; what it reports of whole days still does.
fn graded(mut listing: Listing, grade: Grade) -> Listing {
    if grade != Grade::Complete && listing.proof == Proof::Items {
        listing.proof = Proof::Nothing;
    }
    listing
}
