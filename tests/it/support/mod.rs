//! What the tests share: throwaway databases and builders.

pub mod build;
pub mod database;
pub mod interfaces;
pub mod postgres;
pub mod service;
pub mod simulated;
pub mod smtp;
