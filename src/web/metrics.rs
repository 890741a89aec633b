//! `/metrics`: what Prometheus reads.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::engine::Engine;

/// The text form of Prometheus, version 0.0.4.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Counters of this process and gauges of the database.
pub(super) async fn scrape(State(engine): State<Arc<Engine>>) -> Response {
    match engine.gauges().await {
        Ok(gauges) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], gauges.render()).into_response(),
        Err(error) => {
            tracing::error!("metrics cannot be gathered: {error:#}");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response()
        }
    }
}
