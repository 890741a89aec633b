//! A registry with every interface and every way in which each fails: nobody is called short who is not, and every fault
//! is named.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use duwang::clock::Clock;
use duwang::engine::Engine;
use duwang::model::interface::Interface;
use duwang::model::verdict::Verdict;
use duwang::rules::wording::Checker;
use duwang::simulator::interfaces::respond_of;
use duwang::simulator::interfaces::seed::{credential_text, item_id};
use duwang::simulator::{InterfaceFault, InterfaceServer, Seeded};
use duwang::store::Store;
use serde_json::Value;

use crate::support::interfaces::{daily_items, now};
use crate::support::simulated::{run, stdout};

const SECRET: &str = "s3cr3t-of-the-test";
const WEEKS: i64 = 3;

/// One account behind one interface that does one thing wrong, or nothing.
struct Case {
    id: String,
    interface: Interface,
    fault: Option<InterfaceFault>,
    server: InterfaceServer,
}

fn cases() -> Vec<Case> {
    let faults = || std::iter::once(None).chain(InterfaceFault::ALL.into_iter().map(Some));
    let pairs = Interface::ALL.iter().flat_map(|interface| faults().map(move |fault| (*interface, fault)));
    pairs
        .enumerate()
        .map(|(number, (interface, fault))| {
            let account = Seeded {
                id: "1234567890".to_owned(),
                name: "云岭发布".to_owned(),
                verified: true,
                secret: if interface.secrets().is_empty() { String::new() } else { SECRET.to_owned() },
                items: daily_items(7 * WEEKS, |at| item_id(interface, at, day_number(at), 1)),
            };
            let server = InterfaceServer::start(respond_of(interface), account, now()).unwrap();
            server.set_fault(fault);
            Case { id: format!("a{number}"), interface, fault, server }
        })
        .collect()
}

/// One push a day.
fn day_number(at: DateTime<Utc>) -> u32 {
    u32::try_from((now() - at).num_days()).map_or(0, |days_ago| 1_000 - days_ago)
}

fn write_folder(dir: &Path, cases: &[Case]) {
    let mut accounts = "units:\n  - {id: u, name: 州教育局, level: prefecture, region: 云岭州}\naccounts:\n".to_owned();
    std::fs::create_dir(dir.join("credentials")).unwrap();
    for case in cases {
        let kind = case.interface.kinds()[0];
        let mut source = format!("kind: {}, url: \"{}\"", case.interface, case.server.base_url());
        for parameter in case.interface.parameters().iter().filter(|parameter| parameter.required) {
            write!(source, ", {}: \"1234567890\"", parameter.name).unwrap();
        }
        if case.interface == Interface::AppPage {
            source.push_str(", version: \".version\", date: \".date\"");
        }
        if !case.interface.secrets().is_empty() {
            write!(source, ", credential: {}", case.id).unwrap();
            let text = credential_text(case.interface, SECRET);
            std::fs::write(dir.join("credentials").join(&case.id), text).unwrap();
        }
        writeln!(
            accounts,
            "  - {{id: {}, name: 云岭发布, unit: u, kind: {kind}, filed_on: 2020-01-01, sources: [{{{source}}}]}}",
            case.id
        )
        .unwrap();
    }
    std::fs::write(dir.join("accounts.yaml"), accounts).unwrap();
    let rule = |id: &str, window: &str| {
        format!(
            "  - {{id: {id}, applies_to: {{}}, require: {{min: 3, count: push, window: {window}}}, level: local, basis: 测试}}\n"
        )
    };
    let rules = format!("rules:\n{}{}", rule("week", "week"), rule("fortnight", "{rolling_days: 14}"));
    std::fs::write(dir.join("rules.yaml"), rules).unwrap();
    let settings = "crawl:\n  timeout: 2s\n  retries_max: 0\n  body_bytes_max: 1MiB\n  concurrent: 256\n  \
                    hosts: {\"127.0.0.1\": {per_second: 0, concurrent: 256}}\n";
    std::fs::write(dir.join("duwang.yaml"), settings).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_fault_of_any_interface_makes_an_account_short_and_each_is_named() {
    let cases = cases();
    let dir = tempfile::tempdir().unwrap();
    write_folder(dir.path(), &cases);
    let config = Arc::new(duwang::config::load(dir.path()).unwrap_or_else(|errors| panic!("{errors}")));
    let store = Store::connect(&config.settings.storage.url, dir.path()).await.unwrap();
    store.migrate().await.unwrap();
    let checker = Arc::new(Checker::built_in().unwrap());
    let engine = Engine::new(Arc::clone(&config), store, checker, Clock::Fixed(now())).unwrap();
    let accounts = config.registry.accounts.iter().cloned().map(Arc::new).collect();
    let summary = engine.crawl(accounts, |_| {}).await.unwrap();
    let week = config.settings.calendar().last_closed_week(now());
    let report = engine.weekly_report(week).await.unwrap();
    engine.store.close().await;

    let verdicts: BTreeMap<&str, Vec<Verdict>> = report
        .accounts
        .iter()
        .map(|row| (row.id.as_str(), row.verdicts.iter().map(|verdict| verdict.verdict).collect()))
        .collect();
    for case in &cases {
        let verdicts = &verdicts[case.id.as_str()];
        let what = format!("{} with {:?}: {verdicts:?}", case.interface, case.fault);
        assert!(!verdicts.contains(&Verdict::Short), "{what}");
        if case.fault.is_none() && case.interface != Interface::AppPage {
            assert_eq!(verdicts.as_slice(), [Verdict::Met, Verdict::Met], "{what}; {summary}");
        }
    }

    // Every source that did not answer is named, with what it said and what to do.
    let listed = run(dir.path(), &["sources", "list", "--format", "jsonl"]);
    let lines: Vec<Value> = stdout(&listed).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), cases.len());
    for (case, line) in cases.iter().zip(&lines) {
        let outcome = line["outcome"].as_str().unwrap();
        let is_well = matches!(outcome, "listed" | "unchanged" | "empty_confirmed");
        // What still is a listing: one bad item beside good ones, and pages without an end.
        let may_be_well = matches!(case.fault, None | Some(InterfaceFault::BadItem | InterfaceFault::EndlessPages));
        assert!(may_be_well || !is_well, "{} with {:?} was read as {line}", case.interface, case.fault);
        assert!(case.fault.is_some() || is_well, "{} without a fault: {line}", case.interface);
        assert_eq!(line["advice"].is_null(), is_well, "{line}");
        assert!(is_well || !line["detail"].as_str().unwrap().is_empty(), "{line}");
        assert!(!line.to_string().contains(SECRET), "{line}");
    }
}
