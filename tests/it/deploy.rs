//! What is installed beside the program: the unit, completions and man pages, alert rules, the dashboard.
//!
//! Tools that are not installed are named and left out; `DUWANG_TEST_SYSTEMD=required` makes a missing systemd a failure.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use clap::CommandFactory as _;
use duwang::cli::Cli;
use serde_json::Value;

/// Every figure that the service exports; rules and dashboard may name no other.
const METRICS: &[&str] = &[
    "duwang_coverage_ratio",
    "duwang_crawls_total",
    "duwang_db_pool_connections",
    "duwang_notify_undelivered",
    "duwang_queue_depth",
    "duwang_report_last_success_timestamp_seconds",
    "duwang_source_last_success_age_seconds_max",
    "duwang_sources",
    "duwang_task_last_success_timestamp_seconds",
    "duwang_task_runs_total",
    "duwang_violations",
];

/// What the unit must say, whatever else it says.
const UNIT: &[(&str, &str)] = &[
    ("Type", "notify"),
    ("ExecStart", "/usr/bin/duwang --config /etc/duwang serve"),
    ("ExecReload", "/bin/kill -HUP $MAINPID"),
    ("WatchdogSec", "2min"),
    ("Restart", "always"),
    ("RestartPreventExitStatus", "78"),
    ("User", "duwang"),
    ("UMask", "0077"),
    ("StateDirectory", "duwang"),
    ("ConfigurationDirectory", "duwang"),
    ("NoNewPrivileges", "true"),
    ("CapabilityBoundingSet", ""),
    ("ProtectSystem", "strict"),
    ("ProtectHome", "true"),
    ("PrivateTmp", "true"),
    ("PrivateDevices", "true"),
    ("PrivateUsers", "true"),
    ("ProtectProc", "invisible"),
    ("ProcSubset", "pid"),
    ("ProtectClock", "true"),
    ("ProtectHostname", "true"),
    ("ProtectKernelTunables", "true"),
    ("ProtectKernelModules", "true"),
    ("ProtectKernelLogs", "true"),
    ("ProtectControlGroups", "true"),
    ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"),
    ("RestrictNamespaces", "true"),
    ("RestrictRealtime", "true"),
    ("RestrictSUIDSGID", "true"),
    ("LockPersonality", "true"),
    ("MemoryDenyWriteExecute", "true"),
    ("RemoveIPC", "true"),
    ("SystemCallArchitectures", "native"),
    ("SystemCallFilter", "@system-service"),
    ("SystemCallFilter", "~@privileged @resources"),
    ("MemoryMax", "1G"),
    ("TasksMax", "1024"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

fn duwang(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_duwang")).args(args).output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs a tool that may not be installed; `None`, and a line on stderr, where it is not.
fn tool(name: &str, args: &[&str]) -> Option<Output> {
    match Command::new(name).args(args).output() {
        Ok(output) => Some(output),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            // The test harness swallows what `eprintln!` says in a passing test; a left-out check must be seen.
            let _ = writeln!(std::io::stderr(), "left out: a check by {name} (it is not installed)");
            None
        }
        Err(error) => panic!("{name}: {error}"),
    }
}

/// As [`tool`], for the tools of systemd, which the whole check of a checkout requires.
fn systemd_analyze(args: &[&str]) -> Option<Output> {
    #[expect(clippy::disallowed_methods, reason = "the switch of the test run")]
    let is_required = std::env::var("DUWANG_TEST_SYSTEMD").is_ok_and(|value| value == "required");
    let output = tool("systemd-analyze", args);
    assert!(output.is_some() || !is_required, "systemd-analyze is required and not installed");
    output
}

/// The paths of all commands that help shows, such as `accounts import`; the program itself is the empty path.
fn commands() -> Vec<String> {
    fn walk(command: &clap::Command, path: &str, found: &mut Vec<String>) {
        for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
            let path = format!("{path} {}", command.get_name()).trim().to_owned();
            walk(command, &path, found);
            found.push(path);
        }
    }
    let mut found = vec![String::new()];
    walk(&Cli::command(), "", &mut found);
    found
}

/// Every file below a folder of the project.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Every string under a key of this name, at any depth.
fn strings_of(value: &Value, key: &str, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| strings_of(item, key, found)),
        Value::Object(entries) => {
            for (name, value) in entries {
                match value {
                    Value::String(text) if name == key => found.push(text.clone()),
                    _ => strings_of(value, key, found),
                }
            }
        }
        _ => {}
    }
}

