//! The download page of a mobile application, and its package (`/app.apk`), which honours ranges.
//!
//! The newest item is the newest version: its title is the version, its time the day it came out. An account of the id
//! [`PACKAGE_ID`] has no page: its address leads to the package.

use chrono::{DateTime, FixedOffset, Utc};

use super::{InterfaceFault, Seeded, SimAnswer, SimRequest};

/// See the module's header.
pub const PACKAGE_ID: &str = "package-only";
const PACKAGE_PATH: &str = "/app.apk";
/// Beginning of a package: a ZIP file.
const PACKAGE_HEAD: &[u8] = &[0x50, 0x4b, 3, 4];

pub fn respond(
    account: &Seeded,
    request: &SimRequest,
    fault: Option<InterfaceFault>,
    _now: DateTime<Utc>,
) -> SimAnswer {
    match fault {
        None => {}
        Some(InterfaceFault::AccountCancelled) => return SimAnswer::html(410, "<!doctype html><title>已下架</title>"),
        Some(InterfaceFault::AccountBanned) => return SimAnswer::html(404, "<!doctype html><title>404</title>"),
        Some(InterfaceFault::RateLimited) => return SimAnswer::html(429, "<!doctype html><title>429</title>"),
        Some(InterfaceFault::LoginExpired | InterfaceFault::PermissionMissing) => {
            return SimAnswer::html(403, "<!doctype html><title>403</title>");
        }
        Some(InterfaceFault::EmptySuccess | InterfaceFault::NullList) => {
            let gone = "<!doctype html><html><head><title>云岭通</title></head><body>该应用暂不提供下载</body></html>";
            return SimAnswer::html(200, gone);
        }
        Some(_) => return SimAnswer::unknown_fault(),
    }
    if account.id == PACKAGE_ID && request.path == "/" {
        return SimAnswer::redirect(PACKAGE_PATH);
    }
    if request.path == PACKAGE_PATH {
        let status = if request.header("range").is_empty() { 200 } else { 206 };
        let kind = "application/vnd.android.package-archive".to_owned();
        return SimAnswer {
            status,
            headers: vec![("content-type".to_owned(), kind)],
            body: [PACKAGE_HEAD, &[0; 1020]].concat(),
        };
    }
    let Some(newest) = account.items.last().filter(|_| request.path == "/") else { return SimAnswer::not_found() };
    let local = FixedOffset::east_opt(8 * 3600).map(|zone| newest.published_at.with_timezone(&zone));
    let day = local.map(|local| local.format("%Y-%m-%d").to_string()).unwrap_or_default();
    let page = format!(
        "<!doctype html><html><head><title>{name}</title></head><body><h1>{name}</h1><p>为民办事，一端通办。</p>\
         <a href=\"{PACKAGE_PATH}\">安卓下载</a><div class=\"version\">版本：{version}</div>\
         <div class=\"date\">更新日期：{day}</div></body></html>",
        name = account.name,
        version = newest.title,
    );
    // Some servers cut pages as well.
    if request.header("range").is_empty() {
        SimAnswer::html(200, &page)
    } else {
        SimAnswer::html(206, &page[..page.floor_char_boundary(40)])
    }
}
