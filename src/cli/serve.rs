//! `duwang serve`: the service, until it is told to stop.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use super::{Output, Session};
use crate::engine::Engine;
use crate::engine::daemon::{self, Node, Role};
use crate::lifecycle::{self, Request, Signals, Stop};
use crate::store::Store;
use crate::web::Server;

/// How long work under way may take after the first signal.
const STOP_WITHIN: Duration = Duration::from_mins(1);

/// How long the database may take to let us go: it may still be at a statement of a task that was stopped.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
pub struct Serve {
    /// What this node does; several nodes may share one PostgreSQL database
    #[arg(long, value_name = "ROLE", default_value = "all", value_parser = parse_role)]
    role: Role,
}

fn parse_role(word: &str) -> Result<Role, String> {
    Role::parse(word).ok_or_else(|| format!("`{word}` is not a role; write all, crawler, web or scheduler"))
}

impl Serve {
    pub async fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<ExitCode> {
        let mut signals = Signals::listen()?;
        let engine = Arc::new(session.engine().await?);
        let store = engine.store.clone();
        let _lock = lock_sqlite(&engine)?;
        let stop = Stop::default();
        let (current, engines) = watch::channel(Arc::clone(&engine));
        let node = Node::new(node_id(session), self.role, engines.clone(), stop.clone());
        let tracker = TaskTracker::new();
        if matches!(self.role, Role::All | Role::Web) {
            let server = Server::bind(engine.config.settings.web.listen, engines).await?;
            output.line(format_args!("listening on http://{}", server.address))?;
            let soft = stop.soft.clone();
            tracker.spawn(async move {
                if let Err(error) = server.run(soft.cancelled_owned()).await {
                    tracing::error!(error = format!("{error:#}"), "the web server failed");
                }
            });
        }
        node.start(&tracker);
        tracker.close();
        output.line(format_args!("node {} serves as {}", node.id, self.role))?;
        output.flush()?;
        lifecycle::notify_ready("serving");
        while signals.next().await == Request::Reload {
            reload(session, &store, &current);
        }
        lifecycle::notify_stopping();
        tracing::info!("stopping: what is under way is finished");
        stop.soft.cancel();
        // The heartbeat goes on until the work has ended, so that nobody takes it over meanwhile.
        let all_but_heartbeat = async {
            while tracker.len() > 1 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::select! {
            () = all_but_heartbeat => {}
            () = tokio::time::sleep(STOP_WITHIN) => tracing::warn!("stopping now: the work took too long"),
            _ = signals.next() => tracing::warn!("stopping now: asked a second time"),
        }
        stop.hard.cancel();
        tracker.wait().await;
        let engine = current.borrow().clone();
        let leave = async {
            if let Err(error) = daemon::release(&engine, &node.id).await {
                tracing::warn!(
                    error = format!("{error:#}"),
                    "leases could not be given back; they run out by themselves"
                );
            }
            store.close().await;
        };
        if tokio::time::timeout(LEAVE_WITHIN, leave).await.is_err() {
            tracing::warn!("the database does not let go; leases run out by themselves");
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Reads the configuration again. A bad file keeps the old one and says so.
fn reload(session: &Session, store: &Store, current: &watch::Sender<Arc<Engine>>) {
    lifecycle::notify_reloading();
    match session.engine_over(store.clone()) {
        Ok(engine) => {
            current.send_replace(Arc::new(engine));
            tracing::info!("configuration read again");
            lifecycle::notify_ready("serving, configuration read again");
        }
        Err(error) => {
            tracing::error!(
                error = format!("{error:#}"),
                "the new configuration is not used: correct it and reload again"
            );
            lifecycle::notify_ready("serving with the old configuration: the new one has errors");
        }
    }
}

/// A name that no other process has: host, process, and the moment of its start.
fn node_id(session: &Session) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    let host = if host.is_empty() { "node" } else { host };
    format!("{host}-{}-{}", std::process::id(), session.clock.now().timestamp_millis())
}

/// Two services on one SQLite file would each keep the pace and the schedule for themselves. The lock ends with the
/// process, however it ends.
fn lock_sqlite(engine: &Engine) -> anyhow::Result<Option<File>> {
    let Some(path) = Store::sqlite_file(&engine.config.settings.storage.url, &engine.config.dir) else {
        return Ok(None);
    };
    let path = lock_path(&path);
    let file = File::create(&path).with_context(|| format!("cannot make the lock {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => anyhow::bail!(
            "another duwang already serves this SQLite database ({} is locked): stop it first; several nodes need PostgreSQL",
            path.display()
        ),
        Err(std::fs::TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}
