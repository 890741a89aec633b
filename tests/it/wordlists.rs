//! `duwang wordlist` and the texts that `duwang check` must survive.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::support::simulated::{stderr, stdout};

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn write(dir: &TempDir, name: &str, content: impl AsRef<[u8]>) {
    let path = dir.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

fn duwang(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_duwang")).args(args).current_dir(dir).output().unwrap()
}

/// Runs `duwang wordlist` in a folder: its code, output and errors.
fn wordlist(dir: &TempDir, args: &[&str]) -> (Option<i32>, String, String) {
    let output = duwang(dir.path(), &[&["wordlist"], args].concat());
    (output.status.code(), stdout(&output), stderr(&output))
}

const HEADER: &str = "id\tword\tright\tclass\tseverity\ttier\tallow\tneeds\tnot\tfrom\tto\tsource\n";

/// A configuration of which only the wording counts.
fn configure(dir: &TempDir, wording: &str) {
    write(dir, "config/duwang.yaml", format!("storage: {{url: \"sqlite:duwang.db\"}}\nwording: {{{wording}}}\n"));
    write(dir, "config/rules.yaml", "rules: []\n");
    let accounts = "units:\n  - {id: u, name: 州教育局, level: prefecture, region: 云岭州}\naccounts:\n  \
                    - {id: wx, name: 云岭教育, unit: u, kind: other, filed_on: 2020-01-01}\n";
    write(dir, "config/accounts.yaml", accounts);
}

#[test]
fn the_word_lists_are_measured_on_sentences_of_ones_own() {
    let dir = folder();
    write(&dir, "pairs.tsv", "wrong\tright\n会议布署工作。\t会议部署工作。\n好象下雪了。\t好像下雪了。\n");
    write(&dir, "clean.txt", "会议部署工作。\n会议布署工作。\n");
    write(&dir, "broken.tsv", "甲\t乙\n丙\n");
    let (code, text, _) = wordlist(&dir, &["check"]);
    assert!(code == Some(0) && text.contains("leaders are free of faults"), "{text}");
    let (code, text, _) = wordlist(&dir, &["evaluate", "--pairs", "pairs.tsv", "--clean", "clean.txt"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("pairs.tsv: 2 pairs, 2 of them wrong, 2 wrong characters"), "{text}");
    assert!(text.contains("clean.txt: 14 characters; tier A 1 hits"), "{text}");
    let (code, _, error) = wordlist(&dir, &["evaluate", "--pairs", "broken.tsv"]);
    assert!(code == Some(1) && error.contains("broken.tsv") && error.contains("line 2"), "{error}");
    assert_eq!(wordlist(&dir, &["evaluate"]).0, Some(2));
}

#[test]
fn lists_that_accuse_what_they_hold_right_are_refused_by_the_check() {
    let dir = folder();
    configure(&dir, "lists_dir: lists");
    let rows = "a-1\t部暑\t布署\ttypo\tminor\tA\t\t\t\t\t\t词典\na-2\t布署\t部署\ttypo\tminor\tA\t\t\t\t\t\t词典\n";
    write(&dir, "config/lists/a.tsv", format!("{HEADER}{rows}"));
    let (code, text, error) = wordlist(&dir, &["check", "--config", "config"]);
    assert_eq!(code, Some(1), "{text}{error}");
    assert!(text.contains("a.tsv:2: `a-1`: holds `布署` right, but `a-2` finds it wrong"), "{text}");
    write(&dir, "config/lists/a.tsv", format!("{HEADER}a-1\t部暑\t部署\ttypo\tmajor\tC\t\t\t\t\t\t词典\n"));
    let (code, _, error) = wordlist(&dir, &["check", "--config", "config"]);
    assert_eq!(code, Some(78));
    assert!(error.contains("a.tsv:2: column `tier`: unknown value `C`"), "{error}");
}

#[test]
fn the_operators_leaders_are_checked() {
    let dir = folder();
    configure(&dir, "leaders: leaders.tsv");
    let header = "id\tname\ttitle\tfrom\tto\trank\tsource\n";
    write(&dir, "config/leaders.tsv", format!("{header}l-1\t罗向阳\t云岭州州长\t2020-01-01\t\t1\t任职通知\n"));
    write(&dir, "text.txt", "云岭州州长罗向杨主持会议。\n");
    let output = duwang(dir.path(), &["check", "--config", "config", "text.txt"]);
    let text = stdout(&output);
    assert!(text.contains("严重") && text.contains("“罗向杨”疑为“罗向阳”误写"), "{text}");
    let (_, text, _) = wordlist(&dir, &["check", "--config", "config"]);
    assert!(text.contains(" 1 leaders are free of faults"), "{text}");
    write(&dir, "config/leaders.tsv", format!("{header}l-1\t罗向阳\t云岭州州长\t2020-01-01\t\tfirst\t任职通知\n"));
    let error = stderr(&duwang(dir.path(), &["check", "--config", "config", "text.txt"]));
    assert!(error.contains("leaders.tsv:2: column `rank`: `first` is no whole number"), "{error}");
}

#[test]
fn a_language_model_is_trained_and_judges() {
    let dir = folder();
    write(&dir, "good.txt", "各单位要建立农药包装废弃物回收体系，扎实做好废弃物回收处置工作。\n".repeat(40));
    write(&dir, "pairs.tsv", "建立农药包装发弃物回收体系\t建立农药包装废弃物回收体系\n");
    let (code, text, error) = wordlist(&dir, &["train-lm", "good.txt", "--out", "small.lm"]);
    assert!(code == Some(0) && text.starts_with("small.lm: ") && text.contains("version"), "{text}{error}");
    let (code, text, _) = wordlist(&dir, &["evaluate", "--pairs", "pairs.tsv", "--model", "small.lm"]);
    assert_eq!(code, Some(0));
    assert!(text.contains("wrong sentences found 1 of 1, put right 1"), "{text}");
    write(&dir, "broken.lm", b"no model");
    let (code, _, error) = wordlist(&dir, &["evaluate", "--pairs", "pairs.tsv", "--model", "broken.lm"]);
    assert!(code == Some(1) && error.contains("broken.lm"), "{error}");
    let (code, _, error) = wordlist(&dir, &["train-lm", "missing.txt", "--out", "other.lm"]);
    assert!(code == Some(1) && error.contains("missing.txt") && !dir.path().join("other.lm").exists(), "{error}");
}

/// Runs `duwang check` with these bytes on standard input: its code and output.
fn check(input: &[u8]) -> (Option<i32>, String) {
    let dir = folder();
    let mut child = Command::new(env!("CARGO_BIN_EXE_duwang"))
        .arg("check")
        .current_dir(dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    (output.status.code(), stdout(&output))
}

#[test]
fn texts_of_ten_megabytes_are_read_to_their_end() {
    let filler = "州人民政府办公室组织召开全州政务新媒体工作推进会。\n";
    let text = format!("{}会议布署工作。\n", filler.repeat(10_000_000 / filler.len()));
    let (code, found) = check(text.as_bytes());
    assert_eq!(code, Some(1));
    assert!(found.contains("【布署】") && found.contains("共发现1处问题"), "{found}");
}

#[test]
fn few_characters_without_end_are_no_burden() {
    // What a rule looks for too, so that each place is looked at, on one line without end.
    let units = ["的", "，", "一", "《", "1", "a", "\u{200b}", "發", "护照", "的函》", "三倍", "研究研究，", "甘a"];
    for unit in units {
        let (code, _) = check(unit.repeat(3_000_000 / unit.len()).as_bytes());
        assert!(matches!(code, Some(0 | 1)), "{unit}");
    }
}

#[test]
fn nuls_and_mixed_encodings_are_read_as_far_as_they_can_be() {
    let (gbk, _, _) = encoding_rs::GBK.encode("会议布署了工作。");
    let (_, found) = check(&gbk);
    assert!(found.contains("【布署】"), "{found}");
    let mixed = [gbk.as_ref(), b"\0\xff\xfe", "会议部署了工作。".as_bytes()].concat();
    let (code, found) = check(&mixed);
    assert!(code == Some(1) && found.contains("【布署】"), "{found}");
    let (code, found) = check("会议布\0署了\0布署工作。".as_bytes());
    assert!(code == Some(1) && found.contains("共发现1处问题"), "{found}");
}
