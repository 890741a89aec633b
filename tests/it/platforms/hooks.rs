//! The receiver of WeChat's events over real HTTP.

use std::sync::Arc;

use duwang::clock::Clock;
use duwang::engine::Engine;
use duwang::rules::wording::Checker;
use duwang::store::Store;
use duwang::web::Server;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::support::interfaces::{now, signed_query};

const TOKEN: &str = "token0fTheTest";

struct Receiver {
    server: std::net::SocketAddr,
    store: Store,
    stop: Option<oneshot::Sender<()>>,
    running: tokio::task::JoinHandle<anyhow::Result<()>>,
    _dir: TempDir,
}

impl Receiver {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        write("duwang.yaml", "web: {listen: \"127.0.0.1:0\"}\n");
        write("rules.yaml", "rules: []\n");
        write(
            "accounts.yaml",
            "units:\n  - {id: u, name: 州教育局, level: prefecture, region: 云岭州}\naccounts:\n  \
             - {id: wx, name: 云岭教育, unit: u, kind: wechat_subscription, platform_id: gh_0123456789ab, sources: [{kind: wechat_official, credential: wx}]}\n  \
             - {id: silent, name: 云岭发布, unit: u, kind: wechat_service}\n",
        );
        std::fs::create_dir(dir.path().join("credentials")).unwrap();
        write("credentials/wx", &format!("appid: wx01\nsecret: s\nevent_token: {TOKEN}\n"));
        let config = duwang::config::load(dir.path()).unwrap_or_else(|errors| panic!("{errors}"));
        let store = Store::connect(&config.settings.storage.url, dir.path()).await.unwrap();
        store.migrate().await.unwrap();
        let checker = Arc::new(Checker::built_in().unwrap());
        let engine = Engine::new(Arc::new(config), store.clone(), checker, Clock::Fixed(now())).unwrap();
        let (_, engines) = tokio::sync::watch::channel(Arc::new(engine));
        let server = Server::bind("127.0.0.1:0".parse().unwrap(), engines).await.unwrap();
        let address = server.address;
        let (stop, stopped) = oneshot::channel();
        let stopped = async move {
            let _ = stopped.await;
        };
        #[expect(clippy::disallowed_methods, reason = "the handle is awaited by `stop`")]
        let running = tokio::spawn(server.run(stopped));
        Self { server: address, store, stop: Some(stop), running, _dir: dir }
    }

    async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        self.running.await.unwrap().unwrap();
    }

    /// Status and body.
    async fn ask(&self, method: &str, target: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.server).await.unwrap();
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // A server that has refused already may have closed its end.
        let _ = stream.write_all(body.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    async fn n_posts(&self) -> usize {
        let mut tx = self.store.read().await.unwrap();
        tx.counted_posts(now() - chrono::TimeDelta::days(1), now()).await.unwrap().values().map(Vec::len).sum()
    }
}

fn event(account: &str, status: &str) -> String {
    let link = |idx: u32| {
        format!(
            "<item><ArticleIdx>{idx}</ArticleIdx><ArticleUrl><![CDATA[http://mp.weixin.qq.com/s?__biz=MzA0&mid=77&idx={idx}&sn=abc{idx}&chksm=1#rd]]></ArticleUrl></item>"
        )
    };
    format!(
        "<xml><ToUserName><![CDATA[{account}]]></ToUserName><FromUserName><![CDATA[o1]]></FromUserName>\
         <CreateTime>{}</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[MASSSENDJOBFINISH]]></Event>\
         <MsgID>1000001</MsgID><Status><![CDATA[{status}]]></Status><ArticleUrlResult><Count>2</Count><ResultList>{}{}\
         </ResultList></ArticleUrlResult></xml>",
        now().timestamp() - 60,
        link(1),
        link(2),
    )
}

#[tokio::test]
async fn wechat_is_shown_that_the_address_is_ours_and_nobody_else_is() {
    let receiver = Receiver::start().await;
    let ask = async |path: &str, query: String| receiver.ask("GET", &format!("{path}?{query}&echostr=5936"), "").await;
    assert_eq!(ask("/hooks/wechat/wx", signed_query(TOKEN, 10)).await, (200, "5936".to_owned()));
    assert_eq!(ask("/hooks/wechat/wx", signed_query("other", 10)).await.0, 403);
    assert_eq!(ask("/hooks/wechat/wx", signed_query(TOKEN, 3600)).await.0, 403);
    assert_eq!(ask("/hooks/wechat/silent", signed_query(TOKEN, 10)).await.0, 404);
    assert_eq!(ask("/hooks/wechat/nobody", signed_query(TOKEN, 10)).await.0, 404);
    assert_eq!(receiver.ask("GET", "/healthz", "").await.0, 200);
    assert_eq!(receiver.ask("GET", "/readyz", "").await, (200, "ready\n".to_owned()));
    let (status, metrics) = receiver.ask("GET", "/metrics", "").await;
    assert_eq!(status, 200);
    assert!(metrics.contains("duwang_notify_undelivered 0"), "{metrics}");
    receiver.stop().await;
}

#[tokio::test]
async fn the_page_tells_how_each_task_did_and_escapes_what_it_says() {
    let receiver = Receiver::start().await;
    let mut tx = receiver.store.write().await.unwrap();
    tx.plan_task("backup", now()).await.unwrap();
    assert!(tx.claim_task("backup", "one", now(), now()).await.unwrap());
    let next = now() + chrono::TimeDelta::days(1);
    tx.finish_task("backup", "one", now(), next, Err("<script>disk full</script>")).await.unwrap();
    tx.commit().await.unwrap();
    let (status, page) = receiver.ask("GET", "/", "").await;
    assert_eq!(status, 200);
    assert!(page.contains("数据备份") && page.contains("失败，将重试"), "{page}");
    assert!(page.contains("disk full") && !page.contains("<script"), "{page}");
    let local = next.with_timezone(&chrono_tz::Asia::Shanghai).format("%Y-%m-%d %H:%M:%S").to_string();
    assert!(page.contains(&local), "{page}");
    receiver.stop().await;
}

#[tokio::test]
async fn an_event_brings_its_articles_once() {
    let receiver = Receiver::start().await;
    let target = format!("/hooks/wechat/wx?{}", signed_query(TOKEN, 10));
    let good = event("gh_0123456789ab", "send success");
    assert_eq!(receiver.ask("POST", &target, &event("gh_of_somebody", "send success")).await.0, 403);
    assert_eq!(receiver.ask("POST", &target, &event("gh_0123456789ab", "err(10001)")).await.0, 200);
    assert_eq!(receiver.n_posts().await, 0);
    for _ in 0..3 {
        assert_eq!(receiver.ask("POST", &target, &good).await, (200, "success".to_owned()));
    }
    assert_eq!(receiver.n_posts().await, 2);
    assert_eq!(receiver.ask("POST", &format!("/hooks/wechat/wx?{}", signed_query("x", 10)), &good).await.0, 403);
    assert_eq!(receiver.ask("POST", &target, "no xml").await.0, 400);
    assert_eq!(receiver.ask("POST", &target, &"x".repeat(600 * 1024)).await.0, 413);
    // Their texts are to be fetched from their pages.
    assert_eq!(receiver.store.read().await.unwrap().count_to_fill().await.unwrap(), 2);
    receiver.stop().await;
}
