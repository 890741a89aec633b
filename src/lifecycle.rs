//! The life of the service process: signals, the two-step stop, and what systemd is told.
//!
//! The first SIGTERM or SIGINT asks softly: nothing new is begun, what is under way is finished. A second one, or the time
//! limit, asks hard: work is dropped where it stands, which loses nothing, because every step is stored before the next.
//! SIGHUP reads the configuration again.

use std::time::Duration;

use anyhow::Context as _;
use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Both steps of the stop.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    /// Nothing new is begun.
    pub soft: CancellationToken,
    /// Everything ends now.
    pub hard: CancellationToken,
}

impl Stop {
    /// Both steps at once.
    pub fn now(&self) {
        self.soft.cancel();
        self.hard.cancel();
    }
}

/// What the process is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    Stop,
    Reload,
}

/// The signals of the process.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    pub fn listen() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    /// The next request.
    pub async fn next(&mut self) -> Request {
        tokio::select! {
            _ = self.terminate.recv() => Request::Stop,
            _ = self.interrupt.recv() => Request::Stop,
            _ = self.hangup.recv() => Request::Reload,
        }
    }
}

/// Tells systemd; without systemd it does nothing.
pub fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "systemd could not be told");
    }
}

pub fn notify_ready(status: &str) {
    notify(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// Reloading needs the time, since systemd 253.
pub fn notify_reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(_) => notify(&[NotifyState::Reloading]),
    }
}

pub fn notify_stopping() {
    notify(&[NotifyState::Stopping]);
}

pub fn notify_alive() {
    notify(&[NotifyState::Watchdog]);
}

/// Silence after which systemd starts the service anew (`WatchdogSec`); `None`: it does not watch.
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}
