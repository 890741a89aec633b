//! `duwang violations`: list problems, look at one, and keep what a person decided of wording problems.

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use super::explain::Explain;
use super::{Output, Session};
use crate::model::decision::Decision;
use crate::model::violation::{Context, Severity, Tier, ViolationKind, ViolationRecord, ViolationState};
use crate::model::{AccountId, PostId, ViolationId};
use crate::store::violations::ViolationFilter;

/// Longest note, in characters.
const NOTE_CHARS_MAX: usize = 500;

#[derive(Debug, Subcommand)]
pub enum Violations {
    /// Stored problems, the newest first
    List(List),
    /// Everything that explains one problem; the same as `duwang explain`
    Show(Explain),
    /// Say that wording problems are problems: a suspect becomes open, and counts
    Confirm(Decide),
    /// Say that wording problems are none: they are withdrawn, and stay so
    Dismiss(Decide),
}

#[derive(Debug, Args)]
pub struct List {
    /// suspect, open, rectified, removed or withdrawn
    #[arg(long, value_name = "STATE", value_parser = parse_state)]
    state: Option<ViolationState>,
    /// wording, frequency, registry or link
    #[arg(long, value_name = "KIND", value_parser = parse_kind)]
    kind: Option<ViolationKind>,
    /// A counts, B is suspected
    #[arg(long, value_name = "TIER", value_parser = parse_tier)]
    tier: Option<Tier>,
    /// Only those of this account
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Args)]
pub struct Decide {
    /// Ids of problems, for example W-3f2a90c41b7d: all are decided, or none
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    /// Why; kept with the problem
    #[arg(long, value_name = "TEXT", value_parser = parse_note)]
    note: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    /// One object for each problem
    Jsonl,
}

/// One problem. The JSON form is stable.
#[derive(Debug, Serialize)]
struct Line<'v> {
    id: &'v ViolationId,
    kind: ViolationKind,
    state: ViolationState,
    tier: Tier,
    severity: Severity,
    account: &'v AccountId,
    /// Word entry, rule or registry check.
    subject: &'v str,
    found: &'v str,
    suggestion: Option<&'v str>,
    context: Option<&'v Context>,
    message: &'v str,
    post: Option<PostId>,
    title: Option<&'v str>,
    url: Option<&'v str>,
    published_at: Option<DateTime<Utc>>,
    first_seen_at: DateTime<Utc>,
}

impl<'v> From<&'v ViolationRecord> for Line<'v> {
    fn from(record: &'v ViolationRecord) -> Self {
        let (violation, post) = (&record.violation, record.post.as_ref());
        Self {
            id: &violation.id,
            kind: violation.kind,
            state: violation.state,
            tier: violation.tier,
            severity: violation.severity,
            account: &violation.account,
            subject: &violation.subject,
            found: &violation.found,
            suggestion: violation.suggestion.as_deref(),
            context: violation.context.as_ref(),
            message: &violation.message,
            post: violation.post,
            title: post.map(|post| post.title.as_str()),
            url: post.and_then(|post| post.url.as_deref()),
            published_at: post.and_then(|post| post.published_at),
            first_seen_at: violation.first_seen_at,
        }
    }
}

impl Violations {
    pub async fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::List(list) => list.run(session, output).await?,
            Self::Show(explain) => return explain.run(session, output).await,
            Self::Confirm(decide) => decide.run(session, Decision::Confirmed, output).await?,
            Self::Dismiss(decide) => decide.run(session, Decision::Dismissed, output).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl List {
    async fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<()> {
        let engine = session.engine().await?;
        let account = self.account.map(AccountId::new);
        let filter = ViolationFilter { state: self.state, kind: self.kind, tier: self.tier, account };
        let records = engine.store.read().await?.list_violations(&filter, self.limit).await?;
        engine.store.close().await;
        for record in &records {
            let line = Line::from(record);
            match self.format {
                Format::Jsonl => output.line(serde_json::to_string(&line)?)?,
                Format::Text => print(output, &line, engine.config.settings.time_zone)?,
            }
        }
        if self.format == Format::Text {
            let more = if records.len() == self.limit as usize { ", perhaps more: raise --limit" } else { "" };
            output.line(format_args!("{} problems listed{more}", records.len()))?;
        }
        Ok(())
    }
}

fn print(output: &mut Output, line: &Line<'_>, zone: Tz) -> anyhow::Result<()> {
    let Line { id, kind, state, tier, severity, account, subject, .. } = line;
    let day = line.first_seen_at.with_timezone(&zone).format("%Y-%m-%d");
    output.line(format_args!("{id}  {state}  {kind}  {tier}  {severity}  {day}  {account}  {subject}"))?;
    match line.context {
        Some(context) => {
            let right = line.suggestion.map(|right| format!(" → {right}")).unwrap_or_default();
            output.line(format_args!("    …{}【{}】{}…{right}", context.before, line.found, context.after))?;
        }
        None => output.line(format_args!("    {}", line.message))?,
    }
    if let Some(title) = line.title {
        output.line(format_args!("    {title}{}", line.url.map(|url| format!("  {url}")).unwrap_or_default()))?;
    }
    Ok(())
}

impl Decide {
    async fn run(self, session: &Session, decision: Decision, output: &mut Output) -> anyhow::Result<()> {
        let engine = session.engine().await?;
        let ids: Vec<ViolationId> = self.ids.into_iter().map(ViolationId::new).collect();
        let summary = engine.decide(&ids, decision, self.note.as_deref()).await?;
        engine.store.close().await;
        for decided in &summary.decided {
            let again = if decided.is_repeated { ", as before" } else { "" };
            output.line(format_args!("{}  {}  {decision}{again}, now {}", decided.id, decided.words, decided.state))?;
        }
        for entry in &summary.newly_demoted {
            output.line(format_args!(
                "entry `{entry}` was dismissed too often: what it finds is only suspected from now on; correct the lists"
            ))?;
        }
        for entry in &summary.restored {
            output.line(format_args!("entry `{entry}` is trusted again"))?;
        }
        Ok(())
    }
}

fn parse_state(text: &str) -> Result<ViolationState, String> {
    ViolationState::parse(text)
        .ok_or_else(|| format!("`{text}` is not a state; write suspect, open, rectified, removed or withdrawn"))
}

fn parse_kind(text: &str) -> Result<ViolationKind, String> {
    ViolationKind::parse(text)
        .ok_or_else(|| format!("`{text}` is not a kind; write wording, frequency, registry or link"))
}

fn parse_tier(text: &str) -> Result<Tier, String> {
    Tier::parse(&text.to_ascii_uppercase()).ok_or_else(|| format!("`{text}` is not a tier; write A or B"))
}

fn parse_note(text: &str) -> Result<String, String> {
    let text = text.trim();
    let n_chars = text.chars().count();
    if n_chars == 0 || n_chars > NOTE_CHARS_MAX || text.chars().any(char::is_control) {
        return Err(format!("a note is one line of 1 to {NOTE_CHARS_MAX} characters"));
    }
    Ok(text.to_owned())
}
