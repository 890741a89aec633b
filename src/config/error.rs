//! What is wrong with the operator's files, said so that it can be put right in one go.

use std::fmt;

/// Longest value quoted in an error, in characters: errors are read on a terminal.
const QUOTED_CHARS_MAX: usize = 80;

/// One problem of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// File name within the configuration folder, or `environment`.
    pub file: String,
    /// Line, counted from 1.
    pub line: Option<usize>,
    /// Where in the file, for example `accounts[12].unit`; empty where the whole file is meant.
    pub path: String,
    /// The value at fault, shortened; `None` where there is none or it may hold a secret.
    pub value: Option<String>,
    /// What is wrong, with the limit.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

impl ConfigError {
    /// A problem of a whole file.
    pub fn of_file(file: &str, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: None,
            path: String::new(),
            value: None,
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        f.write_str(": ")?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        if let Some(value) = &self.value {
            write!(f, "`{value}` ")?;
        }
        f.write_str(&self.problem)?;
        if !self.remedy.is_empty() {
            write!(f, "; {}", self.remedy)?;
        }
        Ok(())
    }
}

/// All problems of all files; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self(vec![error])
    }
}

/// A value as it is quoted in an error: on one line and not too long.
pub(crate) fn quoted(value: &str) -> String {
    let mut chars = value.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = chars.by_ref().take(QUOTED_CHARS_MAX).collect();
    if chars.next().is_some() {
        short.push('…');
    }
    short
}
