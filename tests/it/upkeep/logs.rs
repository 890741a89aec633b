//! Log lines: their forms, and that no secret is in them.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::simulated::{Prefecture, friday, stderr};

fn program(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_duwang"));
    command.arg("--config").arg(dir).args(["--now", &friday().to_rfc3339()]).args(args);
    command.env_remove("JOURNAL_STREAM").env_remove("DUWANG_LOG");
    command
}

/// Every value of every credential of the folder.
fn secrets(dir: &Path) -> Vec<String> {
    let mut secrets = Vec::new();
    for entry in std::fs::read_dir(dir.join("credentials")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for value in text.lines().filter_map(|line| line.split_once(": ")).map(|(_, value)| value.trim_matches('"')) {
            secrets.push(value.rsplit('=').next().unwrap().to_owned());
        }
    }
    secrets.retain(|secret| secret.len() >= 16 && !secret.starts_with("wx"));
    assert!(secrets.len() > 3, "{secrets:?}");
    secrets
}

fn assert_no_secret(output: &Output, secrets: &[String]) {
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), stderr(output));
    for secret in secrets {
        assert!(!stdout.contains(secret) && !stderr.contains(secret), "{secret} is in the output");
    }
}

#[test]
fn no_secret_is_in_any_output_at_any_level() {
    let prefecture = Prefecture::start();
    let secrets = secrets(prefecture.dir.path());
    for format in ["text", "json", "journald"] {
        let folder = prefecture.another_folder();
        let crawled = program(folder.path(), &["crawl", "--all", "--log-format", format])
            .env("DUWANG_LOG", "trace")
            .output()
            .unwrap();
        assert!(!crawled.stderr.is_empty());
        assert!(String::from_utf8_lossy(&crawled.stdout).contains("crawl: "), "{}", stderr(&crawled));
        assert_no_secret(&crawled, &secrets);
        for command in [&["doctor"][..], &["sources", "list"], &["credentials", "list"]] {
            assert_no_secret(&program(folder.path(), command).env("DUWANG_LOG", "trace").output().unwrap(), &secrets);
        }
    }
}

#[test]
fn lines_have_the_form_that_was_asked_for() {
    let prefecture = Prefecture::start();
    let crawl = |format: &str| {
        let folder = prefecture.another_folder();
        stderr(&program(folder.path(), &["crawl", "--all", "--log-format", format]).output().unwrap())
    };
    let journal = crawl("journald");
    assert!(journal.contains("<4>source failed "), "{journal}");
    assert!(journal.lines().all(|line| line.starts_with('<') && line[2..].starts_with('>')), "{journal}");
    assert!(!journal.contains("WARN") && !journal.contains("<4>20"), "no level and no time: {journal}");
    for line in crawl("json").lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(event["level"].is_string() && event["timestamp"].is_string() && event["message"].is_string(), "{line}");
    }
    assert!(crawl("text").contains(" WARN source failed "));
}

#[test]
fn the_journal_is_recognised_and_levels_are_obeyed() {
    let prefecture = Prefecture::start();
    let dir = prefecture.dir.path();
    // A file stands for the journal's socket.
    let path = dir.join("journal");
    let file = File::create(&path).unwrap();
    let stat = file.metadata().unwrap();
    let stream = format!("{}:{}", stat.dev(), stat.ino());
    program(dir, &["crawl", "--all"])
        .env("JOURNAL_STREAM", stream)
        .stdout(Stdio::null())
        .stderr(file)
        .status()
        .unwrap();
    let journal = std::fs::read_to_string(&path).unwrap();
    assert!(journal.lines().count() > 0 && journal.lines().all(|line| line.starts_with("<4>")), "{journal}");

    let quiet = program(dir, &["crawl", "--all"]).env("DUWANG_LOG", "error").output().unwrap();
    assert!(!stderr(&quiet).contains("source failed"), "{}", stderr(&quiet));
    let wrong = program(dir, &["crawl", "--all"]).env("DUWANG_LOG", "duwang=loud").output().unwrap();
    assert_eq!(wrong.status.code(), Some(78));
    assert!(stderr(&wrong).contains("`DUWANG_LOG` holds `duwang=loud`"), "{}", stderr(&wrong));
}
