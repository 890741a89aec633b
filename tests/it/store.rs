//! The contract of the store, on SQLite and on PostgreSQL.

use chrono::TimeDelta;
use duwang::model::account::AccountStatus;
use duwang::model::coverage::Span;
use duwang::model::crawl::{Crawl, Extent, Outcome, Profile, SourceState, Validators};
use duwang::model::post::{TextOrigin, TextState};
use duwang::model::violation::{Severity, Tier, Violation, ViolationKind, ViolationState, WordingClass};
use duwang::model::{AccountId, PostId, ViolationId};
use duwang::rules::wording::privacy::{MaskedSpan, PrivacyKind};
use duwang::store::Store;
use duwang::store::crawls::ProvedSpan;
use duwang::store::posts::{PostRecord, RecordedPost};
use duwang::store::profiles::SeenProfile;
use duwang::store::violations::ViolationEvent;

use crate::support;
use crate::support::build::{account, at, post, unit};
use crate::support::database::on_both_databases;

on_both_databases!(
    the_registry_is_mirrored_and_its_changes_are_kept,
    telling_the_same_posts_again_changes_nothing,
    an_edited_post_gets_a_further_version,
    a_text_from_the_page_outlives_a_listing_without_one,
    texts_wait_until_they_are_judged,
    a_crawl_of_the_same_instant_replaces_itself,
    the_ledger_of_a_source_is_replaced_as_a_whole,
    violations_are_written_once_and_explained,
    a_unit_of_work_that_is_dropped_leaves_nothing,
    a_large_batch_is_split_by_the_bind_limit,
    what_a_source_is_doing_is_remembered,
    a_deleted_post_is_noted_once_and_judged_again_when_it_comes_back,
    what_a_platform_shows_is_remembered,
);

