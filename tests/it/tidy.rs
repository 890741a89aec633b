//! House rules that are no lints: layers, banned words in pure modules, file length, data files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use duwang::model::interface::Interface;

/// Longest source file, in lines.
const FILE_LINES_MAX: usize = 500;

/// The layers from the left, which may use those to the right (design.md §6), and themselves.
const MAY_USE: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("clock", &[]),
    ("lifecycle", &[]),
    ("rules", &["model", "config"]),
    ("config", &["model", "rules"]),
    ("report", &["model", "rules", "config"]),
    ("source", &["model", "rules", "config"]),
    ("store", &["model", "rules", "config"]),
    ("notify", &["model", "rules", "config"]),
    ("simulator", &["model"]),
    ("engine", &["model", "rules", "config", "source", "store", "report", "notify", "clock", "lifecycle"]),
    ("web", &["model", "rules", "config", "source", "store", "report", "notify", "clock", "engine"]),
    (
        "cli",
        &[
            "model",
            "rules",
            "config",
            "source",
            "store",
            "report",
            "notify",
            "clock",
            "engine",
            "web",
            "simulator",
            "lifecycle",
        ],
    ),
];

/// What pure modules must not name: IO, async, database, network, environment, clock.
const IMPURE: &[&str] = &[
    "async ",
    ".await",
    "tokio",
    "sqlx",
    "reqwest",
    "hyper",
    "std::fs",
    "std::env",
    "std::net",
    "std::io::std",
    "crate::clock",
    "Utc::now",
    "Local::now",
    "SystemTime",
    "Instant::now",
];

/// Modules that must be pure, with the files in them that are not.
const PURE: &[(&str, &[&str])] = &[
    ("src/model", &[]),
    ("src/rules", &[]),
    ("src/report", &[]),
    ("src/source", &["src/source/mod.rs", "src/source/converse.rs", "src/source/http"]),
    ("src/notify", &["src/notify/mod.rs", "src/notify/files.rs", "src/notify/http.rs", "src/notify/mail.rs"]),
    (
        "src/simulator",
        &[
            "src/simulator/mod.rs",
            "src/simulator/server",
            "src/simulator/interfaces/server.rs",
            "src/simulator/config_folder.rs",
        ],
    ),
];

/// Words that only some places may name.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("sqlx::", &["src/store"]),
    ("reqwest::", &["src/source/http", "src/notify/http.rs"]),
    ("lettre::", &["src/notify/mail.rs"]),
    ("axum::", &["src/web"]),
    ("std::env::", &["src/config"]),
    ("Utc::now", &["src/clock.rs"]),
    ("AssertSqlSafe", &[]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file under a folder of the project with this ending, with its path from the root.
fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
                found.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// The lines of product code: without comments, and without the unit tests at the end of the file.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let end = text.find("#[cfg(test)]\nmod tests").unwrap_or(text.len());
    text[..end]
        .lines()
        .enumerate()
        .map(|(n, line)| (n + 1, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn is_test_file(name: &str) -> bool {
    name.ends_with("/tests.rs") || name.contains("/tests/") || name.ends_with("_tests.rs")
}

fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn layers_only_use_what_lies_below_them() {
    let may_use: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let mut problems = Vec::new();
    for (name, text) in files("src", ".rs") {
        let layer = name.trim_start_matches("src/").split('/').next().unwrap_or_default().trim_end_matches(".rs");
        let Some(allowed) = may_use.get(layer) else {
            if !matches!(layer, "lib" | "main" | "build") {
                problems.push(format!("{name}: layer `{layer}` is not in the list of layers"));
            }
            continue;
        };
        for (n, line) in code_lines(&text) {
            for used in line.split("crate::").skip(1) {
                let used: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if used != layer && may_use.contains_key(used.as_str()) && !allowed.contains(&used.as_str()) {
                    problems.push(format!("{name}:{n}: `{layer}` must not use `{used}`"));
                }
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn pure_modules_name_no_io_no_async_and_no_clock() {
    let mut problems = Vec::new();
    for (folder, except) in PURE {
        for (name, text) in files(folder, ".rs") {
            if is_test_file(&name) || except.iter().any(|except| name.starts_with(except)) {
                continue;
            }
            for (n, line) in code_lines(&text) {
                for word in IMPURE.iter().filter(|word| line.contains(**word)) {
                    problems.push(format!("{name}:{n}: a pure module must not name `{word}`"));
                }
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn each_foreign_world_has_one_door() {
    let mut problems = Vec::new();
    for (name, text) in files("src", ".rs") {
        for (n, line) in code_lines(&text) {
            for (word, places) in ONLY_IN {
                if line.contains(word) && !is_test_file(&name) && !places.iter().any(|place| name.starts_with(place)) {
                    problems.push(format!("{name}:{n}: only {places:?} may name `{word}`"));
                }
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn no_file_grows_past_its_subject() {
    let sources = ["src", "tests", "benches"].into_iter().flat_map(|folder| files(folder, ".rs"));
    let problems: Vec<String> = sources
        .map(|(name, text)| (name, text.lines().count()))
        .filter(|(_, n_lines)| *n_lines > FILE_LINES_MAX)
        .map(|(name, n_lines)| format!("{name} has {n_lines} lines, more than {FILE_LINES_MAX}: split it by noun"))
        .collect();
    assert_none(&problems);
}

#[test]
fn every_module_begins_with_what_it_is() {
    let problems: Vec<String> = files("src", ".rs")
        .into_iter()
        .filter(|(name, text)| !is_test_file(name) && !text.starts_with("//!"))
        .map(|(name, _)| format!("{name} has no module header"))
        .collect();
    assert_none(&problems);
}

#[test]
fn migrations_have_the_same_numbers_for_both_databases() {
    let names = |folder: &str| -> Vec<String> {
        files(folder, ".sql").into_iter().map(|(name, _)| name.rsplit('/').next().unwrap().to_owned()).collect()
    };
    assert_eq!(names("migrations/sqlite"), names("migrations/postgres"));
}

#[test]
fn the_readme_names_every_interface_with_its_grade() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let guide = std::fs::read_to_string(root().join("README.zh-CN.md")).unwrap();
    let mut problems = Vec::new();
    for interface in Interface::ALL {
        let word = format!("`{interface}`");
        let row = readme.lines().find(|line| line.starts_with('|') && line.contains(&word));
        match row {
            Some(row) if row.contains(&format!("| {} |", interface.grade())) => {}
            _ => problems.push(format!("README.md has no row for {word} with grade {}", interface.grade())),
        }
        let row = guide.lines().find(|line| line.starts_with('|') && line.contains(&word)).unwrap_or_default();
        let required =
            interface.parameters().iter().filter(|parameter| parameter.required).map(|parameter| parameter.name);
        for key in required.chain(interface.secrets().iter().copied()) {
            if !row.contains(&format!("`{key}`")) {
                problems.push(format!("README.zh-CN.md does not say that {word} needs `{key}`"));
            }
        }
    }
    assert_none(&problems);
}
