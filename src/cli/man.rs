//! `duwang man`: a man page for each command, for packages; hidden, since people read `man duwang`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};

use super::{Cli, Output};

#[derive(Debug, Args)]
pub struct Man {
    /// Where the pages go; made if it does not exist
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

impl Man {
    pub fn run(self, output: &mut Output) -> anyhow::Result<ExitCode> {
        std::fs::create_dir_all(&self.dir)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), &self.dir))
            .with_context(|| format!("cannot write man pages to {}", self.dir.display()))?;
        output.line(format_args!("man pages in {}", self.dir.display()))?;
        Ok(ExitCode::SUCCESS)
    }
}
