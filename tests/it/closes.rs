//! From the Thursday warning to the closed week and its corrections, on both databases.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use duwang::engine::Engine;
use duwang::engine::close::CloseStep;
use duwang::model::account::AccountStatus;
use duwang::model::close::{CloseChange, FixedAccount, FixedVerdict, FixedWeek, WeekClose};
use duwang::model::rule::Exemption;
use duwang::model::verdict::Verdict;
use duwang::model::week::Window;
use duwang::model::{AccountId, ExemptionId, RuleId};
use duwang::rules::warning::WarningKind;
use duwang::simulator::{Behaviour, Channel, Fault};
use duwang::store::Store;

use crate::support::build::at;
use crate::support::database::on_both_databases;
use crate::support::simulated::{Prefecture, friday, run, stderr, stdout};

on_both_databases!(
    closes_are_added_and_never_replaced,
    a_warning_tells_who_will_fall_short_and_is_no_problem,
    a_late_crawl_and_an_exemption_make_numbered_corrections,
    downtime_leaves_no_week_open,
    a_week_of_suspension_is_nobodys_shortfall,
);

/// Thursday noon in Shanghai: half a day of the week is left.
fn thursday() -> DateTime<Utc> {
    friday() - TimeDelta::hours(28)
}

async fn crawl(engine: &Engine) {
    let accounts = engine.config.registry.accounts.iter().cloned().map(Arc::new).collect();
    engine.crawl(accounts, |_| {}).await.unwrap();
    engine.fill_texts(|_| {}).await.unwrap();
}

async fn closes_are_added_and_never_replaced(store: Store) {
    let day = |text: &str| text.parse::<chrono::NaiveDate>().unwrap();
    let verdict = FixedVerdict { verdict: Verdict::Short, counted: 1, required: 3 };
    let account = FixedAccount { name: "甲".to_owned(), verdicts: [(RuleId::new("r"), verdict)].into() };
    let fixed = FixedWeek {
        rules: [(RuleId::new("r"), "州级要求：每周更新不少于3次".to_owned())].into(),
        accounts: [(AccountId::new("a"), account)].into(),
        ..FixedWeek::default()
    };
    let change = CloseChange {
        account: AccountId::new("a"),
        account_name: "甲".to_owned(),
        subject: "r".to_owned(),
        what: "州级要求".to_owned(),
        old: "未核实".to_owned(),
        new: "未达标".to_owned(),
        reason: "补采".to_owned(),
    };
    let close = |last_day: &str, number| WeekClose {
        last_day: day(last_day),
        number,
        closed_at: at(i64::from(number)),
        digest: format!("digest-{number}"),
        fixed: fixed.clone(),
        changes: if number == 0 { Vec::new() } else { vec![change.clone()] },
    };
    let mut tx = store.write().await.unwrap();
    assert_eq!(tx.first_close().await.unwrap(), None);
    for new in [close("2026-11-19", 0), close("2026-11-12", 0), close("2026-11-19", 1)] {
        assert!(tx.add_close(&new).await.unwrap());
    }
    let other = WeekClose { digest: "other".to_owned(), ..close("2026-11-19", 1) };
    assert!(!tx.add_close(&other).await.unwrap());
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    let both = [close("2026-11-19", 0), close("2026-11-19", 1)];
    assert_eq!(tx.closes_of(day("2026-11-19")).await.unwrap(), both);
    assert_eq!(tx.closes(1).await.unwrap(), both);
    assert_eq!(tx.closes(9).await.unwrap().len(), 3);
    assert_eq!(tx.first_close().await.unwrap(), Some(day("2026-11-12")));
}

