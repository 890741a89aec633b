//! The simulated platforms: a [`World`] served by several loopback hosts, each with its own manners.
//!
//! | host | manners |
//! |---|---|
//! | `Bridge` | well kept: `ETag`, `Last-Modified`, 304 |
//! | `SecondBridge` | JSON Feed and Atom, weak `ETag` |
//! | `StaleBridge` | 200, fresh `lastBuildDate`, content that stopped nine days ago |
//! | `LimitedBridge` | 429 with `Retry-After` first; one account is refused for ever |
//! | `FaultyBridge` | empty success, HTML error page, 503, truncated body, 404 |
//! | `Articles` | WeChat article pages `/s/KEY`, and each notice at `/s/notice-…` |
//! | `Site` | list pages with paging, a feed of its own, pages of posts |

use std::collections::{BTreeMap, HashMap};
use std::io;

use chrono::{DateTime, TimeDelta, Utc};

use super::content::{SimAccount, SimPost, World};
use super::interfaces::respond_of;
use super::interfaces::seed::seeded;
use super::interfaces::server::InterfaceServer;
use super::pages::{self, Notice};
use super::registry::{Behaviour, Channel, Fault, FeedStyle, HostName};
use super::render::{self, Addresses};
use super::server::{Delivery, RequestRecord, Route, StaticServer};
use crate::model::{AccountId, digest_hex};

/// The content of the stale bridge stops this long before the world's end.
pub const STALE_SINCE: TimeDelta = TimeDelta::days(9);

const HTML: &str = "text/html; charset=utf-8";

/// How the platforms are started.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Port of the first host; the others follow in the order of [`HostName::ALL`]. 0 = free ports. With fixed ports
    /// the same world has the same addresses on every run.
    pub first_port: u16,
}

/// Running platforms; they stop when dropped.
#[derive(Debug)]
pub struct Platforms {
    world: World,
    hosts: BTreeMap<HostName, StaticServer>,
    interfaces: BTreeMap<AccountId, InterfaceServer>,
    addresses: Addresses,
}

impl Platforms {
    /// Binds the hosts on 127.0.0.1 and serves the world.
    pub fn start(world: World, options: Options) -> io::Result<Self> {
        let mut hosts = BTreeMap::new();
        let mut addresses = Addresses::default();
        for (offset, name) in (0_u16..).zip(HostName::ALL) {
            let port = if options.first_port == 0 { 0 } else { options.first_port.saturating_add(offset) };
            let server = StaticServer::serve_at(port, HashMap::new())?;
            addresses.0.insert(name, server.base_url());
            hosts.insert(name, server);
        }
        let mut interfaces = BTreeMap::new();
        for account in world.accounts() {
            let Some((interface, fault)) = account.channel.interface() else { continue };
            let server = InterfaceServer::start(respond_of(interface), seeded(interface, account), world.end())?;
            server.set_fault(fault);
            interfaces.insert(account.id.clone(), server);
        }
        let mut platforms = Self { world: world.clone(), hosts, interfaces, addresses };
        platforms.publish(world);
        Ok(platforms)
    }

    /// Replaces what is served by another state of the world (after [`World::rectify`], or a later end). Faults that a
    /// test had set are gone; requests stay counted.
    pub fn publish(&mut self, world: World) {
        self.world = world;
        for (name, server) in &self.hosts {
            server.clear_routes();
            server.set_routes(routes_of(*name, &self.world, &self.addresses));
        }
        for account in self.world.accounts() {
            if let (Some((interface, _)), Some(server)) =
                (account.channel.interface(), self.interfaces.get(&account.id))
            {
                server.change(|shown| *shown = seeded(interface, account));
            }
        }
    }

    pub fn world(&self) -> &World {
        &self.world
    }

    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Where the account's interface answers; `None` where it has none.
    pub fn interface_url(&self, account: &SimAccount) -> Option<String> {
        self.interfaces.get(&account.id).map(InterfaceServer::base_url)
    }

    /// Where the account's source is to be found; `None` where it has none.
    pub fn source_url(&self, account: &SimAccount) -> Option<String> {
        let host = account.channel.host()?;
        Some(format!("{}{}", self.addresses.base(host), source_path(account)))
    }

    /// Lets an account's source fail, or (`None`) behave as a healthy source does.
    pub fn set_fault(&self, id: &AccountId, fault: Option<Fault>) {
        let Some(account) = self.world.account(id) else { return };
        let Some(server) = account.channel.host().and_then(|host| self.hosts.get(&host)) else { return };
        server.set_route(&source_path(account), source_route(account, fault, &self.world, &self.addresses));
    }

    /// Replaces an article page by a notice.
    pub fn set_notice(&self, post_key: &str, notice: Notice) {
        if let Some(server) = self.hosts.get(&HostName::Articles) {
            server.set_route(&format!("/s/{post_key}"), Route::new(200, HTML, pages::notice(notice)));
        }
    }

    /// One host, for routes of a test's own.
    pub fn host(&self, name: HostName) -> Option<&StaticServer> {
        self.hosts.get(&name)
    }

