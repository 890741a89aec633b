use super::*;

fn now() -> DateTime<Utc> {
    "2026-11-20T08:00:00Z".parse().unwrap()
}

fn ago(hours: i64) -> DateTime<Utc> {
    now() - chrono::TimeDelta::hours(hours)
}

fn source(account: &str, outcome: Option<Outcome>) -> SourceFacts {
    SourceFacts {
        account: account.to_owned(),
        source: format!("{account}/feed"),
        outcome,
        last_success_at: outcome.map(|_| ago(30)),
        has_substitute: false,
        advice: outcome.filter(|outcome| !outcome.is_success()).map(|_| "look at the bridge".to_owned()),
    }
}

fn healthy() -> Facts {
    let database = DatabaseFacts {
        bytes: 5 << 20,
        free_bytes: 0,
        damage: None,
        newest_crawl_at: Some(ago(1)),
        sources: ["a", "b", "c"].map(|account| source(account, Some(Outcome::Listed))).to_vec(),
        stale_bridges: Vec::new(),
        bridge_stale_after: Duration::from_hours(48),
        tasks: vec![TaskFacts {
            task: "crawl".to_owned(),
            next_at: ago(-1),
            lease_until: None,
            last_finished_at: Some(ago(1)),
            last_ok: Some(true),
            last_result: Some("3 accounts".to_owned()),
        }],
        n_undelivered: 0,
        oldest_undelivered_at: None,
        attempts_max: 0,
        n_to_fill: 3,
        fill_pages_max: 200,
    };
    Facts {
        now: now(),
        zone: chrono_tz::Asia::Shanghai,
        disks: vec![Disk { what: "database", path: "/d".to_owned(), free_bytes: Ok(9 << 30), needed_bytes: 5 << 20 }],
        credentials: vec![CredentialFacts {
            name: "wb".to_owned(),
            path: "/c/wb".to_owned(),
            problem: None,
            is_refused: false,
            modified_at: Some(ago(48)),
            n_sources: 2,
        }],
        database: Ok(database),
    }
}

/// Spoils one thing and looks for one line that says so.
fn check(spoil: impl FnOnce(&mut Facts), level: Level, area: &str, said: &str) {
    let mut facts = healthy();
    spoil(&mut facts);
    let lines = examine(&facts);
    let bad: Vec<&Check> = lines.iter().filter(|line| line.level != Level::Ok).collect();
    assert_eq!(bad.len(), 1, "{lines:#?}");
    assert_eq!((bad[0].area, bad[0].level), (area, level), "{bad:?}");
    assert!(bad[0].found.contains(said) && !bad[0].todo.is_empty(), "{bad:?}");
    assert_eq!(worst(&lines), level);
}

fn spoil_database(spoil: impl FnOnce(&mut DatabaseFacts)) -> impl FnOnce(&mut Facts) {
    move |facts| spoil(facts.database.as_mut().unwrap())
}

#[test]
fn a_healthy_service_has_no_bad_line() {
    let lines = examine(&healthy());
    assert_eq!(worst(&lines), Level::Ok, "{lines:#?}");
    let areas: Vec<&str> = lines.iter().map(|line| line.area).collect();
    assert_eq!(areas, ["database", "disk", "clock", "credentials", "sources", "tasks", "outbox", "texts"]);
}

#[test]
fn the_database_and_the_disk_are_judged() {
    let problem = |problem| move |facts: &mut Facts| facts.database = Err(problem);
    check(problem(DatabaseProblem::Missing), Level::Warn, "database", "no database yet");
    check(problem(DatabaseProblem::Unreachable("refused\n".to_owned())), Level::Fail, "database", "refused ");
    check(problem(DatabaseProblem::NotMigrated), Level::Fail, "database", "schema");
    check(spoil_database(|db| db.damage = Some("page 7".to_owned())), Level::Fail, "database", "page 7");
    check(spoil_database(|db| (db.bytes, db.free_bytes) = (1 << 30, 600 << 20)), Level::Warn, "database", "free pages");
    check(|facts| facts.disks[0].free_bytes = Ok(1 << 20), Level::Fail, "disk", "1 MiB free");
    check(|facts| facts.disks[0].free_bytes = Ok(500 << 20), Level::Warn, "disk", "500 MiB free");
    check(|facts| facts.disks[0].needed_bytes = 10 << 30, Level::Warn, "disk", "free");
    check(|facts| facts.disks[0].free_bytes = Err("no such folder".to_owned()), Level::Fail, "disk", "no such folder");
}

