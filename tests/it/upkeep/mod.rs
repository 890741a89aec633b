//! Keeping the service itself well: backup, retention, doctor, metrics, logs.

mod backup;
mod doctor;
mod logs;
mod metrics;
mod retention;
