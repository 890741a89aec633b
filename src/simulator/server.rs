//! A small HTTP server on loopback that answers from memory and remembers what it was asked.
//!
//! It runs on a thread of its own, so it serves blocking and async callers alike and stops when it is dropped. It never
//! binds anything but 127.0.0.1, and knows nothing of the simulated world: [`super::platforms`] fills it.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Either, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{self, HeaderMap};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::interfaces::{SimAnswer, SimRequest};

/// Requests remembered; the oldest are forgotten first.
pub const LOG_RECORDS_MAX: usize = 200_000;
/// Answers under way when the server is dropped get this long to finish.
const STOP_GRACE: Duration = Duration::from_millis(500);
/// Pause after a failed accept (no file descriptors left), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// What stands at one path.
#[derive(Clone, Debug)]
pub struct Route {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    /// Sent, and answered with 304 where `If-None-Match` names it.
    pub etag: Option<String>,
    /// Sent, and answered with 304 where `If-Modified-Since` repeats it and no `If-None-Match` is asked.
    pub last_modified: Option<String>,
    pub delivery: Delivery,
}

/// How much of the answer arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    Whole,
    /// `Content-Length` names the whole body, half of it arrives, the connection closes.
    Truncated,
    /// The first requests are answered 429 with `Retry-After`.
    Limited {
        first: u32,
        retry_after_s: u32,
    },
}

impl Route {
    pub fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            body: body.into(),
            etag: None,
            last_modified: None,
            delivery: Delivery::Whole,
        }
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    #[must_use]
    pub fn etag(mut self, etag: impl Into<String>) -> Self {
        self.etag = Some(etag.into());
        self
    }

    #[must_use]
    pub fn last_modified(mut self, date: impl Into<String>) -> Self {
        self.last_modified = Some(date.into());
        self
    }

    #[must_use]
    pub fn delivery(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }
}

/// One request and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRecord {
    /// Path and query.
    pub path: String,
    /// Status answered.
    pub status: u16,
    /// The request carried a validator.
    pub conditional: bool,
}

/// A running server; stops when dropped.
#[derive(Debug)]
pub struct StaticServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    _running: Running,
}

impl StaticServer {
    /// Serves `routes` (by path and query) on a free port.
    pub fn serve(routes: HashMap<String, Route>) -> io::Result<Self> {
        Self::serve_at(0, routes)
    }

    /// Serves on the given port of 127.0.0.1; 0 = a free one.
    pub fn serve_at(port: u16, routes: HashMap<String, Route>) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (address, running) = run(port, Service::Stored(Arc::clone(&shared)))?;
        let server = Self { address, shared, _running: running };
        server.set_routes(routes);
        Ok(server)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The whole address of a path that starts with `/`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Puts a route in place; one that stood there is replaced, and its count of requests starts anew.
    pub fn set_route(&self, path: &str, route: Route) {
        let mut routes = self.shared.routes.write().unwrap_or_else(PoisonError::into_inner);
        routes.insert(path.to_owned(), Arc::new(Stored { route, n_asked: AtomicU32::new(0) }));
    }

    /// Adds many routes.
    pub fn set_routes(&self, routes: HashMap<String, Route>) {
        for (path, route) in routes {
            self.set_route(&path, route);
        }
    }

    /// Takes every route away.
    pub fn clear_routes(&self) {
        self.shared.routes.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The requests so far, oldest first (the last [`LOG_RECORDS_MAX`]).
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.shared.log().iter().cloned().collect()
    }

    /// How many requests were answered since the start.
    pub fn n_requests(&self) -> u64 {
        self.shared.n_requests.load(Ordering::Relaxed)
    }

    /// Forgets the requests so far; the counter stays.
    pub fn clear_requests(&self) {
        self.shared.log().clear();
    }
}

#[derive(Debug, Default)]
struct Shared {
    routes: RwLock<HashMap<String, Arc<Stored>>>,
    log: Mutex<VecDeque<RequestRecord>>,
    n_requests: AtomicU64,
}

#[derive(Debug)]
struct Stored {
    route: Route,
    n_asked: AtomicU32,
}

type Body = Either<Full<Bytes>, UnsyncBoxBody<Bytes, Infallible>>;

impl Shared {
    fn log(&self) -> MutexGuard<'_, VecDeque<RequestRecord>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, record: RequestRecord) {
        self.n_requests.fetch_add(1, Ordering::Relaxed);
        let mut log = self.log();
        if log.len() >= LOG_RECORDS_MAX {
            log.pop_front();
        }
        log.push_back(record);
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<Body> {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let stored = self.routes.read().unwrap_or_else(PoisonError::into_inner).get(&path).cloned();
        let headers = request.headers();
        let conditional =
            headers.contains_key(header::IF_NONE_MATCH) || headers.contains_key(header::IF_MODIFIED_SINCE);
        let response = match stored {
            _ if request.method() != Method::GET && request.method() != Method::HEAD => {
                plain(405, "method not allowed")
            }
            None => plain(404, "not found"),
            Some(stored) => stored.answer(headers),
        };
        self.remember(RequestRecord { path, status: response.status().as_u16(), conditional });
        response
    }
}