/// The metrics that these expressions name.
fn metrics_in(expressions: &[String]) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = expressions.iter().flat_map(|expression| expression.split(move |c: char| !is_part(c)));
    words.filter(|word| word.starts_with("duwang_")).map(str::to_owned).collect()
}

fn rules() -> Value {
    serde_yaml::from_str(&read("deploy/prometheus/duwang.rules.yml")).unwrap()
}

fn dashboard() -> Value {
    serde_json::from_str(&read("deploy/grafana/duwang.json")).unwrap()
}

#[test]
fn the_unit_says_what_it_must_and_there_is_no_timer() {
    let unit = read("deploy/duwang.service");
    let lines: BTreeSet<(&str, &str)> =
        unit.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('=')).collect();
    let missing: Vec<_> = UNIT.iter().filter(|line| !lines.contains(*line)).collect();
    assert!(missing.is_empty(), "the unit does not say {missing:?}");
    assert!(unit.contains("#LoadCredential="), "the unit shows how a credential is loaded");
    let timers =
        files(&root().join("deploy")).into_iter().filter(|path| path.extension().is_some_and(|e| e == "timer"));
    assert_eq!(timers.count(), 0, "the service keeps its own schedule");
}

#[test]
fn systemd_finds_no_fault_in_the_unit_and_little_exposure() {
    let dir = tempfile::tempdir().unwrap();
    let unit = dir.path().join("duwang.service");
    // The program is not installed here: the unit is checked with the one that was built.
    std::fs::write(&unit, read("deploy/duwang.service").replace("/usr/bin/duwang", env!("CARGO_BIN_EXE_duwang")))
        .unwrap();
    let unit = unit.to_str().unwrap();
    if let Some(output) = systemd_analyze(&["verify", "--man=no", unit]) {
        assert!(output.status.success() && text(&output).is_empty(), "{}", text(&output));
    }
    // Tenths: an exposure of at most 1.5.
    if let Some(output) = systemd_analyze(&["security", "--offline=true", "--no-pager", "--threshold=15", unit]) {
        assert!(output.status.success(), "{}", text(&output));
    }
}

#[test]
fn the_user_and_the_folders_of_the_unit_are_made() {
    let sysusers = read("deploy/sysusers.d/duwang.conf");
    assert!(sysusers.lines().any(|line| line.starts_with("u duwang ")), "{sysusers}");
    let tmpfiles = read("deploy/tmpfiles.d/duwang.conf");
    for line in ["d /var/lib/duwang 0750 duwang duwang -", "d /etc/duwang/credentials 0750 root duwang -"] {
        assert!(tmpfiles.lines().any(|found| found == line), "tmpfiles.d does not say `{line}`");
    }
}

#[test]
fn the_package_moves_every_path_that_the_service_writes_to() {
    // `package.sh` moves `#url:` and `#dir:`; these are only read.
    let read_only = ["lists_dir", "leaders", "language_model", "credentials_dir"];
    let settings = read("config/duwang.yaml");
    let lines: Vec<&str> = settings.lines().map(str::trim).collect();
    for pair in lines.windows(2).filter(|pair| pair[0].contains("相对本目录")) {
        let key = pair[1].trim_start_matches('#').split(':').next().unwrap_or_default();
        let is_moved = pair[1].starts_with("#url: \"sqlite:") || pair[1].starts_with("#dir: ");
        assert!(is_moved || read_only.contains(&key), "deploy/package.sh does not know where `{}` goes", pair[1]);
    }
    assert!(read("deploy/package.sh").contains("/相对本目录/{n;"));
}

