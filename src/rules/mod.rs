//! What is right and what is wrong, as pure functions: data and `now` in, data out.
//!
//! [`frequency`] judges whether an account updates often enough; [`wording`] reads texts; [`registry`] looks for
//! disorder in the registry itself. No IO, no async, no clock.

pub mod docx_text;
pub mod frequency;
pub mod wording;