async fn a_warning_tells_who_will_fall_short_and_is_no_problem(store: Store) {
    let mut prefecture = Prefecture::start().without_rate_limits();
    let world = prefecture.platforms.world().clone();
    prefecture.platforms.publish(world.as_of(thursday()));
    let engine = prefecture.engine(store.clone(), thursday());
    crawl(&engine).await;
    let digest = engine.warn().await.unwrap();
    let calendar = engine.config.settings.calendar();
    let window = calendar.week_window(calendar.week_of(calendar.day_of(thursday())));
    let so_far = Window { from: window.from, to: thursday() };
    let rule = "prefecture-subscription";
    let mut n_sure = 0;
    let mut warned = BTreeSet::new();
    for warning in digest.units.iter().flat_map(|unit| &unit.warnings) {
        assert_eq!(warning.deadline.with_timezone(&Utc), window.to);
        if warning.rule.as_str() == rule {
            warned.insert(warning.account.clone());
            if warning.warning == WarningKind::WillFallShort {
                let truth = u32::try_from(world.pushes(&warning.account, so_far)).unwrap();
                assert_eq!(warning.counted, truth, "{}", warning.account);
                assert!(truth < 3, "{}", warning.account);
                n_sure += 1;
            }
        }
    }
    assert!(n_sure > 0, "{digest}");
    for account in &engine.config.registry.accounts {
        let is_site = world.account(&account.id).is_some_and(|account| account.channel == Channel::SiteFeed);
        let lacks = world.pushes(&account.id, so_far) < 3;
        let excused = world.account(&account.id).is_some_and(|account| account.exempt);
        if is_site && account.kind.as_str() == "wechat_subscription" && account.status.as_str() == "active" && !excused
        {
            assert_eq!(warned.contains(&account.id), lacks, "{}", account.id);
        }
    }
    let text = digest.text();
    assert!(text.starts_with("政务新媒体内容更新预警（2026-11-19 12:00）"), "{text}");
    assert!(text.contains("【将不达标】") && text.contains("请于11月19日24时前更新。"), "{text}");
    assert!(text.contains("【未核实】"), "{text}");
    // Nothing was stored of it, and three days before nobody is warned of a week.
    let stored = store.read().await.unwrap().frequency_violations(&[window.to]).await.unwrap();
    assert_eq!(stored, []);
    let monday = prefecture.engine(store, thursday() - TimeDelta::days(3)).warn().await.unwrap();
    assert!(monday.units.iter().all(|unit| unit.warnings.iter().all(|warning| warning.rule.as_str() != rule)));
}

fn read_files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

fn names(files: &[(String, Vec<u8>)]) -> Vec<&str> {
    files.iter().map(|(name, _)| name.as_str()).collect()
}

