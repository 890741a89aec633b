//! `/`: how the service is doing, for the person who looks after it. No script, no outside file.

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::{Current, READY_WITHIN};
use crate::engine::Engine;
use crate::engine::daemon::tasks;
use crate::store::StoreError;
use crate::store::schedule::TaskState;

/// What the page may load: its own inline style, and nothing else.
const CONTENT_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

#[derive(Template)]
#[template(path = "status.html")]
struct StatusPage {
    version: &'static str,
    now: String,
    n_accounts: usize,
    newest_crawl_at: String,
    n_undelivered: i64,
    n_to_fill: u64,
    tasks: Vec<TaskRow>,
}

struct TaskRow {
    label: &'static str,
    name: String,
    state: &'static str,
    /// Class of the style sheet.
    tone: &'static str,
    last: String,
    next: String,
    result: String,
}

/// The page, or one sentence where the database does not answer.
pub(super) async fn show(State(current): State<Current>) -> Response {
    let engine = current.engine();
    let gathered = tokio::time::timeout(READY_WITHIN, gather(&engine)).await.map_err(anyhow::Error::from);
    let page = match gathered.and_then(|page| Ok(page?)) {
        Ok(page) => page,
        Err(error) => {
            tracing::error!("the page of the service's state cannot be gathered: {error:#}");
            let text = "数据库没有应答，请运行 duwang doctor 查看原因。\n";
            return (StatusCode::SERVICE_UNAVAILABLE, text).into_response();
        }
    };
    match page.render() {
        Ok(page) => ([(header::CONTENT_SECURITY_POLICY, CONTENT_POLICY)], Html(page)).into_response(),
        Err(error) => {
            tracing::error!("the page cannot be rendered: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn gather(engine: &Engine) -> Result<StatusPage, StoreError> {
    let settings = &engine.config.settings;
    let now = engine.clock.now();
    let mut tx = engine.store.read().await?;
    let tasks = tx.task_states().await?.into_iter().map(|state| row(state, settings.time_zone, now)).collect();
    Ok(StatusPage {
        version: env!("CARGO_PKG_VERSION"),
        now: shown(now, settings.time_zone),
        n_accounts: engine.config.registry.accounts.len(),
        newest_crawl_at: tx
            .newest_crawl_at()
            .await?
            .map_or_else(|| "尚未采集".to_owned(), |at| shown(at, settings.time_zone)),
        n_undelivered: tx.outbox_backlog().await?.n_undelivered,
        n_to_fill: tx.count_to_fill().await?,
        tasks,
    })
}

fn row(task: TaskState, zone: Tz, now: DateTime<Utc>) -> TaskRow {
    let runs = task.lease_until.is_some_and(|until| until > now);
    let (state, tone) = match task.last_ok {
        _ if runs => ("运行中", "busy"),
        None => ("尚未运行", "idle"),
        Some(true) => ("正常", "good"),
        Some(false) => ("失败，将重试", "bad"),
    };
    TaskRow {
        label: tasks::ALL.iter().find(|known| known.name == task.task).map_or("（已停用）", |known| known.label),
        state,
        tone,
        last: task.last_finished_at.map_or_else(|| "—".to_owned(), |at| shown(at, zone)),
        next: if task.next_at == DateTime::<Utc>::MAX_UTC {
            "不再运行".to_owned()
        } else {
            shown(task.next_at, zone)
        },
        result: task.last_result.unwrap_or_default(),
        name: task.task,
    }
}

fn shown(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S").to_string()
}
