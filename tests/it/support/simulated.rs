//! A simulated prefecture, its configuration folder, and the program that watches it.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use duwang::clock::Clock;
use duwang::engine::Engine;
use duwang::rules::wording::Checker;
use duwang::simulator::{Channel, Options, Platforms, World, write_config};
use duwang::store::Store;
use tempfile::TempDir;

/// Friday 2026-11-20, 16:00 in Shanghai: the reporting week ended at midnight.
pub fn friday() -> DateTime<Utc> {
    "2026-11-20T08:00:00Z".parse().unwrap()
}

/// Running platforms with a configuration folder.
pub struct Prefecture {
    pub platforms: Platforms,
    pub dir: TempDir,
}

impl Prefecture {
    pub fn start() -> Self {
        let platforms = Platforms::start(World::new(1, friday()), Options::default()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        write_config(dir.path(), &platforms).unwrap();
        Self { platforms, dir }
    }

    /// Takes away the fault that depends on how often a host was asked, so that runs can be compared.
    pub fn without_rate_limits(self) -> Self {
        for account in self.platforms.world().accounts() {
            if account.channel == Channel::LimitedBridge {
                self.platforms.set_fault(&account.id, None);
            }
        }
        self
    }

    /// A further folder that watches the same platforms.
    pub fn another_folder(&self) -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        write_config(dir.path(), &self.platforms).unwrap();
        dir
    }

    /// The engine of this folder over a store of the test's choice, at the given time.
    pub fn engine(&self, store: Store, now: DateTime<Utc>) -> Engine {
        let config = duwang::config::load(self.dir.path()).unwrap();
        let checker = Checker::built_in().unwrap();
        Engine::new(Arc::new(config), store, Arc::new(checker), Clock::Fixed(now)).unwrap()
    }
}

/// The program, quiet, at the time of the simulated world.
pub fn program(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_duwang"));
    command.arg("--config").arg(dir).args(["--quiet", "--now", &friday().to_rfc3339()]);
    command.env("DUWANG__CRAWL__FILL_PAGES_MAX", "100000");
    command
}

/// Runs the program to its end.
pub fn run(dir: &Path, args: &[&str]) -> Output {
    program(dir).args(args).output().unwrap()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
