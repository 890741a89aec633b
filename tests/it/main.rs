//! The integration tests: one binary, real databases, real HTTP over loopback, the real program.

mod cli;
mod kill;
mod pass;
mod store;
mod support;
mod tidy;
