//! `duwang check`: the wording check before publishing.

use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use serde::Serialize;
use url::Url;

use super::{EXIT_FAILED, Output, Session, load_checker};
use crate::config::settings::Settings;
use crate::model::violation::Finding;
use crate::rules::docx_text::docx_text;
use crate::rules::wording::Checker;
use crate::source::text::{self, Newlines};

/// Largest input, in bytes.
const INPUT_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Characters shown around a finding.
const CONTEXT_CHARS: usize = 12;

#[derive(Debug, Args)]
pub struct Check {
    /// Text, HTML or Word files; `-` is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    files: Vec<PathBuf>,
    /// Take every line as a text of its own
    #[arg(long)]
    lines: bool,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people (Chinese)
    Text,
    /// One document for all inputs
    Json,
    /// One line for each input, or for each line with --lines
    Jsonl,
}

/// One checked text. `file` stands where whole files are checked, `line` (from 1) with `--lines`; with more than one
/// file both.
#[derive(Debug, Serialize)]
struct Checked<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    findings: Vec<Finding>,
    #[serde(skip)]
    text: &'a str,
}

impl Check {
    pub fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<ExitCode> {
        let checker = checker(session)?;
        let today = session.clock.now().with_timezone(&chrono_tz::Asia::Shanghai).date_naive();
        let mut n_findings = 0;
        let mut report = Reporter { format: self.format, output, n_written: 0 };
        report.begin()?;
        for file in &self.files {
            let name = file.display().to_string();
            let content = read_input(file)?;
            let named = (!self.lines || self.files.len() > 1).then_some(name.as_str());
            if self.lines {
                for (n, line) in content.lines().enumerate() {
                    n_findings += report.text(named, Some(n + 1), line, &checker, today)?;
                }
            } else {
                n_findings += report.text(named, None, &content, &checker, today)?;
            }
        }
        report.end(n_findings)?;
        Ok(if n_findings == 0 { ExitCode::SUCCESS } else { ExitCode::from(EXIT_FAILED) })
    }
}

/// The checker of the lists of the configuration, where there is one; else of the built-in ones: an editor needs no
/// configuration.
pub(super) fn checker(session: &Session) -> anyhow::Result<Checker> {
    let (settings, dir) = settings(session)?;
    load_checker(&settings, &dir)
}

/// The settings to check with, and the folder that their paths are relative to.
pub(super) fn settings(session: &Session) -> anyhow::Result<(Settings, PathBuf)> {
    let dir = session.config_dir();
    if session.global.config.is_none() && !dir.join("duwang.yaml").is_file() {
        return Ok((Settings::default(), dir));
    }
    let config = session.load_config()?;
    Ok((config.settings, config.dir))
}

struct Reporter<'a> {
    format: Format,
    output: &'a mut Output,
    n_written: usize,
}

impl Reporter<'_> {
    fn begin(&mut self) -> anyhow::Result<()> {
        if self.format == Format::Json {
            self.output.line("[")?;
        }
        Ok(())
    }

    fn text(
        &mut self,
        file: Option<&str>,
        line: Option<usize>,
        text: &str,
        checker: &Checker,
        today: NaiveDate,
    ) -> anyhow::Result<usize> {
        let checked = Checked { file, line, findings: checker.check_unmasked(text, today), text };
        let n_findings = checked.findings.len();
        match self.format {
            Format::Text => {
                for finding in &checked.findings {
                    self.output.line(readable(&checked, finding))?;
                }
            }
            Format::Jsonl => self.output.line(serde_json::to_string(&checked)?)?,
            Format::Json => {
                let comma = if self.n_written == 0 { "" } else { "," };
                self.output.line(format_args!("{comma}{}", serde_json::to_string(&checked)?))?;
            }
        }
        self.n_written += 1;
        Ok(n_findings)
    }

    fn end(&mut self, n_findings: usize) -> anyhow::Result<()> {
        match self.format {
            Format::Text if n_findings == 0 => self.output.line("未发现问题。")?,
            Format::Text => self.output.line(format_args!("共发现{n_findings}处问题，请逐条核对。"))?,
            Format::Json => self.output.line("]")?,
            Format::Jsonl => {}
        }
        Ok(())
    }
}

/// `文件:行:列: 一般·错别字·确认 …【误】… 应为“正”（依据）`.
fn readable(checked: &Checked<'_>, finding: &Finding) -> String {
    let chars: Vec<char> = checked.text.chars().collect();
    let line_start = chars[..finding.start].iter().rposition(|c| *c == '\n').map_or(0, |place| place + 1);
    let line_end =
        chars[finding.end..].iter().position(|c| *c == '\n').map_or(chars.len(), |place| finding.end + place);
    let before = &chars[line_start.max(finding.start.saturating_sub(CONTEXT_CHARS))..finding.start];
    let after = &chars[finding.end..line_end.min(finding.end + CONTEXT_CHARS)];
    let line = checked.line.unwrap_or(1) + chars[..finding.start].iter().filter(|c| **c == '\n').count();
    let mut readable = String::new();
    // Writing to a String cannot fail.
    let _ = write!(
        readable,
        "{}{line}:{}: [{}·{}·{}] {}【{}】{}　{}",
        checked.file.map(|file| format!("{file}:")).unwrap_or_default(),
        finding.start - line_start + 1,
        finding.severity.label(),
        finding.class.label(),
        finding.tier.label(),
        before.iter().collect::<String>(),
        finding.text,
        after.iter().collect::<String>(),
        finding.message,
    );
    if !finding.basis.is_empty() {
        let _ = write!(readable, "（依据：{}）", finding.basis);
    }
    readable
}

/// Reads one input as plain text: Word and HTML files give their text.
pub(super) fn read_input(file: &Path) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    let read = |reader: &mut dyn Read, bytes: &mut Vec<u8>| reader.take(INPUT_BYTES_MAX + 1).read_to_end(bytes);
    if file == Path::new("-") {
        read(&mut std::io::stdin().lock(), &mut bytes).context("cannot read standard input")?;
    } else {
        let mut opened = std::fs::File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
        read(&mut opened, &mut bytes).with_context(|| format!("cannot read {}", file.display()))?;
    }
    anyhow::ensure!(
        bytes.len() as u64 <= INPUT_BYTES_MAX,
        "{} is larger than {INPUT_BYTES_MAX} bytes; split it",
        file.display()
    );
    if bytes.starts_with(b"PK\x03\x04") {
        return docx_text(&bytes).with_context(|| format!("cannot read {} as a Word file", file.display()));
    }
    let text = decode(bytes);
    if is_html(file, &text) {
        // A file has no address: relative links lead nowhere and are not needed here.
        let base = Url::parse("http://localhost/").context("the base of a local file")?;
        return Ok(text::from_html(&text, &base, Newlines::Fold).body);
    }
    Ok(text)
}

/// UTF-8, UTF-16 by its mark, else GB18030, the encoding of older office files.
fn decode(bytes: Vec<u8>) -> String {
    match String::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text),
        Err(error) => encoding_rs::GB18030.decode(error.as_bytes()).0.into_owned(),
    }
}

fn is_html(file: &Path, text: &str) -> bool {
    let by_name = file
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("html") || extension.eq_ignore_ascii_case("htm"));
    let start: String = text.trim_start().chars().take(15).collect::<String>().to_ascii_lowercase();
    by_name || start.starts_with("<!doctype html") || start.starts_with("<html")
}