async fn a_late_crawl_and_an_exemption_make_numbered_corrections(store: Store) {
    let prefecture = Prefecture::start().without_rate_limits();
    let world = prefecture.platforms.world().clone();
    let engine = |now| prefecture.engine(store.clone(), now);
    let calendar = engine(friday()).config.settings.calendar();
    let week = calendar.last_closed_week(friday());
    let window = calendar.week_window(week);
    let reports = prefecture.dir.path().join("reports");
    // An account on the bridge that publishes enough; on Friday its feed cannot be read.
    let late = world
        .accounts()
        .iter()
        .find(|account| {
            account.behaviour == Behaviour::Regular
                && matches!(account.channel, Channel::Bridge(_))
                && account.kind.as_str() == "wechat_subscription"
                && account.status.as_str() == "active"
                && !account.exempt
                && world.pushes(&account.id, window) >= 3
        })
        .unwrap()
        .id
        .clone();
    prefecture.platforms.set_fault(&late, Some(Fault::Unavailable));
    crawl(&engine(friday())).await;
    assert!(engine(thursday()).close_week(week).await.unwrap_err().to_string().contains("is not over"));

    // A draft of Thursday lies where the report will be.
    std::fs::create_dir(&reports).unwrap();
    std::fs::write(reports.join("weekly-2026-11-19.docx"), "draft").unwrap();
    let first = engine(friday()).close_week(week).await.unwrap();
    assert_eq!((first.step, first.number, first.n_changes), (CloseStep::Closed, 0, 0));
    let files = read_files(&reports);
    let plain = ["docx", "html", "json", "xlsx"].map(|ending| format!("weekly-2026-11-19.{ending}"));
    assert_eq!(names(&files), plain);
    assert!(files.iter().all(|(_, bytes)| bytes != b"draft"));
    let again = engine(friday() + TimeDelta::hours(1)).close_week(week).await.unwrap();
    assert_eq!((again.step, again.number), (CloseStep::Unchanged, 0));
    assert!(read_files(&reports) == files, "closing again changed a file");
    // A file that somebody deleted is made again.
    std::fs::remove_file(reports.join(&plain[0])).unwrap();
    engine(friday()).close_week(week).await.unwrap();
    assert_eq!(names(&read_files(&reports)), plain);

    // The bridge comes back on Saturday.
    prefecture.platforms.set_fault(&late, None);
    let saturday = friday() + TimeDelta::days(1);
    crawl(&prefecture.engine(store.clone(), saturday)).await;
    let corrected = prefecture.engine(store.clone(), saturday).close_week(week).await.unwrap();
    assert_eq!((corrected.step, corrected.number), (CloseStep::Corrected, 1), "{corrected}");
    let closes = store.read().await.unwrap().closes_of(week.last_day).await.unwrap();
    assert!(closes[0].changes.is_empty() && !closes[1].changes.is_empty());
    assert!(closes[1].changes.iter().all(|change| change.account == late), "{:#?}", closes[1].changes);
    let subscription = closes[1].changes.iter().find(|change| change.subject == "prefecture-subscription").unwrap();
    assert!(subscription.old.starts_with("未核实") && subscription.new.starts_with("达标"), "{subscription:?}");
    assert!(subscription.reason.starts_with("补采、补录后更新次数增加"), "{subscription:?}");
    let now_there = read_files(&reports);
    let old_files: Vec<_> = now_there.iter().filter(|(name, _)| !name.contains("更正")).collect();
    assert!(old_files.iter().all(|old| files.contains(old)), "a file that was out has changed");
    assert_eq!(now_there.len(), 8);
    let html = std::fs::read_to_string(reports.join("weekly-2026-11-19-更正1.html")).unwrap();
    assert!(html.contains("<b>更正说明：</b>本件为2026年11月20日所出通报的第1次更正，更正于2026年11月21日"), "{html}");
    assert!(html.contains("更正情况") && html.contains(&subscription.reason));
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(reports.join("weekly-2026-11-19-更正1.json")).unwrap()).unwrap();
    assert_eq!(json["correction"]["number"], 1);
    assert_eq!(json["correction"]["changes"].as_array().unwrap().len(), closes[1].changes.len());

    // A report of choice is that of the close; an exemption filed later makes the second correction.
    let is_short = |account: &FixedAccount| account.verdicts.values().any(|v| v.verdict == Verdict::Short);
    let excused = closes[1].fixed.accounts.iter().find(|(_, account)| is_short(account)).unwrap().0;
    let mut sunday = prefecture.engine(store.clone(), saturday + TimeDelta::days(1));
    let mut config = (*sunday.config).clone();
    config.exemptions.push(Exemption {
        id: ExemptionId::new("late"),
        account: excused.clone(),
        rules: Vec::new(),
        from: week.first_day - TimeDelta::days(30),
        to: week.last_day,
        reason: "系统迁移".to_owned(),
        reported_by: "书面报备".to_owned(),
    });
    sunday.config = Arc::new(config);
    let out = tempfile::tempdir().unwrap();
    let written = sunday.write_weekly(week, out.path(), &[duwang::report::Format::Json]).await.unwrap();
    assert_eq!(written.close.unwrap().number, 2);
    assert!(written.paths[0].ends_with("weekly-2026-11-19-更正2.json"));
    let closed = sunday.close_week(week).await.unwrap();
    assert_eq!((closed.step, closed.number), (CloseStep::Unchanged, 2));
    assert_eq!(read_files(&reports).len(), 12);
    let closes = store.read().await.unwrap().closes_of(week.last_day).await.unwrap();
    assert!(closes[2].changes.iter().all(|change| change.account == *excused && change.new == "已报备"));
    assert_eq!(closes[2].changes[0].reason, "周报出具后补报备案");
}