#[test]
fn every_command_has_a_man_page() {
    let dir = tempfile::tempdir().unwrap();
    let pages = dir.path().join("made/here");
    let output = duwang(&["man", pages.to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output));
    let expected: BTreeSet<String> =
        commands().iter().map(|path| format!("duwang {path}").trim().replace(' ', "-") + ".1").collect();
    let made: BTreeSet<String> = files(&pages)
        .iter()
        .map(|path| {
            assert!(std::fs::read_to_string(path).unwrap().contains(".SH SYNOPSIS"), "{}", path.display());
            path.file_name().unwrap().to_string_lossy().into_owned()
        })
        .collect();
    assert_eq!(made, expected);
}

#[test]
fn man_pages_that_cannot_be_written_are_an_error() {
    let output = duwang(&["man", "/proc/nowhere"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("cannot write man pages to /proc/nowhere"), "{}", text(&output));
}

#[test]
fn every_shell_completes_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = duwang(&["completions", shell]);
        assert!(output.status.success(), "{}", text(&output));
        let script = text(&output);
        for word in commands().iter().flat_map(|path| path.split(' ')) {
            assert!(script.contains(word), "the completions of {shell} do not know `{word}`");
        }
    }
    let output = duwang(&["completions", "tcsh"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn the_readme_names_every_command() {
    let readme = read("README.md");
    let missing: Vec<String> = commands()
        .into_iter()
        .filter(|path| !path.is_empty())
        .filter(|path| {
            let (first, rest) = path.split_once(' ').unwrap_or((path, ""));
            let mut rows = readme.lines().filter(|line| line.starts_with(&format!("| `duwang {first}")));
            !rows.any(|row| rest.split(' ').all(|word| row.contains(word)))
        })
        .collect();
    assert!(missing.is_empty(), "README.md has no row for {missing:?}");
}

#[test]
fn rules_and_dashboard_name_only_figures_that_there_are() {
    let mut expressions = Vec::new();
    strings_of(&rules(), "expr", &mut expressions);
    strings_of(&dashboard(), "expr", &mut expressions);
    assert!(expressions.len() > 20, "{expressions:?}");
    let known: BTreeSet<String> = METRICS.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(metrics_in(&expressions), known, "each figure is shown, and no other is named");
}

#[test]
fn every_alert_says_what_to_do_and_every_panel_has_its_own_number() {
    let rules = rules();
    let alerts: Vec<&Value> =
        rules["groups"].as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap()).collect();
    for alert in &alerts {
        let is_text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
        let texts =
            [&alert["alert"], &alert["expr"], &alert["annotations"]["summary"], &alert["annotations"]["description"]];
        assert!(texts.into_iter().all(is_text), "{alert}");
        assert!(["info", "warning", "critical"].contains(&alert["labels"]["severity"].as_str().unwrap()), "{alert}");
    }
    let dashboard = dashboard();
    let panels = dashboard["panels"].as_array().unwrap();
    let numbers: BTreeSet<i64> = panels.iter().map(|panel| panel["id"].as_i64().unwrap()).collect();
    assert_eq!(numbers.len(), panels.len());
}

#[test]
fn prometheus_accepts_the_rules_and_they_fire_when_they_should() {
    for args in [["check", "rules", "duwang.rules.yml"], ["test", "rules", "duwang.test.yml"]] {
        let folder = root().join("deploy/prometheus");
        let path = folder.join(args[2]);
        if let Some(output) = tool("promtool", &[args[0], args[1], path.to_str().unwrap()]) {
            assert!(output.status.success(), "{}", text(&output));
        }
    }
}
