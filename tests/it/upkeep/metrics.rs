//! What Prometheus is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use duwang::engine::metrics::task_ran;
use duwang::model::account::Account;
use duwang::store::Store;

use crate::support::database::on_both_databases;
use crate::support::simulated::{Prefecture, friday};

on_both_databases!(gauges_tell_what_the_database_holds);

/// Samples by name and labels; asserts that the text is well formed.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let mut samples = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if line.starts_with("# HELP duwang_") || line.starts_with("# TYPE duwang_") {
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
        assert!(series.starts_with("duwang_"), "{line}");
        assert!(samples.insert(series.to_owned(), value.parse().unwrap()).is_none(), "told twice: {line}");
    }
    samples
}

async fn gauges_tell_what_the_database_holds(store: Store) {
    const SQL: &str = "INSERT INTO tasks (task, next_at, last_ok, last_success_at) VALUES ('crawl', $1, FALSE, $2)";
    let prefecture = Prefecture::start();
    let engine = prefecture.engine(store.clone(), friday());
    let empty = samples(&engine.gauges().await.unwrap().render());
    assert!((empty["duwang_coverage_ratio"]).abs() < f64::EPSILON, "{empty:?}");
    let accounts: Vec<Arc<Account>> = engine.config.registry.accounts.iter().cloned().map(Arc::new).collect();
    let crawled = engine.crawl(accounts, |_| {}).await.unwrap();
    let week = engine.config.settings.calendar().last_closed_week(friday());
    engine.weekly_report(week).await.unwrap();
    task_ran("crawl", true);
    task_ran("crawl", false);
    let (next, last) = (friday(), friday() - chrono::TimeDelta::hours(3));
    match &store {
        Store::Sqlite(pool) => drop(sqlx::query(SQL).bind(next).bind(last).execute(pool).await.unwrap()),
        Store::Postgres(pool) => drop(sqlx::query(SQL).bind(next).bind(last).execute(pool).await.unwrap()),
    }

    let text = engine.gauges().await.unwrap().render();
    let told = samples(&text);
    let value = |series: &str| told.get(series).copied().unwrap_or_else(|| panic!("no {series} in\n{text}"));
    let n_failed: u64 = crawled.outcomes.iter().filter(|(outcome, _)| !outcome.is_success()).map(|(_, n)| n).sum();
    assert!((value("duwang_sources{state=\"failing\"}") - f64::from(u32::try_from(n_failed).unwrap())).abs() < 0.5);
    assert!(value("duwang_sources{state=\"ok\"}") > 20.0);
    let ratio = value("duwang_coverage_ratio");
    assert!(ratio > 0.3 && ratio < 1.0, "{ratio}");
    assert!(value("duwang_source_last_success_age_seconds_max").abs() < 1.0);
    assert!(value("duwang_queue_depth{queue=\"fill\"}") > 0.0);
    assert!(value("duwang_queue_depth{queue=\"judge\"}").abs() < 0.5);
    assert!(value("duwang_violations{class=\"frequency\",state=\"open\"}") > 0.0, "{text}");
    assert!(value("duwang_notify_undelivered").abs() < 0.5);
    let seconds = friday().timestamp();
    assert_eq!(value("duwang_report_last_success_timestamp_seconds").to_string(), seconds.to_string());
    let series = "duwang_task_last_success_timestamp_seconds{task=\"crawl\"}";
    assert_eq!(value(series).to_string(), (seconds - 3 * 3600).to_string());
    assert!(
        value("duwang_db_pool_connections{state=\"idle\"}") + value("duwang_db_pool_connections{state=\"used\"}") > 0.0
    );
    // Counters are those of the process, which all tests share.
    assert!(value("duwang_task_runs_total{task=\"crawl\",result=\"failed\"}") >= 1.0);
    assert!(value("duwang_crawls_total{outcome=\"listed\"}") >= 20.0);
}

#[test]
fn the_readme_documents_every_metric() {
    let readme = include_str!("../../../README.md");
    let source = include_str!("../../../src/engine/metrics.rs");
    let names = source.split('"').filter(|text| text.starts_with("duwang_"));
    let missing: Vec<&str> = names.filter(|name| !readme.contains(&format!("`{name}"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
