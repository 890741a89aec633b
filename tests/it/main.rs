//! The integration tests: one binary, real databases, real HTTP over loopback, the real program.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cli;
mod clock;
mod closes;
mod deploy;
mod faults;
mod kill;
mod learning;
mod links;
mod notify;
mod outbox;
mod pass;
mod platforms;
mod recheck;
mod schedule;
mod service;
mod store;
mod support;
mod tidy;
mod upkeep;
mod watch;
mod wordlists;
