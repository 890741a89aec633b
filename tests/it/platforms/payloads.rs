//! The recorded answers beside the project, where they lie: each is read as its platform says. Not part of the ordinary
//! run, because the project's tests pass without them: `cargo test --test it payloads -- --ignored --nocapture`.

use std::path::{Path, PathBuf};

use duwang::source::platform::saved;
use duwang::source::platform::wechat::event::Callback;
use duwang::source::wechat_article::{self, ArticlePage};
use serde_json::Value;

use crate::support::interfaces::{now, signed_query};

fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/payloads");
    let Ok(platforms) = std::fs::read_dir(&root) else { return Vec::new() };
    let folders = platforms.map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        folders.flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path())).collect();
    files.sort();
    files
}

/// What became of a file, in one line; `Err` where it was not understood.
fn read(path: &Path) -> Result<String, String> {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let content = std::fs::read_to_string(path).unwrap();
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("html") => read_page(&name, &content),
        Some("xml") => read_event(&content),
        _ if name == "doc_samples_errors.json" => read_errors(&content),
        _ => read_answers(&content),
    }
}

/// Signed as WeChat signs it: nothing of an event is believed before.
fn read_event(content: &str) -> Result<String, String> {
    let callback = Callback::new("token", None, "").unwrap();
    let event = callback
        .receive(&signed_query("token", 0), content.as_bytes(), now())
        .map_err(|refusal| refusal.to_string())?;
    Ok(format!("event {}: {} posts", event.key().ok_or("an event of no known kind")?, event.drafts().len()))
}

fn read_page(name: &str, content: &str) -> Result<String, String> {
    let page = wechat_article::parse(content).map_err(|failure| failure.to_string())?;
    let (is, expected) = match &page {
        ArticlePage::Article(article) => {
            (format!("article, {} characters", article.body.chars().count()), "type share")
        }
        ArticlePage::Gone { notice, .. } => (format!("gone: {notice}"), "deleted violation"),
        ArticlePage::Unavailable { notice } => (format!("unavailable: {notice}"), "temporarily"),
    };
    if expected.split(' ').any(|word| name.contains(word)) { Ok(is) } else { Err(format!("read as {is}")) }
}

/// Every sample of a failure is a failure, or of no known shape; never a list.
fn read_errors(content: &str) -> Result<String, String> {
    let Value::Object(samples) = serde_json::from_str(content).unwrap() else { return Err("no object".to_owned()) };
    let mut said = Vec::new();
    for (name, sample) in samples {
        for answer in saved::read(&sample.to_string()).unwrap() {
            match answer.found {
                None => said.push(format!("{name}: no list")),
                Some(Err(failure)) => said.push(format!("{name}: {}", failure.outcome)),
                Some(Ok(saved)) if saved.page.posts.is_empty() => said.push(format!("{name}: an empty list")),
                Some(Ok(saved)) => return Err(format!("{name} was read as {} posts", saved.page.posts.len())),
            }
        }
    }
    Ok(said.join("; "))
}

fn read_answers(content: &str) -> Result<String, String> {
    let answers = saved::read(content)?;
    let (mut n_posts, mut n_bad, mut n_deleted, mut n_dated) = (0, 0, 0, 0);
    let mut shapes: Vec<&str> = Vec::new();
    for answer in answers {
        let saved = answer.found.ok_or(format!("{}: no platform knows it", answer.place))?;
        let saved = saved.map_err(|failure| failure.to_string())?;
        if !shapes.contains(&saved.shape) {
            shapes.push(saved.shape);
        }
        n_posts += saved.page.posts.len();
        n_dated += saved.page.posts.iter().filter(|post| post.published_at.is_some()).count();
        n_bad += saved.page.bad_items.len();
        n_deleted += saved.page.deleted.len();
    }
    Ok(format!("{}: {n_posts} posts ({n_dated} dated), {n_bad} bad, {n_deleted} deleted", shapes.join(", ")))
}

#[test]
#[ignore = "reads recorded payloads that lie beside the project, not in it"]
fn every_recorded_payload_is_read() {
    let mut problems = Vec::new();
    for path in files() {
        let place = path.components().rev().take(2).collect::<Vec<_>>();
        let place = format!("{}/{}", place[1].as_os_str().to_string_lossy(), place[0].as_os_str().to_string_lossy());
        match read(&path) {
            Ok(read) => println!("{place}: {read}"),
            Err(problem) => problems.push(format!("{place}: {problem}")),
        }
    }
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}
