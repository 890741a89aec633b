//! The weekly report (周报): a pure roll-up from evidence to data, and the data in four formats.
//!
//! [`input`] is what the caller gathers, [`roll_up`] makes a [`weekly::WeeklyReport`] of it, and [`render`] writes that
//! as Word, Excel, HTML or JSON. No IO, no clock, no store: the same data give the same bytes, whenever and in whatever
//! order they come, so that a report can be made again years later and compared (design.md §2 rule 3).
//!
//! Invariant: an account stands among the shortfalls only with the verdict `short`; what could not be seen is listed
//! apart and called a matter of collection. A suspect is never shown, only counted.

mod gather;
pub mod input;
pub mod judged;
mod reasons;
mod roll_up;
mod text;
mod violations;
pub mod weekly;

pub use judged::posts_needed;
pub use roll_up::{SCHEMA, roll_up};
pub use violations::{frequency_violation, frequency_violations};
