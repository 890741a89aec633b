//! The folder as a whole: what is read, and what every kind of mistake says.

use std::time::Duration;

use proptest::prelude::*;

use super::settings::FillText;
use super::*;
use crate::model::account::{AccountStatus, Freshness, SourceSpec};
use crate::model::rule::RuleWindow;

const ACCOUNTS: &str = "\
units:
  - {id: zfb, name: 州政府办公室, level: prefecture, region: 云岭州}
  - {id: jyj, name: 州教育局, level: prefecture, region: 云岭州, supervisor: zfb}
accounts:
  - id: jyj-wx
    name: 云岭教育
    unit: jyj
    kind: wechat_subscription
    platform_id: gh_0123456789ab
    filed_on: 2021-03-01
    sources:
      - {kind: feed, url: \"http://127.0.0.1:8001/a.xml\"}
      - {kind: html_list, url: \"https://jyj.example/\", item: li, date: span, freshness_not: x}
";

const RULES: &str = "\
rules:
  - id: weekly
    applies_to: {kinds: [wechat_subscription], units: [jyj], regions: [云岭州], accounts: [jyj-wx]}
    require: {min: 3, count: push, window: week}
    level: local
    effective: {from: 2023-05-10}
    warn_before: 1d
    basis: 通知二（二）
  - id: fortnight
    require: {min: 1, count: post, window: {rolling_days: 14}}
    level: veto
    basis: 指标
";

fn files(settings: &str, accounts: &str, rules: &str, exemptions: Option<&str>) -> Files {
    Files {
        dir: PathBuf::from("test"),
        settings: Some(settings.into()),
        registries: vec![("accounts.yaml".to_owned(), accounts.into())],
        rules: Some(rules.into()),
        exemptions: exemptions.map(Into::into),
    }
}

fn accounts() -> String {
    ACCOUNTS.replace(", freshness_not: x", "")
}

fn errors_of(files: &Files, env: &[(&str, &str)]) -> Vec<String> {
    let env: Vec<(String, String)> = env.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    check_sources(files, &env).map_or_else(|errors| errors.0.iter().map(ToString::to_string).collect(), |_| Vec::new())
}

/// One error is expected, which begins and ends with these words.
fn check_one(files: &Files, start: &str, words: &str) {
    let errors = errors_of(files, &[]);
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert!(errors[0].starts_with(start) && errors[0].contains(words), "{errors:#?}");
}

#[test]
fn a_whole_folder_is_read() {
    let exemptions = "exemptions: [{id: e1, account: jyj-wx, rules: [weekly], from: 2023-07-01, to: 2023-07-31, reason: 假期, reported_by: 州教育局}]";
    let settings = "crawl:\n  timeout: 5s\n  body_bytes_max: 1MiB\n  hosts: {\"127.0.0.1\": {per_second: 0, concurrent: 64}}\n  fill_text: never\nreport: {week_starts_on: monday}\n";
    let config = check_sources(&files(settings, &accounts(), RULES, Some(exemptions)), &[]).unwrap();
    assert_eq!(config.settings.crawl.timeout, Duration::from_secs(5));
    assert_eq!(config.settings.crawl.body_bytes_max, 1 << 20);
    assert_eq!(config.settings.crawl.hosts["127.0.0.1"].concurrent, 64);
    assert_eq!(config.settings.crawl.fill_text, FillText::Never);
    assert_eq!(config.settings.report.week_starts_on, chrono::Weekday::Mon);
    let account = &config.registry.accounts[0];
    assert_eq!(account.status, AccountStatus::Active);
    assert_eq!(account.sources[0].spec, SourceSpec::Feed { freshness: Freshness::Bridge, bridge: None });
    assert_eq!(account.sources[1].spec.kind(), "html_list");
    assert_eq!(config.rules[1].window, RuleWindow::RollingDays(14));
    assert_eq!(config.exemptions[0].rules[0].as_str(), "weekly");
}

#[test]
fn a_source_that_asks_an_interface_says_who_and_with_which_credential() {
    let with = |source: &str| accounts().replace("{kind: feed, url: \"http://127.0.0.1:8001/a.xml\"}", source);
    let config =
        check_sources(&files("", &with("{kind: weibo_ajax, uid: \"17\", credential: wb}"), RULES, None), &[]).unwrap();
    let source = &config.registry.accounts[0].sources[0];
    assert_eq!((source.url.as_str(), source.spec.credential()), ("https://weibo.com/", Some("wb")));
    assert_eq!(source.target(), "weibo_ajax https://weibo.com/ uid=17");
    let check = |source: &str, words: &str| {
        check_one(&files("", &with(source), RULES, None), "accounts.yaml:12: accounts[0].sources[0]", words);
    };
    check("{kind: weibo_ajax, uid: \"17\"}", "`credential` is missing");
    check("{kind: weibo_ajax, credential: wb}", "`uid` is missing");
    check("{kind: weibo_mobile, uid: \"a b\"}", "not an id of the platform");
    check("{kind: wechat_album, biz: MzA=, album: \"1\", credential: x}", "is not a known key");
    check("{kind: wechat_backend, credential: ../x}", "is not an id");
    check("{kind: app_page}", "`url` is missing");
    check("{kind: weibo, uid: \"1\"}", "write one of: feed, html_list, wechat_official");
    check("{kind: feed, url: \"http://a.example/\", bridge: rss}", "is not a known word");
}

#[test]
fn channels_and_routes_are_checked_with_their_place() {
    let notify = |lines: &str| format!("notify:\n{}", lines.replace("; ", "\n"));
    let wecom = "  channels:;   - {name: a, kind: wecom, credential: c}; ";
    let good = notify(&format!("{wecom}  routes:;   - {{what: [serious], to: [a], units: [jyj], regions: [云岭州]}}"));
    let config = check_sources(&files(&good, &accounts(), RULES, None), &[]).unwrap();
    assert_eq!(config.settings.notify.channel("a").unwrap().credential.as_deref(), Some("c"));
    assert!(!config.settings.notify.routes[0].is_unrestricted());
    let check = |lines: &str, start: &str, words: &str| {
        check_one(&files(&notify(lines), &accounts(), RULES, None), &format!("duwang.yaml:3: notify.{start}"), words);
    };
    let channel = |keys: &str| format!("  channels:;   - {{name: a, {keys}}}");
    check(&channel("kind: wecom"), "channels[0]", "`credential` is missing");
    check(
        &channel("kind: sms, credential: c"),
        "channels[0].kind",
        "write one of: wecom, dingtalk, feishu, mail, webhook",
    );
    check(&channel("kind: wecom, credential: ../c"), "channels[0].credential", "is not an id");
    check(&channel("kind: wecom, credential: c, host: x"), "channels[0].host", "is not a known key");
    check(&channel("kind: mail, host: m.example, from: a@b.example, to: []"), "channels[0].to", "names nobody");
    check(
        &channel("kind: mail, host: m.example, from: a, to: [a@b.example]"),
        "channels[0].from",
        "not a mail address",
    );
    check(
        &channel("kind: mail, host: m.example, from: a@b.example, to: [\"a@b.example,c@d.example\"]"),
        "channels[0].to[0]",
        "not a mail address",
    );
    check(
        &channel("kind: mail, host: m.example, tls: none, from: a@b.example, to: [a@b.example]"),
        "channels[0].tls",
        "in the clear",
    );
    check(
        &channel("kind: mail, host: \"m.example:25\", from: a@b.example, to: [a@b.example]"),
        "channels[0].host",
        "is not a host",
    );
    let route = |keys: &str| notify(&format!("{wecom}  routes:;   - {{{keys}}}"));
    let check = |keys: &str, start: &str, words: &str| {
        let start = format!("duwang.yaml:5: notify.routes[0]{start}");
        check_one(&files(&route(keys), &accounts(), RULES, None), &start, words);
    };
    check("what: [serious], to: [b]", ".to[0]: `b`", "is not a channel above");
    check("what: [gossip], to: [a]", ".what[0]", "write one of: warning, serious, report, alarm");
    check("what: [serious], to: []", ".to", "is an empty list");
    check("what: [serious], to: [a], units: [nobody]", ".units[0]", "is not a unit of the registry");
    check("what: [serious], to: [a], regions: [无]", ".regions[0]", "is not the region of any unit");
    check("what: [serious], to: [a], accounts: []", ".accounts", "is an empty list");
    let twice = notify(&format!("{wecom}  - {{name: a, kind: wecom, credential: d}}"));
    check_one(&files(&twice, &accounts(), RULES, None), "duwang.yaml:4: notify.channels[1].name", "a channel above");
}

#[test]
fn every_error_of_every_file_is_reported_at_once_with_its_line() {
    let bad = files(
        "crawl: {timeuot: 5s, concurrent: 0}\ntime_zone: Beijing\n",
        ACCOUNTS,
        &RULES.replace("units: [jyj]", "units: [nobody]"),
        Some("exemptions: [{id: e1, account: nobody, from: 2023-02-30, to: x, reason: a, reported_by: b}]"),
    );
    let errors = errors_of(&bad, &[]);
    let expected = [
        "duwang.yaml:1: crawl.concurrent: `0` ",
        "duwang.yaml:1: crawl.timeuot: is not a known key; did you mean `timeout`?",
        "duwang.yaml:2: time_zone: `Beijing` ",
        "accounts.yaml:13: accounts[0].sources[1].freshness_not: is not a known key",
        "rules.yaml:3: rules[0].applies_to.units[0]: `nobody` is not a unit of the registry",
        "exemptions.yaml:1: exemptions[0].account: `nobody` is not an account",
        "exemptions.yaml:1: exemptions[0].from: `2023-02-30` is not a day",
        "exemptions.yaml:1: exemptions[0].to: `x` is not a day",
    ];
    assert_eq!(errors.len(), expected.len(), "{errors:#?}");
    for start in expected {
        assert!(errors.iter().any(|error| error.starts_with(start)), "{start}\n{errors:#?}");
    }
}

#[test]
fn mistakes_of_the_registry_say_what_to_do() {
    let check = |from: &str, to: &str, start: &str, words: &str| {
        let text = accounts();
        assert!(text.contains(from), "{from}");
        check_one(&files("", &text.replace(from, to), "rules: []", None), start, words);
    };
    check("unit: jyj", "unit: jyy", "accounts.yaml:7: accounts[0].unit: `jyy`", "add it under `units`");
    check(
        "accounts:",
        "  - {id: zfb, name: 另一个, level: county, region: 青石县}
accounts:",
        "accounts.yaml:4: units[2].id: `zfb`",
        "own id",
    );
    check("supervisor: zfb", "supervisor: jyj", "accounts.yaml:3: units[1].supervisor", "back to itself");
    check("supervisor: zfb", "supervisor: xyz", "accounts.yaml:3: units[1].supervisor: `xyz`", "add it under `units`");
    check("http://127.0.0.1:8001/a.xml", "ftp://a.example/", "accounts.yaml:12:", "neither http nor https");
    check("2021-03-01", "2021-02-29", "accounts.yaml:10: accounts[0].filed_on: `2021-02-29`", "calendar");
    check("wechat_subscription", "wechat", "accounts.yaml:8: accounts[0].kind: `wechat`", "wechat_subscription");
    check("item: li, ", "", "accounts.yaml:13: accounts[0].sources[1]: `item` is missing", "add `item: …`");
    check("item: li", "item: \"li[\"", "accounts.yaml:13: accounts[0].sources[1].item", "CSS selector");
    for (format, words) in [("%Q", "not a date format"), ("%m-%d", "does not give a whole date")] {
        let item = format!("item: li, date_format: \"{format}\"");
        check("item: li", &item, "accounts.yaml:13: accounts[0].sources[1].date_format", words);
    }
    check("    name: 云岭教育\n", "", "accounts.yaml:5: accounts[0]: `name` is missing", "add");
    check("id: jyj-wx", "id: JYJ", "accounts.yaml:5: accounts[0].id: `JYJ` is not an id", "a-z");
}

#[test]
fn mistakes_of_the_rules_say_what_to_do() {
    let check = |from: &str, to: &str, start: &str, words: &str| {
        assert!(RULES.contains(from), "{from}");
        check_one(&files("", &accounts(), &RULES.replace(from, to), None), start, words);
    };
    check("min: 3", "min: 0", "rules.yaml:4: rules[0].require.min: `0`", "from 1");
    check("id: fortnight", "id: weekly", "rules.yaml:9: rules[1].id: `weekly`", "own id");
    check("rolling_days: 14", "rolling_days: 367", "rules.yaml:10:", "to 366");
    check("{rolling_days: 14}", "fortnight", "rules.yaml:10: rules[1].require.window: `fortnight`", "rolling_days");
    check("from: 2023-05-10", "from: 2023-05-10, to: 2023-05-09", "rules.yaml:6:", "earlier than `from`");
    check("basis: 指标", "basis: \"\"", "rules.yaml:12: rules[1].basis", "is empty");
    check("regions: [云岭州]", "regions: [他州]", "rules.yaml:3:", "region of any unit");
    check("units: [jyj]", "units: []", "rules.yaml:3: rules[0].applies_to.units", "empty list");
    check("warn_before: 1d", "warn_before: 1", "rules.yaml:7: rules[0].warn_before: `1`", "not a duration");
}

#[test]
fn mistakes_of_the_settings_say_what_to_do() {
    let check = |settings: &str, start: &str, words: &str| {
        check_one(&files(settings, &accounts(), RULES, None), start, words);
    };
    check("report: {weekly_due: noon}", "duwang.yaml:1: report.weekly_due: `noon`", "cron");
    check("report:\n  week_starts_on: fri", "duwang.yaml:2: report.week_starts_on: `fri`", "friday");
    check("crawl: {default_host: {per_second: -1}}", "duwang.yaml:1: crawl.default_host.per_second: `-1`", "rate");
    check("crawl: {hosts: {\"a b\": {}}}", "duwang.yaml:1: crawl.hosts.a b", "host");
    check("crawl: 5", "duwang.yaml:1: crawl: `5` a section", "key: value");
    check("crawl: [", "duwang.yaml:1: column", "not YAML");
    check("crawl: {timeout: 0s}", "duwang.yaml:1:", "zero");
    check("time_zone: UTC\ntime_zone: UTC", "duwang.yaml:2: time_zone: is given twice", "keep one");
    check("wording: {lists_dir: [a]}", "duwang.yaml:1: wording.lists_dir", "single value");
    check("wording: {demote_below: 70}", "duwang.yaml:1: wording.demote_below: `70`", "0.7");
    check("wording: {demote_after: 0}", "duwang.yaml:1: wording.demote_after: `0`", "from 1");
}

#[test]
fn no_secret_is_shown() {
    let settings = "storage: {url: \"mysql://u:hunter2@h/d\"}";
    let accounts = accounts().replace("http://127.0.0.1:8001", "http://u:hunter2@127.0.0.1");
    let errors = errors_of(&files(settings, &accounts, RULES, None), &[("DUWANG__STORAGE__URL", "x:hunter2")]);
    assert_eq!(errors.len(), 2, "{errors:#?}");
    assert!(!errors.concat().contains("hunter2"), "{errors:#?}");
    let settings = "storage: {url: \"postgres://u:hunter2@h/d\"}";
    let config = check_sources(&files(settings, &self::accounts(), RULES, None), &[]).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn the_environment_overrides_scalars_and_is_checked_like_the_file() {
    let fine = files("crawl: {timeout: 5s}", &accounts(), RULES, None);
    let env = [("DUWANG__CRAWL__TIMEOUT", "7s"), ("DUWANG__TIME_ZONE", "UTC"), ("OTHER", "x")];
    let env: Vec<(String, String)> = env.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let config = check_sources(&fine, &env).unwrap();
    assert_eq!(config.settings.crawl.timeout, Duration::from_secs(7));
    assert_eq!(config.settings.time_zone, chrono_tz::UTC);
    let errors = errors_of(&fine, &[("DUWANG__CRAWL__TIMEUOT", "7s"), ("DUWANG__CRAWL__RETRIES_MAX", "many")]);
    assert_eq!(errors.len(), 2, "{errors:#?}");
    assert!(errors.iter().any(|e| e.starts_with("environment: DUWANG__CRAWL__TIMEUOT: is not a known key; did you")));
    assert!(errors.iter().any(|e| e.starts_with("environment: DUWANG__CRAWL__RETRIES_MAX: `many`")));
}

#[test]
fn missing_and_double_files_are_named() {
    let errors = errors_of(&Files::default(), &[]);
    for name in ["duwang.yaml: is missing", "accounts.yaml: is missing", "rules.yaml: is missing"] {
        assert!(errors.iter().any(|error| error.starts_with(name)), "{errors:#?}");
    }
    let mut double = files("", &accounts(), RULES, None);
    double.registries.push(("accounts.csv".to_owned(), Vec::new()));
    assert!(errors_of(&double, &[])[0].contains("keep one registry file"));
    let nowhere = load(Path::new("/nonexistent/duwang")).unwrap_err();
    assert!(nowhere.to_string().contains("--config DIR"));
}

#[test]
fn a_written_registry_is_loaded_as_the_equal_registry() {
    let dir = tempfile::tempdir().unwrap();
    let mut registry = check_sources(&files("", &accounts(), RULES, None), &[]).unwrap().registry;
    write_accounts_yaml(dir.path(), &registry).unwrap();
    assert_eq!(load_registry(dir.path()).unwrap().as_ref(), Some(&registry));
    registry.accounts[0].name = "null".to_owned();
    registry.units[0].name = "a: \"b\" #c\\".to_owned();
    write_accounts_yaml(dir.path(), &registry).unwrap();
    assert_eq!(load_registry(dir.path()).unwrap().as_ref(), Some(&registry));
    let mut names: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["accounts.yaml", "accounts.yaml.bak"]);
    std::fs::write(dir.path().join("accounts.csv"), "").unwrap();
    assert!(matches!(write_accounts_yaml(dir.path(), &registry), Err(WriteError::KeptElsewhere(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_the_check_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let fine = || files("", &accounts(), RULES, None);
        let _ = check_sources(&Files { settings: Some(bytes.clone()), ..fine() }, &[]);
        let _ = check_sources(&Files { rules: Some(bytes.clone()), ..fine() }, &[]);
        let _ = check_sources(&Files { exemptions: Some(bytes.clone()), ..fine() }, &[]);
        for name in REGISTRY_FILES {
            let _ = check_sources(&Files { registries: vec![(name.to_owned(), bytes.clone())], ..fine() }, &[]);
        }
        let _ = check_sources(&fine(), &[(format!("DUWANG__{text}"), text)]);
    }

    #[test]
    fn no_damage_to_a_good_file_makes_the_check_panic(at in 0..700_usize, to in any::<char>(), cut in 0..3_usize) {
        let damaged = |text: &str| -> String {
            text.chars().enumerate().filter(|(i, _)| cut == 0 || *i != at + cut).map(|(i, c)| if i == at { to } else { c }).collect()
        };
        let _ = check_sources(&files("", &damaged(ACCOUNTS), &damaged(RULES), None), &[]);
    }

    #[test]
    fn any_name_survives_writing_and_reading(name in "\\PC{1,40}", platform_id in "[0-9a-zA-Z:#'\"\\\\, \\[{-]{1,20}") {
        prop_assume!(values::line(&name).is_ok_and(|line| line == name));
        prop_assume!(values::line(&platform_id).is_ok_and(|line| line == platform_id));
        let mut registry = check_sources(&files("", &accounts(), RULES, None), &[]).unwrap().registry;
        registry.accounts[0].name = name;
        registry.accounts[0].platform_id = Some(platform_id);
        let text = accounts_yaml(&registry);
        prop_assert_eq!(check::check_registry_yaml("accounts.yaml", text.as_bytes()).unwrap(), registry);
    }
}
