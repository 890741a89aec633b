//! Progress bars on stderr, and log lines that do not tear them.

use std::io::Write;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// All bars of the process.
#[derive(Clone, Debug)]
pub struct Progress(MultiProgress);

impl Progress {
    /// Draws nothing where stderr is no terminal, or when told to be quiet.
    pub fn new(quiet: bool) -> Self {
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        Self(MultiProgress::with_draw_target(target))
    }

    /// A bar of `length` steps.
    pub fn bar(&self, length: u64, what: &'static str) -> ProgressBar {
        let bar = self.0.add(ProgressBar::new(length));
        if let Ok(style) = ProgressStyle::with_template("{prefix:>12} [{bar:30}] {pos}/{len} ({per_sec}, {eta} left)") {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(what);
        bar
    }

    /// A log writer that lifts the bars while it writes.
    pub fn log_writer(&self) -> impl Fn() -> LogWriter + Send + Sync + 'static {
        let bars = self.0.clone();
        move || LogWriter(bars.clone())
    }
}

/// Writes whole log lines to stderr.
#[derive(Debug)]
pub struct LogWriter(MultiProgress);

impl Write for LogWriter {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.suspend(|| std::io::stderr().write(line))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}
