//! What people decide of wording findings holds, is counted, and teaches: the program on both databases.

mod store;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use duwang::model::violation::{Severity, Tier, Violation, ViolationKind, ViolationState, WordingClass};
use duwang::model::{AccountId, PostId, ViolationId};
use duwang::store::Store;
use duwang::store::violations::ViolationFilter;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::build::at;
use crate::support::postgres::{self, Schema};
use crate::support::simulated::{run, stderr, stdout};

const HEADER: &str = "id\tword\tright\tclass\tseverity\ttier\tallow\tneeds\tnot\tfrom\tto\tsource\tmatch";
const LIST: &str = "t-1\t布署\t部署\ttypo\tminor\tA\t\t\t\t\t\t依据一\tsubstring\n\
                    t-2\t真实反应\t真实反映\twording\tmajor\tB\t\t\t\t\t\t依据二\n";

/// A configuration folder with lists and a database of its own.
struct Home {
    dir: TempDir,
    schema: Option<Schema>,
}

impl Home {
    fn new(schema: Option<Schema>) -> Self {
        let home = Self { dir: tempfile::tempdir().unwrap(), schema };
        let storage = home.schema.as_ref().map_or_else(|| "sqlite:duwang.db".to_owned(), Schema::url);
        home.write("duwang.yaml", &format!("storage: {{url: \"{storage}\"}}\nwording: {{lists_dir: lists}}\n"));
        home.write("rules.yaml", "rules: []\n");
        home.write(
            "accounts.yaml",
            "units:\n  - {id: u, name: 州教育局, level: prefecture, region: 云岭州}\naccounts:\n  \
             - {id: wx, name: 云岭教育, unit: u, kind: other, filed_on: 2020-01-01}\n",
        );
        std::fs::create_dir(home.dir.path().join("lists")).unwrap();
        home.write("lists/a.tsv", &format!("{HEADER}\n{LIST}"));
        home
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    async fn store(&self) -> Store {
        match &self.schema {
            Some(schema) => schema.store.clone(),
            None => Store::connect_sqlite(&self.path().join("duwang.db")).await.unwrap(),
        }
    }

    /// Runs the program, which must succeed.
    fn duwang(&self, args: &[&str]) -> String {
        let output = run(self.path(), args);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
        stdout(&output)
    }

    fn try_duwang(&self, args: &[&str]) -> (Option<i32>, String) {
        let output: Output = run(self.path(), args);
        (output.status.code(), stderr(&output))
    }

    /// Takes in posts, each with a key and a body; the same key again is an edited post.
    fn import(&self, posts: &[(&str, &str)]) {
        let mut lines = String::new();
        for (key, body) in posts {
            let post = serde_json::json!({
                "url": format!("https://a.example/{key}"), "title": format!("第{key}号"), "key": key,
                "published_at": "2026-11-18T09:00:00+08:00", "body": body,
            });
            writeln!(lines, "{post}").unwrap();
        }
        self.write("posts.jsonl", &lines);
        let file = self.path().join("posts.jsonl");
        self.duwang(&["posts", "import", file.to_str().unwrap(), "--account", "wx"]);
    }

    /// Judges everything that waits, as any report does, and gives the report.
    fn report(&self) -> Value {
        let out = self.path().join("out");
        self.duwang(&["report", "weekly", "--format", "json", "--out", out.to_str().unwrap()]);
        serde_json::from_str(&std::fs::read_to_string(out.join("weekly-2026-11-19.json")).unwrap()).unwrap()
    }

    fn problems(&self, args: &[&str]) -> Vec<Value> {
        let listed = self.duwang(&[&["violations", "list", "--format", "jsonl"], args].concat());
        listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The id of each problem, by the title of its post.
    fn ids(&self, args: &[&str]) -> HashMap<String, String> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        self.problems(args).iter().map(|problem| (text(&problem["title"]), text(&problem["id"]))).collect()
    }

    fn state(&self, id: &str) -> String {
        let all = self.problems(&[]);
        all.iter().find(|problem| problem["id"] == id).unwrap()["state"].as_str().unwrap().to_owned()
    }

    async fn end(self) {
        if let Some(schema) = self.schema {
            schema.drop_schema().await;
        }
    }
}

/// Runs each test in a home of either database.
macro_rules! in_both_homes {
    ($($name:ident),+ $(,)?) => {
        mod home_sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Home::new(None)).await;
            })+
        }

        mod home_postgres {
            $(#[tokio::test]
            async fn $name() {
                let test = concat!(module_path!(), "::", stringify!($name));
                let Some(schema) = super::postgres::schema(test).await else { return };
                super::$name(super::Home::new(Some(schema))).await;
            })+
        }
    };
}

