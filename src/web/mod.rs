//! The HTTP side of the service: what the platforms push to us, and how the service is doing.
//!
//! Loopback by default; a proxy with TLS stands before it. It holds no rules: load, call the engine, answer. Every body
//! is bounded, and an error that is ours hides its cause from the caller and is logged once.

mod hooks;
mod metrics;
mod status;

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::get;
use chrono::{DateTime, SecondsFormat, Utc};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::engine::Engine;
use crate::source::platform::wechat::event::BODY_BYTES_MAX;
use crate::store::StoreError;

/// How long the database may take to answer.
const READY_WITHIN: Duration = Duration::from_secs(2);

/// The engine as configured last.
#[derive(Clone, Debug)]
pub struct Current(watch::Receiver<Arc<Engine>>);

impl Current {
    fn engine(&self) -> Arc<Engine> {
        Arc::clone(&self.0.borrow())
    }
}

/// Every route.
fn router(current: Current) -> Router {
    Router::new()
        .route("/", get(status::show))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics::scrape))
        .route("/hooks/wechat/{account}", get(hooks::verify).post(hooks::receive))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(current)
}

/// Ready is who reaches the database; says how each task of the service is doing, one line each.
async fn ready(State(current): State<Current>) -> (StatusCode, String) {
    match tokio::time::timeout(READY_WITHIN, task_lines(&current.engine())).await {
        Ok(Ok(lines)) => (StatusCode::OK, format!("ready\n{lines}")),
        Ok(Err(_)) | Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n".to_owned()),
    }
}

async fn task_lines(engine: &Engine) -> Result<String, StoreError> {
    let zone = engine.config.settings.time_zone;
    let local = |at: DateTime<Utc>| at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, false);
    let mut lines = String::new();
    for state in engine.store.read().await?.task_states().await? {
        let ended = match state.last_ok {
            None => "never ran",
            Some(true) => "ok",
            Some(false) => "failed",
        };
        let last = state.last_finished_at.map(|at| format!(" {}", local(at))).unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "{}: {ended}{last}, next {}", state.task, local(state.next_at));
    }
    Ok(lines)
}

/// A server that has its port.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    router: Router,
    /// Where it listens; the port is known even where a free one was asked for.
    pub address: SocketAddr,
}

impl Server {
    /// Takes the address; `engines` brings a new engine with each reload.
    pub async fn bind(wanted: SocketAddr, engines: watch::Receiver<Arc<Engine>>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(wanted).await.with_context(|| {
            format!("cannot listen on {wanted} (`web.listen`); is the port taken, or the address not of this machine?")
        })?;
        let address = listener.local_addr().context("cannot learn the address that was bound")?;
        Ok(Self { listener, router: router(Current(engines)), address })
    }

    /// Serves until `stop` comes; requests under way are finished.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> anyhow::Result<()> {
        axum::serve(self.listener, self.router).with_graceful_shutdown(stop).await.context("the server failed")
    }
}
