//! `/metrics`: what Prometheus reads.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::Current;

/// The text form of Prometheus, version 0.0.4.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Counters of this process and gauges of the database.
pub(super) async fn scrape(State(current): State<Current>) -> Response {
    match current.engine().gauges().await {
        Ok(gauges) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], gauges.render()).into_response(),
        Err(error) => {
            tracing::error!("metrics cannot be gathered: {error:#}");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response()
        }
    }
}
