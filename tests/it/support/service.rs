//! The service as a process of its own, on a folder that a test wrote.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A running `duwang serve`; killed when dropped.
pub struct Service {
    child: Child,
    /// The name of its node.
    pub node: String,
    log: std::path::PathBuf,
}

/// `duwang serve` with its log in a file; not yet ready.
fn spawn(dir: &Path, log: &Path, args: &[&str], under: &[String]) -> Child {
    let log = std::fs::File::create(log).unwrap();
    let program = env!("CARGO_BIN_EXE_duwang").to_owned();
    let mut words = under.iter().chain([&program]);
    Command::new(words.next().unwrap())
        .args(words)
        .arg("--config")
        .arg(dir)
        .args(["-v", "serve"])
        .args(args)
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap()
}

impl Service {
    /// Starts the service and waits until it serves.
    pub fn start(dir: &Path, name: &str, args: &[&str]) -> Self {
        Self::start_under(dir, name, args, &[])
    }

    /// The same, started by another program (`env`, `sh`) that becomes it.
    pub fn start_under(dir: &Path, name: &str, args: &[&str], under: &[String]) -> Self {
        let log = dir.join(format!("{name}.log"));
        let mut child = spawn(dir, &log, args, under);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let node = loop {
            let Some(Ok(line)) = lines.next() else {
                panic!("the service ended: {}", std::fs::read_to_string(&log).unwrap_or_default());
            };
            if let Some((node, _)) = line.strip_prefix("node ").and_then(|rest| rest.split_once(' ')) {
                break node.to_owned();
            }
        };
        Self { child, node, log }
    }

    /// Starts a service that is expected to end by itself; gives status and log.
    pub fn fails(dir: &Path, name: &str) -> (ExitStatus, String) {
        let log = dir.join(format!("{name}.log"));
        let status = spawn(dir, &log, &[], &[]).wait().unwrap();
        (status, std::fs::read_to_string(log).unwrap())
    }

    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Asks it to stop and waits for the end.
    pub fn stop(mut self) -> ExitStatus {
        self.signal("-TERM");
        self.child.wait().unwrap()
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks again and again until something holds; the limit only ends a test that has failed.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) -> Duration {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_mins(1), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
    started.elapsed()
}
