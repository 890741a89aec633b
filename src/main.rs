//! The `duwang` program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    duwang::cli::main()
}
