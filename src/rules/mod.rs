//! What is right and what is wrong, as pure functions: data and `now` in, data out.
//!
//! [`frequency`] judges whether an account updates often enough; [`wording`] reads texts; [`links`] says what an answer
//! means for a link; [`registry`] looks for disorder in the registry itself, [`watch`] for accounts that fell silent or
//! offend again, [`backdate`] for posts that claim to be older than they are; [`warning`] says before a window closes
//! who will fall short; [`docx_text`] reads the text of a Word file that is to be checked; [`doctor`] judges the service
//! itself. No IO, no async, no clock.

pub mod backdate;
pub mod cadence;
pub mod doctor;
pub mod docx_text;
pub mod frequency;
pub mod links;
pub mod registry;
pub mod warning;
pub mod watch;
pub mod wording;
