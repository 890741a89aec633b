//! The program as its users call it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::support::simulated::{Prefecture, run, stderr, stdout};

/// Runs `duwang check` with this on standard input, in a folder without configuration.
fn check(args: &[&str], input: &str) -> (Option<i32>, String) {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_duwang"))
        .arg("check")
        .args(args)
        .current_dir(dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), stdout(&output))
}

#[test]
fn a_clean_text_passes() {
    assert_eq!(check(&["-"], "会议部署了下一阶段工作。"), (Some(0), "未发现问题。\n".to_owned()));
}

#[test]
fn a_wrong_word_is_shown_with_its_place_and_its_right_form() {
    let (code, text) = check(&[], "通知\n会议布署了下一阶段工作。");
    assert_eq!(code, Some(1));
    assert!(text.starts_with("-:2:3: [一般·错别字·确认] 会议【布署】了下一阶段工作。"), "{text}");
    assert!(text.contains("部署"), "{text}");
}

#[test]
fn lines_as_jsonl_hold_one_object_for_each_line() {
    let (code, text) = check(&["--lines", "--format", "jsonl", "-"], "会议布署工作。\n没有问题。\n");
    assert_eq!(code, Some(1));
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1], serde_json::json!({"line": 2, "findings": []}));
    let finding = &lines[0]["findings"][0];
    assert_eq!((&lines[0]["line"], &finding["start"], &finding["end"]), (&1.into(), &2.into(), &4.into()));
    let fields = ["text", "suggestion", "class", "severity", "tier", "entry", "message"];
    let words: Vec<&str> = fields.iter().map(|field| finding[field].as_str().unwrap()).collect();
    assert_eq!(words[..5], ["布署", "部署", "typo", "minor", "A"]);
    assert!(words[5].starts_with("typo-") && words[6].contains("部署"));
}

#[test]
fn html_is_read_as_its_reader_sees_it() {
    let html = "<!doctype html><p>会议布<b>署</b>工作。</p><script>布署</script>";
    let (code, text) = check(&["--format", "json"], html);
    assert_eq!(code, Some(1));
    let all: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(all[0]["findings"].as_array().unwrap().len(), 1, "{text}");
}

#[test]
fn a_missing_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_duwang"))
        .args(["check", "没有.txt"])
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("cannot open 没有.txt"), "{}", stderr(&output));
}

#[test]
fn a_bad_configuration_names_every_error_and_exits_78() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write("duwang.yaml", "crawl:\n  timeuot: 5s\nreport:\n  weekly_due: sometimes\n");
    write(
        "accounts.yaml",
        "units:\n  - {id: a, name: 甲局, level: prefecture, region: 某州}\naccounts:\n  \
         - {id: x, name: 甲, unit: nobody, kind: weibo, sources: [{kind: feed, url: \"ftp://x\"}]}\n  \
         - {id: x, name: 乙, unit: a, kind: weibo, filed_on: 2021-02-30}\n",
    );
    write("rules.yaml", "rules: []\n");
    let output = run(dir.path(), &["config", "check"]);
    assert_eq!(output.status.code(), Some(78));
    let errors = stderr(&output);
    for part in [
        "duwang.yaml:2",
        "timeuot",
        "duwang.yaml:4",
        "sometimes",
        "accounts.yaml:4",
        "nobody",
        "ftp://x",
        "accounts.yaml:5",
        "2021-02-30",
    ] {
        assert!(errors.contains(part), "`{part}` is missing in:\n{errors}");
    }
}

#[test]
fn a_selector_that_is_none_is_named() {
    let prefecture = Prefecture::start();
    let path = prefecture.dir.path().join("accounts.yaml");
    let accounts = std::fs::read_to_string(&path).unwrap();
    let broken = accounts.replacen("item: \"", "item: \"li[", 1);
    assert_ne!(accounts, broken);
    std::fs::write(&path, broken).unwrap();
    let output = run(prefecture.dir.path(), &["config", "check"]);
    assert_eq!(output.status.code(), Some(78));
    assert!(stderr(&output).contains("is not a CSS selector"), "{}", stderr(&output));
}

#[test]
fn the_demo_ends_with_its_files() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("demo");
    let output = Command::new(env!("CARGO_BIN_EXE_duwang"))
        .args(["demo", "--quiet", "--now", "2026-11-21T10:00:00Z", "--dir"])
        .arg(&dir)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("week 2026-11-13 .. 2026-11-19: 108 accounts"), "{text}");
    for format in ["docx", "xlsx", "html", "json"] {
        let path = dir.join(format!("reports/weekly-2026-11-19.{format}"));
        assert!(text.contains(&path.display().to_string()), "{text}");
        assert!(std::fs::metadata(&path).unwrap().len() > 1_000);
    }
    let again = Command::new(env!("CARGO_BIN_EXE_duwang")).args(["demo", "--dir"]).arg(&dir).output().unwrap();
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("already holds a configuration"), "{}", stderr(&again));
}

