//! The integration tests: one binary, real databases, real HTTP over loopback, the real program.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cli;
mod closes;
mod kill;
mod pass;
mod platforms;
mod store;
mod support;
mod tidy;
mod watch;
