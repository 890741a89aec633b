//! What is right and what is wrong, as pure functions: data and `now` in, data out.
//!
//! [`frequency`] judges whether an account updates often enough; [`wording`] reads texts; [`links`] says what an answer
//! means for a link; [`registry`] looks for disorder in the registry itself; [`docx_text`] reads the text of a Word file
//! that is to be checked; [`doctor`] judges the service itself. No IO, no async, no clock.

pub mod cadence;
pub mod doctor;
pub mod docx_text;
pub mod frequency;
pub mod links;
pub mod registry;
pub mod wording;
