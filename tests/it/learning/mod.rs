//! What people decide of wording findings.

mod store;

use duwang::model::violation::{Severity, Tier, Violation, ViolationKind, ViolationState, WordingClass};
use duwang::model::{AccountId, PostId, ViolationId};

use crate::support::build::at;

fn violation(id: &str, post: PostId, state: ViolationState) -> Violation {
    Violation {
        id: ViolationId::new(id),
        kind: ViolationKind::Wording,
        account: AccountId::new("wx"),
        post: Some(post),
        subject: "t-1".to_owned(),
        severity: Severity::Minor,
        tier: Tier::A,
        class: Some(WordingClass::Typo),
        state,
        message: "“布署”应为“部署”".to_owned(),
        basis: "依据".to_owned(),
        found: "布署".to_owned(),
        suggestion: Some("部署".to_owned()),
        context: None,
        span: Some((2, 4)),
        occurrences: 1,
        post_version: Some(1),
        lists_version: Some("lists-1".to_owned()),
        window: None,
        first_seen_at: at(100),
    }
}