async fn with_account(store: &Store) {
    let mut tx = store.write().await.unwrap();
    tx.sync_registry(&[unit("jyj")], &[account("wx", "jyj")], &[], at(0)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn record(store: &Store, posts: &[PostRecord]) -> Vec<RecordedPost> {
    let mut tx = store.write().await.unwrap();
    let recorded = tx.record_posts(posts).await.unwrap();
    tx.commit().await.unwrap();
    recorded
}

async fn the_registry_is_mirrored_and_its_changes_are_kept(store: Store) {
    let mut changed = account("wx", "jyj");
    let sync = async |accounts: &[_], seconds| {
        let mut tx = store.write().await.unwrap();
        let changes = tx.sync_registry(&[unit("jyj")], accounts, &[], at(seconds)).await.unwrap();
        tx.commit().await.unwrap();
        changes.into_iter().map(|change| (change.field, change.old_value, change.new_value)).collect::<Vec<_>>()
    };
    let text = |value: &str| Some(value.to_owned());
    assert_eq!(sync(&[changed.clone()], 0).await, [("status".to_owned(), None, text("active"))]);
    assert_eq!(sync(&[changed.clone()], 1).await, []);
    changed.status = AccountStatus::Deregistered;
    "新名".clone_into(&mut changed.name);
    let changes = sync(&[changed], 2).await;
    assert_eq!(changes[0], ("status".to_owned(), text("active"), text("deregistered")));
    assert_eq!(changes[1], ("name".to_owned(), text("wx发布"), text("新名")));
    assert_eq!(sync(&[], 3).await, [("present".to_owned(), text("true"), text("false"))]);
    let mut tx = store.read().await.unwrap();
    assert_eq!(tx.deregistrations().await.unwrap().get(&AccountId::new("wx")), Some(&at(2)));
    let history = tx.status_history().await.unwrap();
    let statuses = [(at(0), AccountStatus::Active), (at(2), AccountStatus::Deregistered)];
    assert_eq!(history[&AccountId::new("wx")], statuses, "other changes are no status");
    assert_eq!(tx.account_changes(&AccountId::new("wx")).await.unwrap().len(), 4);
}

async fn telling_the_same_posts_again_changes_nothing(store: Store) {
    with_account(&store).await;
    let told = [post("wx", "a", "标题甲\n正文"), post("wx", "b", "标题乙"), post("wx", "a", "同一批中的重复")];
    let first = record(&store, &told).await;
    assert_eq!(
        first.iter().map(|post| (post.index, post.version, post.is_new)).collect::<Vec<_>>(),
        [(0, 1, true), (1, 1, true)]
    );
    assert_eq!(record(&store, &told[..2]).await, []);
    let mut tx = store.read().await.unwrap();
    assert_eq!(tx.post_text(first[0].id, 1).await.unwrap().as_deref(), Some("标题甲\n正文"));
    let counted = tx.counted_posts(at(0), at(1)).await.unwrap();
    assert_eq!(counted[&AccountId::new("wx")].len(), 2);
    assert!(tx.counted_posts(at(1), at(9)).await.unwrap().is_empty());
    assert_eq!(tx.last_posts(at(1)).await.unwrap()[&AccountId::new("wx")], at(0));
}

async fn an_edited_post_gets_a_further_version(store: Store) {
    with_account(&store).await;
    let first = record(&store, &[post("wx", "a", "原文")]).await;
    let edited = record(&store, &[post("wx", "a", "改后")]).await;
    assert_eq!((edited[0].id, edited[0].version, edited[0].is_new), (first[0].id, 2, false));
    let mut tx = store.read().await.unwrap();
    assert_eq!(tx.post_text(first[0].id, 1).await.unwrap().as_deref(), Some("原文"));
    assert_eq!(tx.post_text(first[0].id, 2).await.unwrap().as_deref(), Some("改后"));
    assert_eq!(tx.post_text(first[0].id, 3).await.unwrap(), None);
}

async fn a_text_from_the_page_outlives_a_listing_without_one(store: Store) {
    with_account(&store).await;
    let mut listed = post("wx", "a", "标题");
    listed.text_state = TextState::Missing;
    listed.fillable = true;
    let recorded = record(&store, &[listed.clone()]).await;
    let due = async |seconds| store.read().await.unwrap().posts_to_fill(at(seconds), 10).await.unwrap();
    assert_eq!(due(99).await, []);
    assert_eq!(due(100).await[0].id, recorded[0].id.0);

    let page =
        PostRecord { origin: TextOrigin::Article, text: "标题\n全文".to_owned(), ..post("wx", "a", "标题") };
    assert_eq!(record(&store, std::slice::from_ref(&page)).await[0].version, 2);
    assert_eq!(due(1000).await, []);
    // The listing still says the same: the text from the page stays.
    assert_eq!(record(&store, &[listed.clone()]).await, []);
    assert_eq!(due(1000).await, []);
    // The listing changed: the page is asked again, and the same page is no new version.
    let renamed = PostRecord { title: "新标题".to_owned(), listing_hash: "新".to_owned(), ..listed };
    assert_eq!(record(&store, &[renamed]).await, []);
    assert_eq!(due(1000).await.len(), 1);
    assert_eq!(record(&store, &[page]).await, []);
    assert_eq!(due(1000).await, []);

    let mut tx = store.write().await.unwrap();
    tx.record_fill_failure(recorded[0].id.0, Some(at(5000)), TextState::Missing).await.unwrap();
    assert_eq!(tx.posts_to_fill(at(4999), 10).await.unwrap(), []);
    assert_eq!(tx.posts_to_fill(at(5000), 10).await.unwrap()[0].fill_attempts, 1);
    assert_eq!(tx.count_to_fill().await.unwrap(), 1);
}

async fn texts_wait_until_they_are_judged(store: Store) {
    with_account(&store).await;
    let masked = vec![MaskedSpan { start: 0, end: 2, kind: PrivacyKind::Mobile }];
    let told = PostRecord { masked: masked.clone(), ..post("wx", "a", "文本") };
    let recorded = record(&store, &[told, post("wx", "b", "另文")]).await;
    let mut tx = store.write().await.unwrap();
    let waiting = tx.unchecked_posts(10).await.unwrap();
    assert_eq!(waiting.iter().map(|post| post.text.as_str()).collect::<Vec<_>>(), ["文本", "另文"]);
    assert_eq!(waiting[0].masked, masked);
    assert_eq!(tx.unchecked_posts(1).await.unwrap().len(), 1);
    // A version that is no longer the current one does not count as judged.
    tx.mark_checked(&[(recorded[0].id, 1), (recorded[1].id, 7)], "lists-1").await.unwrap();
    assert_eq!(tx.unchecked_posts(10).await.unwrap()[0].id, recorded[1].id);
    tx.forget_older_checks("lists-1").await.unwrap();
    assert_eq!(tx.unchecked_posts(10).await.unwrap().len(), 1);
    tx.forget_older_checks("lists-2").await.unwrap();
    assert_eq!(tx.unchecked_posts(10).await.unwrap().len(), 2);
}

fn crawl(outcome: Outcome, seconds: i64) -> Crawl {
    let account = account("wx", "jyj");
    Crawl {
        source: account.sources[0].id.clone(),
        account: account.id,
        authority: "bridge.example".to_owned(),
        from_bridge: true,
        listed_at: at(seconds),
        outcome,
        detail: String::new(),
        n_items: 3,
        n_bad: 0,
        extent: Extent {
            oldest_at: Some(at(seconds - 50)),
            newest_at: Some(at(seconds - 5)),
            ended: false,
            until_at: None,
        },
        validators: Validators { etag: Some("W/\"1\"".to_owned()), last_modified: None },
        total: Some(12),
        retry_at: None,
    }
}

async fn a_crawl_of_the_same_instant_replaces_itself(store: Store) {
    with_account(&store).await;
    let listed = crawl(Outcome::Listed, 10);
    let state = SourceState::after(None, &listed);
    let failed = Crawl { retry_at: Some(at(99)), ..crawl(Outcome::RateLimited, 20) };
    let failed_state = SourceState::after(Some(&state), &failed);
    for _ in 0..2 {
        let mut tx = store.write().await.unwrap();
        tx.record_crawls(&[(listed.clone(), state.clone())]).await.unwrap();
        tx.record_crawls(&[(failed.clone(), failed_state.clone())]).await.unwrap();
        tx.commit().await.unwrap();
    }
    let mut tx = store.read().await.unwrap();
    let states = tx.source_states().await.unwrap();
    assert_eq!(states[&listed.source], failed_state);
    assert_eq!(states[&listed.source].validators.etag.as_deref(), Some("W/\"1\""));
    let unsettled = tx.unsettled_crawls().await.unwrap();
    assert_eq!(unsettled.len(), 1, "a failure proves nothing");
    assert_eq!((unsettled[0].listed_at, unsettled[0].extent), (at(10), listed.extent));
}

async fn the_ledger_of_a_source_is_replaced_as_a_whole(store: Store) {
    with_account(&store).await;
    let listed = crawl(Outcome::Listed, 10);
    let mut tx = store.write().await.unwrap();
    tx.record_crawls(&[(listed.clone(), SourceState::after(None, &listed))]).await.unwrap();
    let unsettled = tx.unsettled_crawls().await.unwrap();
    let proved = |from: Option<i64>, to| ProvedSpan {
        account: listed.account.clone(),
        source: listed.source.clone(),
        span: Span { from: from.map(at), to: at(to) },
    };
    let alive = [("bridge.example".to_owned(), at(5))];
    tx.settle(&[proved(Some(0), 5), proved(Some(7), 9)], &alive, &unsettled).await.unwrap();
    assert_eq!(tx.unsettled_crawls().await.unwrap(), []);
    tx.settle(&[proved(None, 9)], &alive, &[]).await.unwrap();
    assert_eq!(tx.proved_spans().await.unwrap(), [proved(None, 9)]);
    assert_eq!(tx.bridges().await.unwrap()["bridge.example"], at(5));
    assert_eq!(tx.coverage().await.unwrap()[&listed.account].spans(), [Span { from: None, to: at(9) }]);
}

fn violation(post: PostId) -> Violation {
    Violation {
        id: ViolationId::derive(ViolationKind::Wording, ["wx", "a", "typo-1", "布署"]),
        kind: ViolationKind::Wording,
        account: AccountId::new("wx"),
        post: Some(post),
        subject: "typo-1".to_owned(),
        severity: Severity::Minor,
        tier: Tier::A,
        class: Some(WordingClass::Typo),
        state: ViolationState::Open,
        message: "“布署”应为“部署”".to_owned(),
        basis: "依据".to_owned(),
        found: "布署".to_owned(),
        suggestion: Some("部署".to_owned()),
        context: None,
        span: Some((2, 4)),
        occurrences: 1,
        post_version: Some(1),
        lists_version: Some("lists-1".to_owned()),
        window: None,
        first_seen_at: at(100),
    }
}

async fn violations_are_written_once_and_explained(store: Store) {
    with_account(&store).await;
    let recorded = record(&store, &[post("wx", "a", "全面布署")]).await;
    let open = violation(recorded[0].id);
    let event =
        |seq, state| ViolationEvent {
            violation: open.id.clone(), seq, at: at(100), state, detail: "发现".to_owned()
        };
    let mut tx = store.write().await.unwrap();
    for _ in 0..2 {
        tx.save_violations(std::slice::from_ref(&open), &[event(1, ViolationState::Open)]).await.unwrap();
    }
    let stored = tx.violations_of_posts(&[recorded[0].id]).await.unwrap();
    assert_eq!((&stored[0].violation, stored[0].n_events, stored.len()), (&open, 1, 1));
    let rectified = Violation { state: ViolationState::Rectified, ..open.clone() };
    tx.save_violations(std::slice::from_ref(&rectified), &[event(2, ViolationState::Rectified)]).await.unwrap();
    let chain = tx.violation_chain(&open.id).await.unwrap().unwrap();
    assert_eq!(chain.record.violation, rectified);
    assert_eq!(chain.record.post.unwrap().title, "全面布署");
    assert_eq!((chain.account_name.as_str(), chain.unit_name.as_str()), ("wx发布", "jyj局"));
    assert_eq!(chain.events.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(tx.violation_chain(&ViolationId::new("W-none")).await.unwrap(), None);
    let window = duwang::model::week::Window { from: at(0), to: at(1) };
    assert_eq!(tx.wording_violations(window).await.unwrap().len(), 1);
    let later = duwang::model::week::Window { from: at(1), to: at(2) };
    assert_eq!(tx.wording_violations(later).await.unwrap(), []);
}

async fn a_unit_of_work_that_is_dropped_leaves_nothing(store: Store) {
    with_account(&store).await;
    let mut tx = store.write().await.unwrap();
    tx.record_posts(&[post("wx", "a", "文本")]).await.unwrap();
    drop(tx);
    let posts = store.read().await.unwrap().counted_posts(at(0), at(1)).await.unwrap();
    assert!(posts.is_empty());
}

async fn a_large_batch_is_split_by_the_bind_limit(store: Store) {
    with_account(&store).await;
    let told: Vec<PostRecord> = (0..5_000)
        .map(|n| PostRecord {
            published_at: Some(at(0) + TimeDelta::seconds(n)),
            ..post("wx", &format!("key-{n}"), "文本")
        })
        .collect();
    let recorded = record(&store, &told).await;
    assert_eq!(recorded.len(), 5_000);
    assert_eq!(record(&store, &told).await, []);
    let ids: Vec<PostId> = recorded.iter().map(|post| post.id).collect();
    let checked: Vec<(PostId, u32)> = ids.iter().map(|id| (*id, 1)).collect();
    let mut tx = store.write().await.unwrap();
    tx.mark_checked(&checked, "lists-1").await.unwrap();
    assert_eq!(tx.unchecked_posts(10).await.unwrap(), []);
    assert_eq!(tx.violations_of_posts(&ids).await.unwrap(), []);
}

#[tokio::test]
async fn both_schemas_have_the_same_columns() {
    const SQLITE: &str = "SELECT m.name, c.name, c.\"notnull\" = 0 FROM sqlite_schema m, pragma_table_info(m.name) c \
                          WHERE m.type = 'table' AND m.name NOT LIKE '\\_%' ESCAPE '\\' AND m.name NOT LIKE 'sqlite%'";
    const POSTGRES: &str = "SELECT table_name::text, column_name::text, is_nullable = 'YES' \
                            FROM information_schema.columns WHERE table_schema = current_schema() \
                            AND table_name NOT LIKE '\\_%'";
    let sqlite = support::database::sqlite().await;
    let Some(postgres) = support::postgres::schema("both_schemas_have_the_same_columns").await else { return };
    let (Store::Sqlite(sqlite_pool), Store::Postgres(postgres_pool)) = (&sqlite.store, &postgres.store) else {
        panic!("the databases are what they are called");
    };
    let mut in_sqlite: Vec<(String, String, bool)> = sqlx::query_as(SQLITE).fetch_all(sqlite_pool).await.unwrap();
    let mut in_postgres: Vec<(String, String, bool)> = sqlx::query_as(POSTGRES).fetch_all(postgres_pool).await.unwrap();
    in_sqlite.sort();
    in_postgres.sort();
    assert!(in_sqlite.len() > 100, "{in_sqlite:?}");
    assert_eq!(in_sqlite, in_postgres);
    postgres.drop_schema().await;
}

#[tokio::test]
async fn a_database_that_was_not_migrated_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::connect_sqlite(&dir.path().join("new.db")).await.unwrap();
    assert!(!store.is_migrated().await.unwrap());
    store.migrate().await.unwrap();
    assert!(store.is_migrated().await.unwrap());
}

#[tokio::test]
async fn a_bad_address_is_refused_with_a_remedy() {
    let error = Store::connect("mysql://x", std::path::Path::new(".")).await.unwrap_err();
    assert!(error.to_string().contains("write `sqlite:PATH` or `postgres://USER@HOST/DATABASE`"), "{error}");
    let error = Store::connect("sqlite:/nowhere/at/all/duwang.db", std::path::Path::new(".")).await.unwrap_err();
    assert!(error.to_string().contains("/nowhere/at/all/duwang.db"), "{error}");
}

async fn what_a_source_is_doing_is_remembered(store: Store) {
    with_account(&store).await;
    let listed = crawl(Outcome::Listed, 10);
    let first = SourceState::after(None, &listed);
    let expired = crawl(Outcome::LoginNeeded, 20);
    let second = SourceState::after(Some(&first), &expired);
    let third = SourceState::after(Some(&second), &crawl(Outcome::Network, 30));
    let mut tx = store.write().await.unwrap();
    tx.record_crawls(&[(listed, first), (expired, second), (crawl(Outcome::Network, 30), third.clone())][2..])
        .await
        .unwrap();
    let state = tx.source_states().await.unwrap().remove(&third.source).unwrap();
    assert_eq!(state, third);
    assert_eq!(state.failure_counts, [(Outcome::LoginNeeded, 1), (Outcome::Network, 1)].into());
    assert_eq!((state.failures, state.total, state.last_nonempty_at), (2, Some(12), Some(at(10))));
    let healed = SourceState::after(Some(&state), &crawl(Outcome::Listed, 40));
    assert!(healed.failure_counts.is_empty() && healed.last_nonempty_at == Some(at(40)));
}

async fn a_deleted_post_is_noted_once_and_judged_again_when_it_comes_back(store: Store) {
    with_account(&store).await;
    let told = [post("wx", "p1", "标题\n正文"), post("wx", "p2", "别的\n正文")];
    let recorded = record(&store, &told).await;
    let account = AccountId::new("wx");
    let mut tx = store.write().await.unwrap();
    let checked: Vec<_> = recorded.iter().map(|post| (post.id, post.version)).collect();
    tx.mark_checked(&checked, "lists").await.unwrap();
    let keys = ["p1".to_owned(), "unknown".to_owned()];
    assert_eq!(tx.mark_removed(&account, &keys, &[], at(200)).await.unwrap(), [recorded[0].id]);
    assert_eq!(tx.mark_removed(&account, &keys, &["p_".to_owned()], at(300)).await.unwrap(), []);
    // A removed post is not judged again, whatever happens to the lists.
    tx.forget_older_checks("other").await.unwrap();
    let waiting = tx.unchecked_posts(10).await.unwrap();
    assert_eq!(waiting.iter().map(|post| post.key.as_str()).collect::<Vec<_>>(), ["p2"]);
    tx.commit().await.unwrap();
    assert_eq!(record(&store, &told).await, []);
    let waiting = store.read().await.unwrap().unchecked_posts(10).await.unwrap();
    assert_eq!(waiting.iter().map(|post| post.key.as_str()).collect::<Vec<_>>(), ["p1", "p2"]);
}

async fn what_a_platform_shows_is_remembered(store: Store) {
    with_account(&store).await;
    let source = account("wx", "jyj").sources[0].id.clone();
    let seen = |name: Option<&str>, verified, seconds| SeenProfile {
        source: source.clone(),
        account: AccountId::new("wx"),
        profile: Profile { name: name.map(str::to_owned), verified, platform_id: None },
        seen_at: at(seconds),
    };
    let mut tx = store.write().await.unwrap();
    for profile in [seen(Some("甲"), Some(true), 1), seen(None, None, 2), seen(Some("乙"), Some(false), 3)] {
        tx.record_profiles(&[profile]).await.unwrap();
    }
    let stored = tx.profiles().await.unwrap();
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].profile, Profile { name: Some("乙".to_owned()), verified: Some(false), platform_id: None });
    assert_eq!(stored[0].verified_at, Some(at(1)));
}
