//! The integration tests: one binary, real databases, real HTTP over loopback.

mod store;
mod support;
mod tidy;
