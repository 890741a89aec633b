//! Puts a simulated interface on loopback, and breaks the wire where a fault says so.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};

use super::{InterfaceFault, Respond, Seeded, SimAnswer, SimRequest};
use crate::simulator::server::{DynamicServer, Wire};

/// Size of the page of [`InterfaceFault::HugePage`].
const HUGE_BYTES: usize = 5 * 1024 * 1024;
/// A gzip header and the beginning of a deflate stream that never goes on.
const BROKEN_GZIP: &[u8] = &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab, 0x56];
const CAPTCHA_PAGE: &str = "<!doctype html><html><head><title>安全验证</title></head><body>请完成验证</body></html>";

/// One platform with one account, on a port of its own; stops when dropped.
#[derive(Debug)]
pub struct InterfaceServer {
    server: DynamicServer,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    account: Seeded,
    fault: Option<InterfaceFault>,
    requests: Vec<SimRequest>,
}

impl InterfaceServer {
    /// Serves the account as the platform does at `now`.
    pub fn start(respond: Respond, account: Seeded, now: DateTime<Utc>) -> io::Result<Self> {
        let state = Arc::new(Mutex::new(State { account, fault: None, requests: Vec::new() }));
        let shared = Arc::clone(&state);
        let server = DynamicServer::serve(Arc::new(move |request: SimRequest| {
            let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
            let answer = answer(respond, &state, &request, now);
            state.requests.push(request);
            answer
        }))?;
        Ok(Self { server, state })
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// `http://127.0.0.1:PORT/`.
    pub fn base_url(&self) -> String {
        format!("http://{}/", self.server.address())
    }

    /// From now on the interface does this, or (`None`) answers well.
    pub fn set_fault(&self, fault: Option<InterfaceFault>) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).fault = fault;
    }

    /// Changes what the account shows.
    pub fn change(&self, change: impl FnOnce(&mut Seeded)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).account);
    }

    /// The requests so far, oldest first.
    pub fn requests(&self) -> Vec<SimRequest> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).requests.clone()
    }
}

fn answer(respond: Respond, state: &State, request: &SimRequest, now: DateTime<Utc>) -> (SimAnswer, Wire) {
    let well = || respond(&state.account, request, None, now);
    let Some(fault) = state.fault else { return (well(), Wire::Whole) };
    match fault {
        InterfaceFault::EmptyBody => (SimAnswer { body: Vec::new(), ..well() }, Wire::Whole),
        InterfaceFault::SlowDrip => (well(), Wire::Drip),
        InterfaceFault::TruncatedGzip => {
            let mut answer = SimAnswer { status: 200, body: BROKEN_GZIP.to_vec(), ..well() };
            answer.headers.push(("content-encoding".to_owned(), "gzip".to_owned()));
            (answer, Wire::Whole)
        }
        InterfaceFault::RedirectLoop => (SimAnswer::redirect(&request.path), Wire::Whole),
        InterfaceFault::HugePage => (SimAnswer::html(200, &"填".repeat(HUGE_BYTES / 3)), Wire::Whole),
        InterfaceFault::Unavailable => (SimAnswer::html(503, "<!doctype html><title>503</title>"), Wire::Whole),
        InterfaceFault::TruncatedJson => {
            let mut answer = well();
            answer.body.truncate(answer.body.len() / 2);
            (answer, Wire::Whole)
        }
        InterfaceFault::CaptchaPage => (SimAnswer::html(200, CAPTCHA_PAGE), Wire::Whole),
        _ => (respond(&state.account, request, Some(fault), now), Wire::Whole),
    }
}
