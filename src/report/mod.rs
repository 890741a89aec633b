//! The weekly report (周报): a pure roll-up from evidence to data, and the data in four formats.
//!
//! [`input`] is what the caller gathers, [`roll_up()`] makes a [`weekly::WeeklyReport`] of it, and [`render`] writes that
//! as Word, Excel, HTML or JSON. No IO, no clock, no store: the same data give the same bytes, whenever and in whatever
//! order they come, so that a report can be made again years later and compared (design.md §2 rule 3).
//!
//! [`fixed`] says what of a report stands once its week is closed, and what a correction changed; [`warning`] is the digest
//! of accounts that will fall short.
//!
//! Invariant: an account stands among the shortfalls only with the verdict `short`; what could not be seen is listed
//! apart and called a matter of collection. A suspect is never shown, only counted.

mod docx;
pub mod fixed;
mod gather;
mod html;
pub mod input;
pub mod json;
pub mod judged;
mod prose;
mod reasons;
mod roll_up;
mod tables;
mod text;
mod violations;
pub mod warning;
pub mod weekly;
mod xlsx;

pub use judged::posts_needed;
pub use roll_up::{SCHEMA, roll_up};
pub use violations::{frequency_violation, frequency_violations};
use weekly::WeeklyReport;

/// The formats of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    Json,
    Html,
    Xlsx,
    Docx,
}

impl Format {
    pub const ALL: [Self; 4] = [Self::Json, Self::Html, Self::Xlsx, Self::Docx];

    /// The word of the command line, which is the extension of the file too.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Html => "html",
            Self::Xlsx => "xlsx",
            Self::Docx => "docx",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == word)
    }

    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Html => "text/html; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        }
    }
}

/// A report that could not be written. Data cannot cause it: it is a fault of the program or of a library.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    #[error("cannot write the report as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("cannot write the report as HTML: {0}")]
    Html(#[from] askama::Error),
    #[error("cannot write the report as a workbook: {0}")]
    Xlsx(#[from] rust_xlsxwriter::XlsxError),
    #[error("cannot write the report as a Word document: {0}")]
    Docx(String),
}

/// Writes a report in one format. The same report gives the same bytes.
pub fn render(report: &WeeklyReport, format: Format) -> Result<Vec<u8>, RenderError> {
    match format {
        Format::Json => Ok(json::render(report)?),
        Format::Html => Ok(html::render(report)?.into_bytes()),
        Format::Xlsx => Ok(xlsx::render(report)?),
        Format::Docx => docx::render(report),
    }
}

/// The name of a report's file: `weekly-2021-06-17.docx`, named by the last day of its week; that of a correction
/// `weekly-2021-06-17-更正1.docx`.
pub fn file_name(report: &WeeklyReport, format: Format) -> String {
    let correction = report.correction.as_ref().map(|correction| format!("-更正{}", correction.number));
    format!("weekly-{}{}.{}", report.window.last_day, correction.unwrap_or_default(), format.as_str())
}

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
