//! Standard output, buffered; a closed pipe ends the program quietly.

use std::io::{BufWriter, Stdout, Write};

/// Where results go.
#[derive(Debug)]
pub struct Output(BufWriter<Stdout>);

impl Output {
    pub fn stdout() -> Self {
        Self(BufWriter::new(std::io::stdout()))
    }

    /// Writes one line.
    pub fn line(&mut self, text: impl std::fmt::Display) -> std::io::Result<()> {
        writeln!(self.0, "{text}")
    }

    pub fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}