impl Stored {
    fn answer(&self, asked: &HeaderMap) -> Response<Body> {
        let route = &self.route;
        // Saturates: a route that always refuses must not begin to answer after 2³² requests.
        let count = |asked: u32| Some(asked.saturating_add(1));
        let n_before = self.n_asked.fetch_update(Ordering::Relaxed, Ordering::Relaxed, count).unwrap_or(u32::MAX);
        if let Delivery::Limited { first, retry_after_s } = route.delivery
            && (n_before < first || first == u32::MAX)
        {
            return build(429, &[("retry-after".to_owned(), retry_after_s.to_string())], whole("too many requests"));
        }
        let mut headers = route.headers.clone();
        headers.extend(route.etag.iter().map(|etag| ("etag".to_owned(), etag.clone())));
        headers.extend(route.last_modified.iter().map(|date| ("last-modified".to_owned(), date.clone())));
        if self.is_unchanged(asked) {
            return build(304, &headers, whole(Bytes::new()));
        }
        if route.delivery == Delivery::Truncated {
            headers.push(("content-length".to_owned(), route.body.len().to_string()));
            return build(route.status, &headers, half_of(&route.body));
        }
        build(route.status, &headers, whole(route.body.clone()))
    }

    fn is_unchanged(&self, asked: &HeaderMap) -> bool {
        let route = &self.route;
        let value = |name| asked.get(name).map(header::HeaderValue::as_bytes);
        match (value(header::IF_NONE_MATCH), value(header::IF_MODIFIED_SINCE)) {
            (Some(etag), _) => route.etag.as_ref().is_some_and(|own| own.as_bytes() == etag),
            (None, Some(date)) => route.last_modified.as_ref().is_some_and(|own| own.as_bytes() == date),
            (None, None) => false,
        }
    }
}

fn plain(status: u16, text: &'static str) -> Response<Body> {
    build(status, &[("content-type".to_owned(), "text/plain".to_owned())], whole(text))
}

fn whole(body: impl Into<Bytes>) -> Body {
    Either::Left(Full::new(body.into()))
}

/// The first half, sent before the body ends too early: hyper drops what it has not flushed by then, so the stream
/// waits one turn.
fn half_of(body: &Bytes) -> Body {
    let half = stream::iter([Ok(Frame::data(body.slice(..body.len() / 2)))]);
    let turn = stream::once(async {
        tokio::task::yield_now().await;
        Ok(Frame::data(Bytes::new()))
    });
    Either::Right(StreamBody::new(half.chain(turn)).boxed_unsync())
}

/// A response; a status or header that HTTP does not allow becomes a 500, which no test expects.
fn build(status: u16, headers: &[(String, String)], body: Body) -> Response<Body> {
    let mut builder = Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(name, value);
    }
    builder.body(body).unwrap_or_else(|_| {
        let mut failed = Response::new(whole("the route holds an impossible status or header"));
        *failed.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        failed
    })
}

/// How the bytes of an answer travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    Whole,
    /// One byte, then nothing more until the server stops.
    Drip,
}

/// Answers one request.
pub type Answerer = Arc<dyn Fn(SimRequest) -> (SimAnswer, Wire) + Send + Sync>;

/// A running server whose answers are computed; stops when dropped.
pub struct DynamicServer {
    address: SocketAddr,
    _running: Running,
}

impl std::fmt::Debug for DynamicServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DynamicServer").field("address", &self.address).finish_non_exhaustive()
    }
}

impl DynamicServer {
    /// Serves on a free port of 127.0.0.1.
    pub fn serve(answerer: Answerer) -> io::Result<Self> {
        let (address, running) = run(0, Service::Computed(answerer))?;
        Ok(Self { address, _running: running })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Who answers the requests of a server.
#[derive(Clone)]
enum Service {
    Stored(Arc<Shared>),
    Computed(Answerer),
}

impl Service {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        match self {
            Self::Stored(shared) => shared.answer(&request),
            Self::Computed(answerer) => {
                let (answer, wire) = answerer(plain_request(request).await);
                match wire {
                    Wire::Whole => build(answer.status, &answer.headers, whole(answer.body)),
                    Wire::Drip => build(answer.status, &answer.headers, drip(&answer.body)),
                }
            }
        }
    }
}

async fn plain_request(request: Request<Incoming>) -> SimRequest {
    let (head, body) = request.into_parts();
    let query = head.uri.query().unwrap_or_default();
    let headers = head.headers.iter();
    let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    SimRequest {
        is_post: head.method == Method::POST,
        path: head.uri.path().to_owned(),
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: headers
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
        body: serde_json::from_slice(&bytes).unwrap_or_default(),
        bytes: bytes.to_vec(),
    }
}

fn drip(body: &[u8]) -> Body {
    let first = stream::iter([Ok(Frame::data(Bytes::copy_from_slice(&body[..body.len().min(1)])))]);
    Either::Right(StreamBody::new(first.chain(stream::pending())).boxed_unsync())
}

/// Starts a thread that serves until the handle is dropped.
fn run(port: u16, service: Service) -> io::Result<(SocketAddr, Running)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (stop, stopped) = watch::channel(false);
    let body = move || runtime.block_on(accept(listener, service, stopped));
    let thread = std::thread::Builder::new().name(format!("simulator-{}", address.port())).spawn(body)?;
    Ok((address, Running { stop, thread: Some(thread) }))
}

/// The thread of a server; dropping it stops the server.
#[derive(Debug)]
struct Running {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // A panic of the server thread was printed when it happened; there is nobody left to tell.
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, service: Service, mut stopped: watch::Receiver<bool>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(stream, service.clone(), stopped.clone()));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
            _ = stopped.changed() => break,
        }
    }
    drop(listener);
    let finished = async { while connections.join_next().await.is_some() {} };
    // What is still under way after the grace is aborted when the set is dropped.
    let _ = tokio::time::timeout(STOP_GRACE, finished).await;
}

/// One connection until the peer closes it or the server stops.
async fn converse(stream: TcpStream, answers: Service, mut stopped: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let answers = answers.clone();
        async move { Ok::<_, Infallible>(answers.answer(request).await) }
    });
    let mut connection = std::pin::pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    // A peer that went away and a body cut short on purpose both end in an error here: neither is of interest.
    tokio::select! {
        _ = connection.as_mut() => {}
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}
