//! The HTTP side of the service: what the platforms push to us.
//!
//! Loopback by default; a proxy with TLS stands before it. It holds no rules: load, call the engine, answer. Every body
//! is bounded, and an error that is ours hides its cause from the caller and is logged once.

mod hooks;
mod metrics;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::engine::Engine;
use crate::source::platform::wechat::event::BODY_BYTES_MAX;

/// Every route.
pub fn router(engine: Arc<Engine>) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/metrics", get(metrics::scrape))
        .route("/hooks/wechat/{account}", get(hooks::verify).post(hooks::receive))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(engine)
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
    pub async fn bind(engine: Arc<Engine>) -> anyhow::Result<Self> {
        let wanted = engine.config.settings.web.listen;
        let listener = TcpListener::bind(wanted).await.with_context(|| {
            format!("cannot listen on {wanted} (`web.listen`); is the port taken, or the address not of this machine?")
        })?;
        let address = listener.local_addr().context("cannot learn the address that was bound")?;
        Ok(Self { listener, router: router(engine), address })
    }

    /// Serves until `stop` comes; requests under way are finished.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> anyhow::Result<()> {
        axum::serve(self.listener, self.router).with_graceful_shutdown(stop).await.context("the server failed")
    }
}