#[test]
fn a_problem_is_explained_to_its_end() {
    let prefecture = Prefecture::start();
    let dir = prefecture.dir.path();
    run(dir, &["crawl", "--all"]);
    let reports = dir.join("out");
    let made = run(
        dir,
        &["report", "weekly", "--ending", "2026-11-17", "--format", "json", "--out", reports.to_str().unwrap()],
    );
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    let json = std::fs::read_to_string(reports.join("weekly-2026-11-19.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    let wording =
        report["violations"].as_array().unwrap().iter().find(|problem| problem["problem"] == "wording").unwrap();
    let explained = run(dir, &["explain", wording["id"].as_str().unwrap()]);
    let text = stdout(&explained);
    for part in ["问题编号", "当前状态：待整改", "依据", "原文", "词库版本", "发布时间", "处理经过", "采集来源"]
    {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
    let unknown = run(dir, &["explain", "W-nothing"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(stderr(&unknown).contains("no problem has the id `W-nothing`"));
}

#[test]
fn a_table_is_imported_all_or_nothing() {
    let prefecture = Prefecture::start();
    let dir = prefecture.dir.path();
    let table = dir.join("登记表.csv");
    let before = std::fs::read_to_string(dir.join("accounts.yaml")).unwrap();
    std::fs::write(
        &table,
        "账号名称,主办单位,类型,单位层级,地区\n云岭民生,州民生局,微博,州级,云岭州\n甲,乙局,微信公众号,州级,云岭州\n",
    )
    .unwrap();
    let refused = run(dir, &["accounts", "import", table.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(78), "{}", stdout(&refused));
    assert!(stderr(&refused).contains("微信公众号"), "{}", stderr(&refused));
    assert_eq!(std::fs::read_to_string(dir.join("accounts.yaml")).unwrap(), before);

    std::fs::write(&table, "账号名称,主办单位,类型,单位层级,地区\n云岭民生,州民生局,微博,州级,云岭州\n").unwrap();
    let tried = run(dir, &["accounts", "import", table.to_str().unwrap(), "--dry-run"]);
    assert!(stdout(&tried).contains("1 accounts added, 0 changed"), "{}{}", stdout(&tried), stderr(&tried));
    assert_eq!(std::fs::read_to_string(dir.join("accounts.yaml")).unwrap(), before);
    assert_eq!(run(dir, &["accounts", "import", table.to_str().unwrap()]).status.code(), Some(0));
    assert!(stdout(&run(dir, &["accounts", "list"])).contains("云岭民生\t州民生局\t新浪微博"));

    // What is exported imports without a difference.
    let exported = dir.join("导出.xlsx");
    run(dir, &["accounts", "export", "--format", "xlsx", "--out", exported.to_str().unwrap()]);
    let again = run(dir, &["accounts", "import", exported.to_str().unwrap()]);
    assert!(stdout(&again).contains("nothing to write"), "{}{}", stdout(&again), stderr(&again));
}

#[test]
fn posts_are_handed_in_by_their_addresses() {
    let prefecture = Prefecture::start();
    let dir = prefecture.dir.path();
    let world = prefecture.platforms.world();
    let account = world.accounts().iter().find(|account| account.is_wechat() && account.posts.len() > 3).unwrap();
    let links: Vec<String> =
        account.posts.iter().take(3).map(|post| prefecture.platforms.addresses().post_link(account, post)).collect();
    let list = dir.join("links.txt");
    std::fs::write(&list, links.join("\n")).unwrap();
    let import = || run(dir, &["posts", "import", list.to_str().unwrap(), "--account", account.id.as_str()]);
    let first = import();
    assert!(stdout(&first).contains("3 posts, 3 new"), "{}{}", stdout(&first), stderr(&first));
    assert!(stdout(&import()).contains("3 posts, 0 new"));
    let show = stdout(&run(dir, &["accounts", "show", account.id.as_str()]));
    assert!(show.contains("last post     20"), "{show}");
    assert!(!show.contains("seen  "), "an import proves nothing: {show}");

    std::fs::write(&list, format!("{}\nhttp://127.0.0.1:1/s/none\n", links[0])).unwrap();
    let refused = import();
    assert_eq!(refused.status.code(), Some(1));
    assert!(stdout(&refused).contains("nothing was imported"), "{}", stdout(&refused));
}

#[test]
fn unknown_accounts_and_wrong_usage_are_refused() {
    let prefecture = Prefecture::start();
    let unknown = run(prefecture.dir.path(), &["crawl", "--account", "nobody"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(stderr(&unknown).contains("`nobody` is not an account of the registry"), "{}", stderr(&unknown));
    assert_eq!(run(prefecture.dir.path(), &["crawl"]).status.code(), Some(2));
    assert_eq!(run(prefecture.dir.path(), &["report", "weekly", "--format", "pdf"]).status.code(), Some(2));
}
