//! Log lines on stderr: text for people, JSON for collectors, `<N>` priorities for the journal. One line for each event.
//!
//! Invariant: no secret is logged at any level. What other libraries say below a warning is never shown, whatever the
//! levels ask for: HTTP libraries log headers, and cookies are headers.

use std::fmt;
use std::io::Write;

use clap::ValueEnum;
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry};

use super::progress::Progress;
use crate::config::LogEnvironment;

/// Events of this crate have targets that begin so.
const OURS: &str = "duwang";

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Time, level, message, fields
    Text,
    /// One object for each line
    Json,
    /// Priority for the journal, message, fields; the journal adds the time
    Journald,
}

/// `DUWANG_LOG` cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("`DUWANG_LOG` holds `{levels}`, which names no levels; write `info`, or `warn,duwang::engine=debug`")]
pub struct LevelsError {
    levels: String,
}

/// The given format, else that of the journal where stderr leads there.
pub fn format_of(wanted: Option<LogFormat>, environment: &LogEnvironment) -> LogFormat {
    wanted.unwrap_or_else(|| match &environment.journal_stream {
        Some(stream) if stderr_stream().as_ref() == Some(stream) => LogFormat::Journald,
        _ => LogFormat::Text,
    })
}

/// Begins to log. `level` is that of the command line; without one, `DUWANG_LOG` decides, else `default`.
pub fn init(
    format: LogFormat,
    level: Option<LevelFilter>,
    default: LevelFilter,
    environment: &LogEnvironment,
    progress: &Progress,
) -> Result<(), LevelsError> {
    let levels = match (level, &environment.levels) {
        (None, Some(levels)) => {
            EnvFilter::builder().parse(levels).map_err(|_| LevelsError { levels: levels.clone() })?
        }
        (level, _) => EnvFilter::default().add_directive(level.unwrap_or(default).into()),
    };
    let lines = progress.log_writer();
    let layer = tracing_subscriber::fmt::layer::<Registry>()
        .with_ansi(false)
        .with_target(false)
        .with_writer(move || OneLine(lines()));
    let layer = match format {
        LogFormat::Text => layer.boxed(),
        LogFormat::Json => layer.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
        LogFormat::Journald => layer.event_format(Journald).boxed(),
    };
    let ours = tracing_subscriber::filter::filter_fn(may_be_shown);
    // A second call (tests) keeps the first.
    let _ = tracing_subscriber::registry().with(layer.with_filter(ours).with_filter(levels)).try_init();
    Ok(())
}

fn may_be_shown(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with(OURS) || *metadata.level() <= Level::WARN
}

/// Device and inode of stderr, as systemd writes them.
fn stderr_stream() -> Option<String> {
    let stat = rustix::fs::fstat(std::io::stderr()).ok()?;
    Some(format!("{}:{}", stat.st_dev, stat.st_ino))
}

/// `<N>message field=value`: sd-daemon's prefix, without a time.
struct Journald;

impl<S, N> FormatEvent<S, N> for Journald
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        write!(writer, "<{}>", priority(*event.metadata().level()))?;
        context.field_format().format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

/// The level as syslog counts.
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    }
}

/// Keeps an event on its line, whatever text of others it quotes.
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    /// Takes one whole event.
    fn write(&mut self, event: &[u8]) -> std::io::Result<usize> {
        let text = event.strip_suffix(b"\n").unwrap_or(event);
        let mut line = Vec::with_capacity(event.len() + 1);
        for byte in text {
            match byte {
                b'\n' => line.extend_from_slice(b"\\n"),
                0..=0x1f | 0x7f => line.push(b' '),
                byte => line.push(*byte),
            }
        }
        line.push(b'\n');
        self.0.write_all(&line)?;
        Ok(event.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_stays_on_one_line() {
        let mut lines = OneLine(Vec::new());
        lines.write_all("源 failed\nfake line\r\x1b[2J\n".as_bytes()).unwrap();
        assert_eq!(String::from_utf8(lines.0).unwrap(), "源 failed\\nfake line  [2J\n");
    }

    #[test]
    fn the_journal_is_known_by_the_very_stream() {
        let stream = |stream: Option<String>| LogEnvironment { levels: None, journal_stream: stream };
        assert_eq!(format_of(None, &stream(stderr_stream())), LogFormat::Journald);
        assert_eq!(format_of(None, &stream(Some("1:1".to_owned()))), LogFormat::Text);
        assert_eq!(format_of(None, &stream(None)), LogFormat::Text);
        assert_eq!(format_of(Some(LogFormat::Json), &stream(stderr_stream())), LogFormat::Json);
    }
}
