//! A web server for tests on the loopback.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use url::Url;

/// A web server that answers with the very bytes a test gives it.
pub(in crate::source) struct Server {
    pub(in crate::source) addr: SocketAddr,
    /// Heads of the requests so far.
    requests: Arc<Mutex<Vec<String>>>,
    /// Ends with the test.
    _tasks: JoinSet<()>,
}

/// What to send, and whether to keep the connection open without sending more.
pub(in crate::source) struct Reply {
    pub(in crate::source) bytes: Vec<u8>,
    pub(in crate::source) hang: bool,
}

type Handler = dyn Fn(usize, &str) -> Reply + Send + Sync;

impl Server {
    /// `handler` gets the number of the request, from 0, and its head.
    pub(in crate::source) async fn start(handler: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let handler: Arc<Handler> = Arc::new(handler);
        let mut tasks = JoinSet::new();
        let seen = Arc::clone(&requests);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&handler), Arc::clone(&seen)));
            }
        });
        Self { addr, requests, _tasks: tasks }
    }

    pub(in crate::source) fn url(&self, path: &str) -> Url {
        format!("http://{}{path}", self.addr).parse().unwrap()
    }

    pub(in crate::source) fn n_requests(&self) -> usize {
        self.requests.lock().unwrap().len()
    }

    pub(in crate::source) fn request(&self, index: usize) -> String {
        self.requests.lock().unwrap()[index].clone()
    }
}

async fn serve(mut stream: TcpStream, handler: Arc<Handler>, requests: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let index = {
        let mut requests = requests.lock().unwrap();
        requests.push(head.clone());
        requests.len() - 1
    };
    let reply = handler(index, &head);
    // A client that hangs up early is what some tests are about.
    let _ = stream.write_all(&reply.bytes).await;
    if reply.hang {
        std::future::pending::<()>().await;
    }
}

pub(in crate::source) fn reply(status: &str, headers: &str, body: &[u8]) -> Reply {
    let length = body.len();
    raw(&format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n"), body)
}

pub(in crate::source) fn raw(head: &str, body: &[u8]) -> Reply {
    Reply { bytes: [head.as_bytes(), body].concat(), hang: false }
}

pub(in crate::source) fn redirect(to: &str) -> Reply {
    reply("302 Found", &format!("Location: {to}\r\n"), b"")
}
