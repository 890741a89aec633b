//! The example folder `config/` is code: it must load, and what its comments say must be true.

use std::collections::BTreeMap;

use super::notify::{ChannelKind, Route};
use super::settings::{
    BACKUP_DUE_DEFAULT, RETENTION_DUE_DEFAULT, TaskSettings, WARNINGS_DUE_DEFAULT, WEEKLY_DUE_DEFAULT,
};
use super::*;
use crate::model::account::AccountKind;

fn example_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config")
}

fn with_settings(settings: String) -> Result<Config, ConfigErrors> {
    let files = Files { settings: Some(settings.into_bytes()), ..read_files(&example_dir()).unwrap() };
    check_sources(&files, &[])
}

/// The example with every documented default as a value, and without the values that are set.
fn documented_defaults() -> String {
    let text = std::fs::read_to_string(example_dir().join("duwang.yaml")).unwrap();
    let mut defaults = String::new();
    for line in text.lines() {
        let content = line.trim_start();
        let indent = &line[..line.len() - content.len()];
        match content.strip_prefix('#') {
            Some(key) if key.starts_with(|c: char| c.is_ascii_lowercase()) => {
                defaults.push_str(&[indent, key, "\n"].concat());
            }
            None if indent.is_empty() => defaults.push_str(&[content, "\n"].concat()),
            _ => {}
        }
    }
    defaults.replace("duwang/VERSION", concat!("duwang/", env!("CARGO_PKG_VERSION")))
}

#[test]
fn the_example_loads_and_has_the_accounts_of_the_bulletin() {
    let config = check_sources(&read_files(&example_dir()).unwrap(), &[]).unwrap_or_else(|errors| panic!("{errors}"));
    let mut counts: BTreeMap<AccountKind, usize> = BTreeMap::new();
    for account in &config.registry.accounts {
        *counts.entry(account.kind).or_default() += 1;
    }
    let expected = BTreeMap::from([
        (AccountKind::WechatSubscription, 52),
        (AccountKind::Toutiao, 12),
        (AccountKind::Douyin, 15),
        (AccountKind::Weibo, 16),
        (AccountKind::Kuaishou, 3),
        (AccountKind::Baijiahao, 1),
        (AccountKind::People, 2),
        (AccountKind::App, 5),
        (AccountKind::Other, 2),
    ]);
    assert_eq!(counts, expected);
    assert_eq!(config.registry.accounts.len(), 108);
    let levels: Vec<&str> = config.rules.iter().map(|rule| rule.level.as_str()).collect();
    assert!(["veto", "provincial", "local"].iter().all(|level| levels.contains(level)));
}

#[test]
fn every_documented_default_is_the_real_one() {
    let documented = with_settings(documented_defaults()).unwrap_or_else(|errors| panic!("{errors}")).settings;
    let real = Settings::default();
    assert_eq!(format!("{documented:?}"), format!("{real:?}"));
    assert_eq!(documented.storage.url, real.storage.url);
    assert_eq!(documented.report.weekly_due.source(), WEEKLY_DUE_DEFAULT);
    assert_eq!(documented.report.warnings_due.source(), WARNINGS_DUE_DEFAULT);
    assert_eq!(documented.backup.due.source(), BACKUP_DUE_DEFAULT);
    assert_eq!(documented.retention.due.source(), RETENTION_DUE_DEFAULT);
    let due = |tasks: &TaskSettings| {
        let due = [&tasks.fill, &tasks.registry, &tasks.recheck, &tasks.links, &tasks.serious, &tasks.deliver];
        due.map(|due| due.source().to_owned())
    };
    assert_eq!(due(&documented.tasks), due(&TaskSettings::default()));
}

#[test]
fn every_key_is_documented() {
    let defaults = documented_defaults();
    let sections = [
        "storage:",
        "crawl:",
        "wording:",
        "report:",
        "web:",
        "service:",
        "links:",
        "recheck:",
        "notify:",
        "backup:",
        "retention:",
        "watch:",
    ];
    let mut probe = defaults.clone();
    for section in sections {
        assert!(defaults.contains(section), "{section}");
        // A key like no other makes the error list those that are known.
        probe = probe.replace(&format!("\n{section}"), &format!("\n{section}\n  zzzzzzzzzzzz: 1"));
    }
    probe.push_str("zzzzzzzzzzzz: 1\n");
    let errors = with_settings(probe).unwrap_err();
    assert_eq!(errors.0.len(), sections.len() + 1, "{errors}");
    for error in errors.0 {
        let known = error.remedy.strip_prefix("known keys here: ").unwrap();
        for key in known.split(", ") {
            assert!(defaults.lines().any(|line| line.trim_start().starts_with(&format!("{key}:"))), "{key}");
        }
    }
}

#[test]
fn the_commented_channels_and_routes_are_valid() {
    let text = std::fs::read_to_string(example_dir().join("duwang.yaml")).unwrap();
    let (settings, notify) = text.split_once("\nnotify:\n").unwrap();
    let mut example = [settings, "\nnotify:\n"].concat();
    for line in notify.lines().filter_map(|line| line.strip_prefix("  #")) {
        match line.strip_suffix(" []") {
            Some(key) => example.push_str(&["  ", key, "\n"].concat()),
            None if line.starts_with("  - ") => example.push_str(&["  ", line, "\n"].concat()),
            None => {}
        }
    }
    let settings = with_settings(example).unwrap_or_else(|errors| panic!("{errors}")).settings.notify;
    let kinds: Vec<ChannelKind> = settings.channels.iter().map(|channel| channel.spec.kind()).collect();
    assert_eq!(kinds, ChannelKind::ALL);
    assert!(settings.routes.iter().any(Route::is_unrestricted));
    assert!(settings.routes.iter().any(|route| !route.units.is_empty() && !route.regions.is_empty()));
}

#[test]
fn the_commented_exemption_is_valid() {
    let text = std::fs::read_to_string(example_dir().join("exemptions.yaml")).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("#  "));
    let text: String = std::iter::once("exemptions:").chain(lines).flat_map(|line| [line, "\n"]).collect();
    let files = Files { exemptions: Some(text.into_bytes()), ..read_files(&example_dir()).unwrap() };
    assert_eq!(check_sources(&files, &[]).unwrap_or_else(|errors| panic!("{errors}")).exemptions.len(), 1);
}
