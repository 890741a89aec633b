//! duwang (读网).

pub mod clock;
pub mod config;
pub mod model;
pub mod report;
pub mod rules;