async fn downtime_leaves_no_week_open(store: Store) {
    let prefecture = Prefecture::start();
    let last_days = |summaries: Vec<duwang::engine::close::CloseSummary>| -> Vec<String> {
        summaries.into_iter().map(|summary| format!("{} {:?}", summary.week.last_day, summary.step)).collect()
    };
    let first = prefecture.engine(store.clone(), friday()).close_due_weeks().await.unwrap();
    assert_eq!(last_days(first), ["2026-11-19 Closed"]);
    let later = prefecture.engine(store, friday() + TimeDelta::weeks(2)).close_due_weeks().await.unwrap();
    assert_eq!(last_days(later), ["2026-11-19 Unchanged", "2026-11-26 Closed", "2026-12-03 Closed"]);
}

#[test]
fn the_commands_close_list_and_warn() {
    let prefecture = Prefecture::start();
    let dir = prefecture.dir.path();
    let output = run(dir, &["report", "close", "--ending", "2026-11-19"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).starts_with("week 2026-11-13/2026-11-19: closed"), "{}", stdout(&output));
    let output = run(dir, &["report", "closes"]);
    assert!(stdout(&output).starts_with("2026-11-19\t0\t2026-11-20 16:00\t"), "{}", stdout(&output));
    let output = run(dir, &["report", "weekly", "--format", "json"]);
    assert!(stdout(&output).contains("closed: number 0, 2026-11-20 16:00"), "{}", stdout(&output));
    let output = run(dir, &["report", "warnings", "--format", "json"]);
    let digest: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(digest["schema"], "duwang.warnings/1");
    let output = run(dir, &["report", "warnings"]);
    assert!(stdout(&output).starts_with("政务新媒体内容更新预警（2026-11-20 16:00）"), "{}", stdout(&output));
}

/// Two accounts that published too little; one of them was suspended for a day of the week.
async fn a_week_of_suspension_is_nobodys_shortfall(store: Store) {
    let prefecture = Prefecture::start().without_rate_limits();
    let world = prefecture.platforms.world().clone();
    let engine = prefecture.engine(store.clone(), friday());
    let calendar = engine.config.settings.calendar();
    let week = calendar.last_closed_week(friday());
    let window = calendar.week_window(week);
    let rule = RuleId::new("prefecture-subscription");
    let registry = &engine.config.registry;
    crawl(&engine).await;
    engine.close_week(week).await.unwrap();
    let fixed = async || {
        let mut closes = store.read().await.unwrap().closes_of(week.last_day).await.unwrap();
        closes.pop().unwrap().fixed
    };
    let short: Vec<AccountId> = {
        let accounts = fixed().await.accounts.into_iter();
        let is_short =
            |account: &FixedAccount| account.verdicts.get(&rule).map(|it| it.verdict) == Some(Verdict::Short);
        accounts.filter(|(_, account)| is_short(account)).map(|(id, _)| id).collect()
    };
    let [suspended, other, ..] = short.as_slice() else { panic!("too few accounts fell short: {short:?}") };
    assert!(world.pushes(suspended, window) < 3);

    // The registry as its files were on those days.
    let mut accounts = registry.accounts.clone();
    let mut tx = store.write().await.unwrap();
    for (hours, status) in [(24, AccountStatus::Suspended), (48, AccountStatus::Active)] {
        let account = accounts.iter_mut().find(|account| account.id == *suspended).unwrap();
        account.status = status;
        tx.sync_registry(&registry.units, &accounts, &[], window.from + TimeDelta::hours(hours)).await.unwrap();
    }
    tx.commit().await.unwrap();
    let corrected = engine.close_week(week).await.unwrap();
    assert_eq!((corrected.step, corrected.number), (CloseStep::Corrected, 1), "{corrected}");
    let accounts = fixed().await.accounts;
    let verdict =
        |id: &AccountId| accounts.get(id).and_then(|account| account.verdicts.get(&rule)).map(|it| it.verdict);
    assert_eq!(verdict(suspended), None, "nobody can be short of a rule while suspended");
    assert_eq!(verdict(other), Some(Verdict::Short), "others are judged as before");
}
