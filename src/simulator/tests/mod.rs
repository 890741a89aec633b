//! Tests of the simulator: the world keeps its promises, the wire forms can be read, the hosts behave over real HTTP.

mod hosts;
mod wire;
mod world;

use chrono::{DateTime, Utc};

use super::World;

/// A Friday noon in Beijing.
fn end() -> DateTime<Utc> {
    instant("2026-11-20T04:00:00Z")
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn world() -> World {
    World::new(7, end())
}
