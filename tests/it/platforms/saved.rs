//! `duwang posts import` of answers that a browser saved: recognised, matched to their account, taken in once.

use serde_json::json;

use crate::support::simulated::{run, stdout};

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write("duwang.yaml", "");
    write("rules.yaml", "rules: []\n");
    write(
        "accounts.yaml",
        "units:\n  - {id: u, name: 州教育局, level: prefecture, region: 云岭州}\naccounts:\n  \
         - {id: wb, name: 云岭教育, unit: u, kind: weibo, platform_id: \"1234567890\"}\n  \
         - {id: wb2, name: 云岭公安, unit: u, kind: weibo, sources: [{kind: weibo_mobile, uid: \"2234567890\"}]}\n  \
         - {id: wx, name: 云岭政务, unit: u, kind: wechat_subscription}\n",
    );
    dir
}

/// One page of the desktop site's list.
fn page(uid: u64, mids: &[u64]) -> String {
    let status = |mid: &u64| {
        json!({
            "id": mid, "idstr": mid.to_string(), "mid": mid.to_string(), "mblogid": "x", "created_at": "Thu Nov 19 10:00:00 +0800 2026",
            "text": "我们要布署工作。", "text_raw": "我们要布署工作。", "isLongText": false, "visible": {"type": 0, "list_id": 0},
            "user": {"id": uid, "idstr": uid.to_string(), "screen_name": "某号", "verified": true},
        })
    };
    json!({"ok": 1, "data": {"list": mids.iter().map(status).collect::<Vec<_>>(), "since_id": "", "total": mids.len()}})
        .to_string()
}

fn har(texts: &[&str]) -> String {
    let entry = |text: &&str| json!({"response": {"content": {"mimeType": "application/json", "text": text}}});
    json!({"log": {"version": "1.2", "entries": texts.iter().map(entry).collect::<Vec<_>>()}}).to_string()
}

#[test]
fn a_har_is_recognised_matched_and_taken_in_once() {
    let dir = folder();
    let file = dir.path().join("saved.har");
    let first = page(1_234_567_890, &[5_230_000_000_000_001, 5_230_000_000_000_002]);
    let second = page(2_234_567_890, &[5_230_000_000_000_003]);
    std::fs::write(&file, har(&[&first, "{\"other\": 1}", &second])).unwrap();
    let import = |args: &[&str]| run(dir.path(), &[&["posts", "import", file.to_str().unwrap()], args].concat());

    let dry = import(&["--dry-run"]);
    assert_eq!(dry.status.code(), Some(0), "{}", stdout(&dry));
    assert!(stdout(&dry).contains("wb: 2 posts") && stdout(&dry).contains("wb2: 1 post "), "{}", stdout(&dry));
    assert!(stdout(&dry).contains("1 other answer of no known shape") && stdout(&dry).contains("dry run"));

    let real = import(&[]);
    assert!(stdout(&real).contains("2 new, 0 changed, 2 new problems"), "{}", stdout(&real));
    let again = import(&[]);
    assert!(stdout(&again).contains("0 new, 0 changed, 0 new problems"), "{}", stdout(&again));
}

#[test]
fn an_answer_of_another_account_is_refused() {
    let dir = folder();
    let file = dir.path().join("list.json");
    let path = file.to_str().unwrap();
    std::fs::write(&file, page(3_234_567_890, &[5_230_000_000_000_001])).unwrap();
    let unknown = run(dir.path(), &["posts", "import", path]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(stdout(&unknown).contains("give `--account ID`"), "{}", stdout(&unknown));

    std::fs::write(&file, page(1_234_567_890, &[5_230_000_000_000_001])).unwrap();
    for (account, words) in [("wb2", "the registry has that as `wb`"), ("wx", "is a wechat_subscription account")] {
        let wrong = run(dir.path(), &["posts", "import", path, "--account", account]);
        assert_eq!(wrong.status.code(), Some(1));
        assert!(stdout(&wrong).contains(words), "{}", stdout(&wrong));
    }
    let right = run(dir.path(), &["posts", "import", path, "--account", "wb"]);
    assert_eq!(right.status.code(), Some(0), "{}", stdout(&right));

    // A refusal of the platform is named, and no list.
    std::fs::write(&file, r#"{"ok": -100, "url": "https://passport.weibo.com/"}"#).unwrap();
    let refused = run(dir.path(), &["posts", "import", path, "--account", "wb"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stdout(&refused).contains("not taken in: login_needed"), "{}", stdout(&refused));
}