    /// The requests so far, in order within each host.
    pub fn requests(&self) -> Vec<(HostName, RequestRecord)> {
        let of_host = |(name, server): (&HostName, &StaticServer)| {
            let name = *name;
            server.requests().into_iter().map(move |record| (name, record))
        };
        self.hosts.iter().flat_map(of_host).collect()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.hosts.values().for_each(StaticServer::clear_requests);
    }
}

/// Path of the account's source on its host.
pub fn source_path(account: &SimAccount) -> String {
    match account.channel {
        Channel::SiteList => pages::list_path(account, 1),
        _ => format!("/feeds/{}.{}", account.id, render::file_ending(style(account.channel))),
    }
}

fn style(channel: Channel) -> FeedStyle {
    match channel {
        Channel::Bridge(style) | Channel::SecondBridge(style) => style,
        Channel::SiteFeed => FeedStyle::Atom,
        _ => FeedStyle::RssHub,
    }
}

fn routes_of(host: HostName, world: &World, addresses: &Addresses) -> HashMap<String, Route> {
    let mut routes = HashMap::new();
    for account in world.accounts() {
        if account.channel.host() == Some(host) {
            let route = source_route(account, own_fault(account), world, addresses);
            routes.insert(source_path(account), route);
        }
        match host {
            HostName::Articles if account.is_wechat() => routes.extend(account.posts.iter().map(|post| {
                (format!("/s/{}", post.key), Route::new(200, HTML, pages::article(account, post, addresses)))
            })),
            HostName::Site => routes.extend(site_routes(account, world, addresses)),
            _ => {}
        }
    }
    if host == HostName::Articles {
        routes.extend(
            Notice::ALL
                .map(|(word, notice)| (format!("/s/notice-{word}"), Route::new(200, HTML, pages::notice(notice)))),
        );
    }
    routes
}

fn site_routes(account: &SimAccount, world: &World, addresses: &Addresses) -> Vec<(String, Route)> {
    let mut routes = Vec::new();
    if account.channel == Channel::SiteList {
        let older = pages::list_pages(account, addresses).into_iter().enumerate().skip(1);
        let page_route = |body| Route::new(200, HTML, body).last_modified(http_date(world.end()));
        routes.extend(older.map(|(number, body)| (pages::list_path(account, number + 1), page_route(body))));
    }
    if !account.is_wechat() {
        let page =
            |post: &SimPost| (format!("/p/{}.html", post.key), Route::new(200, HTML, pages::site_post(account, post)));
        routes.extend(account.posts.iter().map(page));
    }
    routes
}

/// The fault that the world itself gives the account.
fn own_fault(account: &SimAccount) -> Option<Fault> {
    match account.channel {
        Channel::FaultyBridge(fault) => Some(fault),
        Channel::LimitedBridge if account.behaviour == Behaviour::Lazy => {
            Some(Fault::RateLimited { first: u32::MAX, retry_after_s: 3600 })
        }
        Channel::LimitedBridge => Some(Fault::RateLimited { first: 1, retry_after_s: 1 }),
        _ => None,
    }
}

fn source_route(account: &SimAccount, fault: Option<Fault>, world: &World, addresses: &Addresses) -> Route {
    let healthy = || healthy_route(account, listed(account, world), world, addresses);
    match fault {
        None => healthy(),
        Some(Fault::EmptySuccess) => healthy_route(account, &[], world, addresses),
        Some(Fault::HtmlErrorPage) => Route::new(200, HTML, pages::bridge_error(502)),
        Some(Fault::Unavailable) => Route::new(503, HTML, pages::bridge_error(503)),
        Some(Fault::Truncated) => healthy().delivery(Delivery::Truncated),
        Some(Fault::NotFound) => {
            Route::new(404, "application/json", r#"{"detail":{"code":40401,"message":"公众号不存在"}}"#)
        }
        Some(Fault::RateLimited { first, retry_after_s }) => {
            healthy().delivery(Delivery::Limited { first, retry_after_s })
        }
    }
}

/// The posts that the account's source knows of, oldest first.
fn listed<'a>(account: &'a SimAccount, world: &World) -> &'a [SimPost] {
    let stopped_at = match account.channel {
        Channel::StaleBridge => world.end() - STALE_SINCE,
        _ => world.end(),
    };
    &account.posts[..account.posts.partition_point(|post| post.published_at <= stopped_at)]
}

fn healthy_route(account: &SimAccount, posts: &[SimPost], world: &World, addresses: &Addresses) -> Route {
    if account.channel == Channel::SiteList {
        let first = pages::list_pages(account, addresses).into_iter().next().unwrap_or_default();
        return Route::new(200, HTML, first).last_modified(http_date(world.end()));
    }
    let style = style(account.channel);
    let body = render::feed(style, account, posts, addresses, world.end());
    let digest = digest_hex([body.as_str()], 16);
    let newest = posts.last().map_or(world.end(), |post| post.published_at);
    let route = Route::new(200, render::content_type(style), body);
    match account.channel {
        Channel::StaleBridge => route,
        Channel::SecondBridge(_) => route.etag(format!("W/\"{digest}\"")),
        _ => route.etag(format!("\"{digest}\"")).last_modified(http_date(newest)),
    }
}

fn http_date(instant: DateTime<Utc>) -> String {
    instant.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
