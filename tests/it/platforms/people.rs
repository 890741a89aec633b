//! People's accounts (人民号): links handed in are read from their pages.

use std::collections::HashMap;

use duwang::simulator::{Route, StaticServer};

use crate::support::simulated::{run, stderr, stdout};

const ARTICLE: &str = include_str!("../../fixtures/people/article.html");
const ACCOUNTS: &str = "\
units:
  - {id: office, name: 云岭州政府办, level: prefecture, region: 云岭州}
accounts:
  - {id: people-1, name: 云岭发布, unit: office, kind: people}
";

#[test]
fn pages_of_a_peoples_account_are_imported_by_their_links() {
    let page = |body: &str| Route::new(200, "text/html; charset=utf-8", body.to_owned());
    let server = StaticServer::serve(HashMap::from([
        ("/Pc/ArtInfoApi/article?id=1&from=wx".to_owned(), page(ARTICLE)),
        ("/Pc/ArtInfoApi/article?id=1".to_owned(), page(ARTICLE)),
        ("/Pc/ArtInfoApi/article?id=404".to_owned(), page("<html><body>文章不存在</body></html>")),
    ]))
    .unwrap();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let authority = server.address();
    let settings =
        format!("crawl:\n  hosts: {{\"127.0.0.1\": {{per_second: 0}}}}\n  article_hosts: [\"{authority}\"]\n");
    std::fs::write(dir.join("duwang.yaml"), settings).unwrap();
    std::fs::write(dir.join("accounts.yaml"), ACCOUNTS).unwrap();
    std::fs::write(dir.join("rules.yaml"), "rules: []\n").unwrap();
    let list = dir.join("links.txt");
    let import = |links: &[&str]| {
        let links: Vec<String> = links.iter().map(|link| server.url(link)).collect();
        std::fs::write(&list, links.join("\n")).unwrap();
        run(dir, &["posts", "import", list.to_str().unwrap(), "--account", "people-1"])
    };

    let first = import(&["/Pc/ArtInfoApi/article?id=1&from=wx"]);
    assert!(stdout(&first).contains("1 post, 1 new"), "{}{}", stdout(&first), stderr(&first));
    let again = import(&["/Pc/ArtInfoApi/article?id=1"]);
    assert!(stdout(&again).contains("1 post, 0 new"), "{}{}", stdout(&again), stderr(&again));
    let show = stdout(&run(dir, &["accounts", "show", "people-1"]));
    assert!(show.contains("last post     2026-11-18"), "{show}");

    let refused = import(&["/Pc/ArtInfoApi/article?id=1", "/Pc/ArtInfoApi/article?id=404"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stdout(&refused).contains("nothing was imported"), "{}", stdout(&refused));
    assert!(format!("{}{}", stdout(&refused), stderr(&refused)).contains("no title"), "{}", stderr(&refused));
}
