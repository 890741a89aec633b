//! What platforms show of accounts, compared with the registry; and what an operator sees of sources and credentials.

use std::sync::Arc;

use duwang::clock::Clock;
use duwang::engine::Engine;
use duwang::model::interface::Interface;
use duwang::model::violation::ViolationState;
use duwang::rules::wording::Checker;
use duwang::simulator::interfaces::respond_of;
use duwang::simulator::interfaces::seed::{credential_text, item_id};
use duwang::simulator::{InterfaceFault, InterfaceServer, Seeded};
use duwang::store::Store;
use tempfile::TempDir;

use crate::support::interfaces::{daily_items, now};
use crate::support::simulated::{run, stdout};

const SECRET: &str = "s3cr3t-of-the-test";

/// A folder with one Weibo account behind a simulated weibo.com.
fn prefecture() -> (TempDir, InterfaceServer) {
    let interface = Interface::WeiboAjax;
    let account = Seeded {
        id: "1234567890".to_owned(),
        name: "云岭发布".to_owned(),
        verified: true,
        secret: SECRET.to_owned(),
        items: daily_items(20, |at| item_id(interface, at, 1, 1)),
    };
    let server = InterfaceServer::start(respond_of(interface), account, now()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write("duwang.yaml", "crawl: {retries_max: 0, hosts: {\"127.0.0.1\": {per_second: 0, concurrent: 8}}}\n");
    write("rules.yaml", "rules: []\n");
    write(
        "accounts.yaml",
        &format!(
            "units:\n  - {{id: u, name: 州教育局, level: prefecture, region: 云岭州}}\naccounts:\n  \
             - {{id: wb, name: 云岭发布, unit: u, kind: weibo, filed_on: 2020-01-01, sources: [{{kind: weibo_ajax, url: \"{}\", uid: \"1234567890\", credential: office}}]}}\n",
            server.base_url()
        ),
    );
    std::fs::create_dir(dir.path().join("credentials")).unwrap();
    write("credentials/office", &credential_text(interface, SECRET));
    (dir, server)
}

/// One pass, then the labels of the open registry problems.
async fn crawl(dir: &TempDir) -> Vec<String> {
    let config = duwang::config::load(dir.path()).unwrap();
    let store = Store::connect(&config.settings.storage.url, dir.path()).await.unwrap();
    store.migrate().await.unwrap();
    let checker = Arc::new(Checker::built_in().unwrap());
    let engine = Engine::new(Arc::new(config), store.clone(), checker, Clock::Fixed(now())).unwrap();
    let accounts = engine.config.registry.accounts.iter().cloned().map(Arc::new).collect();
    engine.crawl(accounts, |_| {}).await.unwrap();
    let stored = store.read().await.unwrap().registry_violations().await.unwrap();
    store.close().await;
    let open = stored.into_iter().filter(|stored| stored.violation.state == ViolationState::Open);
    open.map(|stored| stored.violation.found).collect()
}

#[tokio::test]
async fn renamed_unverified_and_cancelled_accounts_are_registry_problems() {
    let (dir, server) = prefecture();
    assert_eq!(crawl(&dir).await, Vec::<String>::new());
    server.change(|account| {
        account.name = "云岭融媒".to_owned();
        account.verified = false;
        // The profile is asked when there is nothing to list.
        account.items.clear();
    });
    let mut found = crawl(&dir).await;
    found.sort();
    assert!(found.contains(&"名称与登记不一致".to_owned()), "{found:?}");
    server.change(|account| account.name = "云岭发布".to_owned());
    assert!(!crawl(&dir).await.contains(&"名称与登记不一致".to_owned()));
    // Once may be a mistake of the platform; twice in a row is not.
    server.set_fault(Some(InterfaceFault::AccountCancelled));
    assert!(!crawl(&dir).await.contains(&"账号已不可用".to_owned()));
    assert!(crawl(&dir).await.contains(&"账号已不可用".to_owned()));
}

/// A counter of zero beside an empty list would prove silence for all time; of a source that has shown posts it does not.
#[tokio::test]
async fn a_source_that_has_shown_posts_never_says_that_there_were_none() {
    let (dir, server) = prefecture();
    crawl(&dir).await;
    server.change(|account| account.items.clear());
    crawl(&dir).await;
    let sources = run(dir.path(), &["sources", "list"]);
    assert!(stdout(&sources).contains("empty_unproved"), "{}", stdout(&sources));
}

#[tokio::test]
async fn an_expired_credential_is_an_alarm_of_ours_that_says_what_to_do() {
    let (dir, server) = prefecture();
    let well = run(dir.path(), &["sources", "test", "wb"]);
    assert_eq!(well.status.code(), Some(0), "{}", stdout(&well));
    assert!(stdout(&well).contains("listed, answers") && stdout(&well).contains("nothing was stored"));
    let unused = run(dir.path(), &["credentials", "list"]);
    assert!(stdout(&unused).contains("never used"), "{}", stdout(&unused));

    server.set_fault(Some(InterfaceFault::LoginExpired));
    let crawled = run(dir.path(), &["crawl", "--all"]);
    assert_eq!(crawled.status.code(), Some(1));
    assert!(stdout(&crawled).contains("credential office refused (1 sources)"), "{}", stdout(&crawled));
    let listed = run(dir.path(), &["sources", "list", "--failing"]);
    assert!(
        stdout(&listed).contains("write the credential `office` and run `duwang sources test wb`"),
        "{}",
        stdout(&listed)
    );
    let credentials = run(dir.path(), &["credentials", "list"]);
    assert_eq!(credentials.status.code(), Some(1));
    assert!(stdout(&credentials).contains("refused when last used: log in again"), "{}", stdout(&credentials));

    std::fs::remove_file(dir.path().join("credentials/office")).unwrap();
    let missing = run(dir.path(), &["sources", "test", "wb"]);
    assert!(stdout(&missing).contains("there is no credential `office`"), "{}", stdout(&missing));
    for output in [&well, &unused, &crawled, &listed, &credentials, &missing] {
        assert!(!stdout(output).contains(SECRET) && !String::from_utf8_lossy(&output.stderr).contains(SECRET));
    }
}
