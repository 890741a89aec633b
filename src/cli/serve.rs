//! `duwang serve`: receives what platforms push, until it is told to stop.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use super::{Output, Session};
use crate::web::Server;

pub(super) async fn run(session: &Session, output: &mut Output) -> anyhow::Result<ExitCode> {
    let engine = Arc::new(session.engine().await?);
    engine.sync_registry().await?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for signals")?;
    let server = Server::bind(Arc::clone(&engine)).await?;
    output.line(format_args!("listening on http://{}", server.address))?;
    output.flush()?;
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    server.run(stop).await?;
    engine.store.close().await;
    Ok(ExitCode::SUCCESS)
}