in_both_homes!(
    a_decision_holds_when_texts_are_judged_again,
    all_are_decided_or_none,
    an_entry_that_is_dismissed_too_often_only_suspects,
    decisions_make_candidates_and_a_backtest_tries_them,
);

async fn a_decision_holds_when_texts_are_judged_again(home: Home) {
    home.import(&[("1", "会议布署工作"), ("2", "群众真实反应问题"), ("3", "再次真实反应问题"), ("4", "发布署名文章")]);
    let suspects = home.ids(&["--state", "suspect", "--kind", "wording", "--tier", "B", "--account", "wx"]);
    assert_eq!(suspects.len(), 2, "{suspects:?}");
    let open = home.ids(&["--state", "open"]);
    let (confirmed, dismissed, wrong) = (&suspects["第2号"], &suspects["第3号"], &open["第4号"]);
    let before = home.report();
    assert_eq!(before["violations"].as_array().unwrap().len(), 2);

    let told = home.duwang(&["violations", "confirm", confirmed, "--note", "已与县局核对，电话19900010002"]);
    assert!(told.contains(confirmed) && told.contains("now open"), "{told}");
    home.duwang(&["violations", "dismiss", dismissed, wrong, dismissed]);
    let check = || {
        let states = [confirmed, dismissed, wrong, &open["第1号"]].map(|id| home.state(id));
        assert_eq!(states, ["open", "withdrawn", "withdrawn", "open"]);
        let report = home.report();
        let ids: Vec<&str> =
            report["violations"].as_array().unwrap().iter().map(|problem| problem["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), 2, "{report}");
        assert!(ids.contains(&confirmed.as_str()) && ids.contains(&open["第1号"].as_str()), "{ids:?}");
        assert!(!report["violations"].to_string().contains("请核对"), "a confirmed problem no longer asks");
        let explained = home.duwang(&["violations", "show", confirmed]);
        assert!(explained.contains("待整改　经人工确认：已与县局核对，电话199****0002"), "{explained}");
        assert!(explained.contains("人工核对：2026-11-20 16:00:00，经人工确认（已与县局核对"), "{explained}");
        let explained = home.duwang(&["explain", wrong]);
        assert!(explained.contains("已撤销　经人工核对，不是问题"), "{explained}");
        for id in [confirmed, dismissed, wrong] {
            let explained = home.duwang(&["explain", id]);
            assert!(explained.contains("  2. ") && !explained.contains("  3. "), "{explained}");
        }
    };
    check();
    // Other lists: every text is judged again.
    home.write("lists/b.tsv", &format!("{HEADER}\nt-3\t好象\t好像\ttypo\tminor\tA\t\t\t\t\t\t依据三\n"));
    check();
    // The same decision again is none; so is one for a text that was edited around the same words.
    let told = home.duwang(&["violations", "confirm", confirmed]);
    assert!(told.contains("confirmed, as before"), "{told}");
    home.import(&[("2", "干部真实反应情况"), ("3", "又一次真实反应情况"), ("4", "再发布署名文章")]);
    check();
    // Who dismissed it may think again.
    home.duwang(&["violations", "confirm", dismissed]);
    assert_eq!(home.state(dismissed), "open");
    home.write("lists/b.tsv", &format!("{HEADER}\n"));
    home.report();
    assert_eq!(home.state(dismissed), "open");
    // Words that are gone are rectified, whatever was decided; when they come back, they count as confirmed.
    home.import(&[("2", "干部真实反映情况"), ("4", "再发署名文章")]);
    assert_eq!((home.state(confirmed).as_str(), home.state(wrong).as_str()), ("rectified", "withdrawn"));
    home.import(&[("2", "干部仍真实反应情况"), ("4", "仍发布署名文章")]);
    assert_eq!((home.state(confirmed).as_str(), home.state(wrong).as_str()), ("open", "withdrawn"));
    assert_eq!(home.problems(&["--limit", "2"]).len(), 2);
    let listed = home.duwang(&["violations", "list", "--state", "withdrawn"]);
    assert!(listed.contains("【布署】") && listed.contains("1 problems listed"), "{listed}");
    home.end().await;
}

async fn all_are_decided_or_none(home: Home) {
    home.import(&[("1", "会议布署工作"), ("2", "群众真实反应问题"), ("3", "再次布署工作")]);
    home.import(&[("3", "再次部署工作")]);
    let (suspect, rectified) =
        (&home.ids(&["--state", "suspect"])["第2号"], &home.ids(&["--state", "rectified"])["第3号"]);
    let store = home.store().await;
    let link = Violation { kind: ViolationKind::Link, ..violation("L-1", PostId(1), ViolationState::Suspect) };
    let mut tx = store.write().await.unwrap();
    tx.save_violations(&[link], &[]).await.unwrap();
    tx.commit().await.unwrap();
    for word in ["confirm", "dismiss"] {
        let (code, error) = home.try_duwang(&["violations", word, suspect, "W-nothing", "L-1", rectified]);
        assert_eq!(code, Some(1));
        for part in [
            "nothing was decided",
            "no problem has the id `W-nothing`",
            "`L-1` is of kind `link`; only problems of kind `wording`",
            &format!("`{rectified}` is `rectified` (已整改): the words are gone"),
        ] {
            assert!(error.contains(part), "`{part}` is missing in:\n{error}");
        }
    }
    assert_eq!(home.state(suspect), "suspect");
    let mut tx = store.read().await.unwrap();
    assert_eq!(tx.decisions(10).await.unwrap(), []);
    assert_eq!(tx.violation_chain(&ViolationId::new(suspect)).await.unwrap().unwrap().events.len(), 1);
    drop(tx);
    assert_eq!(home.try_duwang(&["violations", "confirm"]).0, Some(2));
    assert_eq!(home.try_duwang(&["violations", "confirm", suspect, "--note", "两\n行"]).0, Some(2));
    let (code, error) = home.try_duwang(&["violations", "list", "--state", "closed"]);
    assert!(code == Some(2) && error.contains("suspect, open, rectified"), "{error}");
    home.end().await;
}

async fn an_entry_that_is_dismissed_too_often_only_suspects(home: Home) {
    let posts: Vec<(String, String)> = (0..8).map(|n| (n.to_string(), format!("第{n}次发布署名文章"))).collect();
    home.import(&posts.iter().map(|(key, body)| (key.as_str(), body.as_str())).collect::<Vec<_>>());
    let ids = home.ids(&["--state", "open"]);
    assert_eq!(ids.len(), 8);
    let id = |n: u32| ids[&format!("第{n}号")].as_str();
    let told = home.duwang(&["violations", "confirm", id(0)]);
    assert!(!told.contains("only suspected"), "{told}");
    home.duwang(&["violations", "dismiss", id(1), id(2), id(3)]);
    assert!(!home.duwang(&["wordlist", "stats"]).contains("demoted"));
    let told = home.duwang(&["violations", "dismiss", id(4)]);
    assert!(told.contains("entry `t-1` was dismissed too often: what it finds is only suspected"), "{told}");

    let stats = home.duwang(&["wordlist", "stats"]);
    assert!(stats.contains("8          1          4     20.0 %  t-1  demoted"), "{stats}");
    let stats: Value = serde_json::from_str(&home.duwang(&["wordlist", "stats", "--format", "json"])).unwrap();
    let expected = serde_json::json!({
        "entry": "t-1", "hits": 8, "confirmed": 1, "dismissed": 4, "precision": 0.2, "demoted": true,
    });
    assert_eq!(stats["entries"], serde_json::json!([expected]));
    assert!(stats["lists_version"].as_str().unwrap().contains("+demoted-"), "{stats}");

    // A new post is suspected at once; those that were open when all is judged again. What was decided stays.
    home.import(&[("9", "又发布署名文章")]);
    assert_eq!(home.ids(&["--state", "suspect"]).len(), 1);
    let out = home.path().join("out");
    let args = ["--now", "2026-11-20T08:00:00Z", "report", "weekly", "--format", "json", "--out"];
    let mut loud = Command::new(env!("CARGO_BIN_EXE_duwang"));
    let logged = stderr(&loud.arg("--config").arg(home.path()).args(args).arg(out).output().unwrap());
    assert!(logged.contains("WARN") && logged.contains("t-1"), "{logged}");
    let report = home.report();
    assert!(report["lists_version"].as_str().unwrap().contains("+demoted-"), "{}", report["lists_version"]);
    assert_eq!(report["violations"].as_array().unwrap().len(), 1, "the confirmed one");
    let suspects = home.ids(&["--state", "suspect", "--tier", "B"]);
    assert_eq!(suspects.len(), 4, "{suspects:?}");
    assert_eq!((home.state(id(0)).as_str(), home.state(id(1)).as_str()), ("open", "withdrawn"));
    let explained = home.duwang(&["explain", id(5)]);
    for part in ["当前状态：疑似待确认", "改列为疑似，待人工确认", "+demoted-", "词条 t-1 误报较多", "请核对：“布署”"]
    {
        assert!(explained.contains(part), "`{part}` is missing in:\n{explained}");
    }
    // Judging again changes nothing more; confirmations bring the entry back.
    home.report();
    assert!(!home.duwang(&["explain", id(5)]).contains("  3. "));
    let settings = std::fs::read_to_string(home.path().join("duwang.yaml")).unwrap();
    home.write("duwang.yaml", &settings.replace("lists_dir: lists", "lists_dir: lists, demote_below: 0.5"));
    let others: Vec<&str> = suspects.values().filter(|other| *other != id(5)).map(String::as_str).collect();
    let told = home.duwang(&[&["violations", "confirm"][..], &others].concat());
    assert!(told.contains("entry `t-1` is trusted again"), "{told}");
    home.report();
    assert_eq!(home.state(id(5)), "open");
    assert!(home.duwang(&["explain", id(5)]).contains("不再列为疑似，列为问题"));
    home.end().await;
}

async fn decisions_make_candidates_and_a_backtest_tries_them(home: Home) {
    home.import(&[
        ("1", "会议布署工作"),
        ("2", "群众真实反应问题"),
        ("3", "昨天发布署名文章"),
        ("4", "干部真实反应情况"),
        ("5", "布署"),
    ]);
    let (suspects, open) = (home.ids(&["--state", "suspect"]), home.ids(&["--state", "open"]));
    home.duwang(&["violations", "confirm", &suspects["第2号"]]);
    home.duwang(&["violations", "dismiss", &open["第3号"], &open["第5号"]]);
    let printed = home.duwang(&["wordlist", "candidates"]);
    assert!(printed.contains("# left out: 布署: nothing stands around it"), "{printed}");
    let out = home.path().join("new/candidates");
    let told = home.duwang(&["wordlist", "candidates", "--out", out.to_str().unwrap()]);
    assert!(told.contains("3 decisions: 1 entries and 1 allow phrases to review, 1 left out"), "{told}");
    let entries = std::fs::read_to_string(out.join("candidates.tsv")).unwrap();
    let row = entries.lines().nth(1).unwrap();
    assert!(row.starts_with("cand-") && row.contains("\t真实反应\t真实反映\twording\tmajor\tA\t"), "{entries}");
    assert!(row.ends_with("\t人工确认 2026-11-20"), "{entries}");
    assert!(printed.contains(row), "{printed}");
    let phrases = std::fs::read_to_string(out.join("allow.tsv")).unwrap();
    assert_eq!(phrases.lines().nth(1), Some("t-1\t天发布署名文\t1\t人工核对 2026-11-20"));

    let store = home.store().await;
    let before = everything(&store).await;
    // Taken in: the candidate stands in the place of the suspect.
    let told = home.duwang(&["wordlist", "backtest", out.join("candidates.tsv").to_str().unwrap()]);
    let id = row.split('\t').next().unwrap();
    assert!(told.contains("added to the lists") && told.contains(&format!("{id}  tier A  +2 -0")), "{told}");
    assert!(told.contains("t-2  tier B  +0 -2") && told.contains("第2号: …群众【真实反应】问题… → 真实反映"), "{told}");
    assert!(told.contains("5 posts read, 2 of them change: 2 problems added, 2 removed"), "{told}");
    // The loaded list with the allow phrase in its place.
    let list = LIST.replace("\tminor\tA\t\t", "\tminor\tA\t天发布署名文\t");
    home.write("a.tsv", &format!("{HEADER}\n{list}"));
    let told = home.duwang(&["wordlist", "backtest", home.path().join("a.tsv").to_str().unwrap()]);
    assert!(told.contains("in place of the loaded list") && told.contains("t-1  tier A  +0 -1"), "{told}");
    assert!(told.contains("0 problems added, 1 removed"), "{told}");

    home.write("broken.tsv", &format!("{HEADER}\nx-1\t甲乙\t丙\ttypo\tminor\tC\t\t\t\t\t\t依据\n"));
    let broken = home.path().join("broken.tsv");
    let (code, error) = home.try_duwang(&["wordlist", "backtest", broken.to_str().unwrap()]);
    assert_eq!(code, Some(78));
    let expected = format!("{}:2: column `tier`: unknown value `C`", broken.display());
    assert!(error.contains(&expected), "{error}");
    let (code, error) = home.try_duwang(&["wordlist", "backtest", "/nowhere/x.tsv"]);
    assert!(code == Some(1) && error.contains("cannot read /nowhere/x.tsv"), "{error}");
    assert_eq!(everything(&store).await, before);
    home.end().await;
}

/// What a backtest must not change.
async fn everything(store: &Store) -> String {
    let mut tx = store.read().await.unwrap();
    let mut told = format!("{:?}", tx.entry_stats().await.unwrap());
    for record in tx.list_violations(&ViolationFilter::default(), 1_000).await.unwrap() {
        let chain = tx.violation_chain(&record.violation.id).await.unwrap();
        write!(told, "{chain:?}").unwrap();
    }
    write!(told, "{:?}", tx.unchecked_posts(1_000).await.unwrap()).unwrap();
    told
}

fn violation(id: &str, post: PostId, state: ViolationState) -> Violation {
    Violation {
        id: ViolationId::new(id),
        kind: ViolationKind::Wording,
        account: AccountId::new("wx"),
        post: Some(post),
        subject: "t-1".to_owned(),
        severity: Severity::Minor,
        tier: Tier::A,
        class: Some(WordingClass::Typo),
        state,
        message: "“布署”应为“部署”".to_owned(),
        basis: "依据".to_owned(),
        found: "布署".to_owned(),
        suggestion: Some("部署".to_owned()),
        context: None,
        span: Some((2, 4)),
        occurrences: 1,
        post_version: Some(1),
        lists_version: Some("lists-1".to_owned()),
        window: None,
        first_seen_at: at(100),
    }
}
