//! Sources.

pub mod http;
pub mod link;
pub mod page;
pub mod text;
