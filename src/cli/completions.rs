//! `duwang completions`: what shells complete, made from the command line itself.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Cli, Output};

#[derive(Debug, Args)]
pub struct Completions {
    /// Which shell
    shell: Shell,
}

impl Completions {
    pub fn run(self, output: &mut Output) -> anyhow::Result<ExitCode> {
        // The generator panics when it cannot write: it fills memory, and a closed pipe stays an ordinary error.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "duwang", &mut script);
        output.write_all(&script)?;
        Ok(ExitCode::SUCCESS)
    }
}