#[test]
fn a_clock_that_went_back_and_a_foreign_zone_are_seen() {
    check(spoil_database(|db| db.newest_crawl_at = Some(ago(-2))), Level::Fail, "clock", "2026-11-20 18:00");
    check(|facts| facts.zone = chrono_tz::Europe::Berlin, Level::Warn, "clock", "Europe/Berlin");
}

#[test]
fn credentials_are_judged_by_state_and_age() {
    check(
        |facts| facts.credentials[0].problem = Some("there is no such file".to_owned()),
        Level::Fail,
        "credentials",
        "no such file",
    );
    check(|facts| facts.credentials[0].is_refused = true, Level::Fail, "credentials", "refused");
    check(|facts| facts.credentials[0].modified_at = Some(ago(24 * 45)), Level::Warn, "credentials", "45 days");
}

#[test]
fn sources_out_of_sight_are_named() {
    check(
        spoil_database(|db| db.sources[1] = source("b", Some(Outcome::RateLimited))),
        Level::Warn,
        "sources",
        "b (rate_limited, last seen 2026-11-19 10:00)",
    );
    check(spoil_database(|db| db.sources[1] = source("b", None)), Level::Warn, "sources", "b/feed");
    let most = |db: &mut DatabaseFacts| {
        for source in &mut db.sources {
            source.outcome = Some(Outcome::Network);
        }
    };
    check(spoil_database(most), Level::Fail, "sources", "3 fail");
    let substituted = |db: &mut DatabaseFacts| {
        db.sources[1] = SourceFacts { has_substitute: true, ..source("b", Some(Outcome::Captcha)) };
    };
    check(spoil_database(substituted), Level::Warn, "sources", "another source");
    check(
        spoil_database(|db| db.stale_bridges = vec![("bridge:1".to_owned(), None)]),
        Level::Fail,
        "sources",
        "bridge:1",
    );
}

#[test]
fn many_names_are_cut() {
    let many = |db: &mut DatabaseFacts| db.sources.extend((0..9).map(|n| source(&format!("n{n}"), None)));
    check(spoil_database(many), Level::Warn, "sources", "n4/feed and 4 more");
}

#[test]
fn tasks_that_failed_or_are_late_are_named() {
    check(spoil_database(|db| db.tasks[0].last_ok = Some(false)), Level::Fail, "tasks", "`crawl` failed");
    check(spoil_database(|db| db.tasks[0].next_at = ago(1)), Level::Fail, "tasks", "was due at 2026-11-20 15:00");
    let mut held = healthy();
    spoil_database(|db| (db.tasks[0].next_at, db.tasks[0].lease_until) = (ago(1), Some(ago(-1))))(&mut held);
    assert_eq!(worst(&examine(&held)), Level::Ok, "a task under way is not late");
    let mut fresh = healthy();
    spoil_database(|db| db.tasks.clear())(&mut fresh);
    assert_eq!(worst(&examine(&fresh)), Level::Ok);
}

#[test]
fn undelivered_messages_and_missing_texts_are_judged() {
    let late = |hours, attempts| {
        move |db: &mut DatabaseFacts| {
            (db.n_undelivered, db.oldest_undelivered_at, db.attempts_max) = (2, Some(ago(hours)), attempts);
        }
    };
    check(spoil_database(late(1, 3)), Level::Warn, "outbox", "after up to 3 attempts");
    check(spoil_database(late(30, 9)), Level::Fail, "outbox", "30 hours");
    check(spoil_database(|db| db.n_to_fill = 2001), Level::Warn, "texts", "2001");
}
