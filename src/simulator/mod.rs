//! Simulated platforms on loopback: what `duwang demo` shows and the integration tests crawl, one module for both.
//!
//! A leaf: it uses `model` only and must not know configuration types, crawlers or the store, so that it cannot agree
//! with them by accident. [`content`], [`render`], [`pages`] and their data are pure; [`server`] and [`platforms`] bind
//! 127.0.0.1 and nothing else; [`config_folder`] writes files. Start reading at [`World`] (who publishes what, and the
//! truth to compare with) and [`Platforms`] (how it is served).
//!
//! Invariant: nothing here reads the clock. The world stands still at the end it was made with; whoever looks at it
//! must use that instant as `now`.

pub mod config_folder;
pub mod content;
pub mod interfaces;
pub mod pages;
mod planting;
pub mod platforms;
pub mod registry;
pub mod render;
pub mod server;
mod topics;
mod writing;

#[cfg(test)]
mod tests;

pub use config_folder::write_config;
pub use content::{SimAccount, SimPost, World};
pub use interfaces::server::InterfaceServer;
pub use interfaces::{InterfaceFault, Seeded, SeededItem};
pub use planting::PlantedError;
pub use platforms::{Options, Platforms};
pub use registry::{Behaviour, Channel, Fault, HostName};
pub use server::{Delivery, RequestRecord, Route, StaticServer};
