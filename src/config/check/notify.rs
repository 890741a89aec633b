//! The section `notify` of `duwang.yaml` → channels and routes.

use std::net::IpAddr;

use super::Known;
use super::rules::reference;
use crate::config::notify::{Channel, ChannelKind, ChannelSpec, MailSettings, MailTls, NotifySettings, Route};
use crate::config::reader::{Field, Table};
use crate::config::values::{self, Fault};
use crate::model::message::MessageKind;
use crate::model::{AccountId, UnitId};

/// Most channels, routes, and values in one list of a route.
const ENTRIES_MAX: usize = 1_000;
/// Most recipients of one mail.
const RECIPIENTS_MAX: usize = 100;
/// Longest mail address, in bytes (RFC 5321).
const ADDRESS_BYTES_MAX: usize = 254;

pub(super) fn check(table: &Table<'_>, known: Option<&Known>) -> NotifySettings {
    let mut settings = NotifySettings::default();
    // Also those of channels with errors, so that routes to them are not errors too.
    let mut names = Vec::new();
    for item in table.optional("channels").map(|field| limited(&field, ENTRIES_MAX)).unwrap_or_default() {
        let Some(table) = item.table() else { continue };
        settings.channels.extend(channel(&table, &mut names));
        table.finish();
    }
    for item in table.optional("routes").map(|field| limited(&field, ENTRIES_MAX)).unwrap_or_default() {
        let Some(table) = item.table() else { continue };
        settings.routes.extend(route(&table, &names, known));
        table.finish();
    }
    settings
}

fn channel(table: &Table<'_>, names: &mut Vec<String>) -> Option<Channel> {
    let name = table.required("name").and_then(|field| {
        let name = field.read(values::id)?;
        if names.contains(&name) {
            field.wrong(Fault::new("is the name of a channel above", "give each channel its own name"));
        }
        names.push(name.clone());
        Some(name)
    });
    let kind = table.required("kind").and_then(|field| field.read(|text| values::word(text, ChannelKind::ALL)));
    // Mail may go over a relay that knows this machine; everything else needs its secret.
    let may_lack = kind.is_none_or(|kind| kind == ChannelKind::Mail);
    let credential = if may_lack { table.optional("credential") } else { table.required("credential") };
    let read = credential.as_ref().map(|field| field.read(values::id));
    let spec = match kind {
        Some(ChannelKind::Wecom) => Some(ChannelSpec::Wecom),
        Some(ChannelKind::Dingtalk) => Some(ChannelSpec::Dingtalk),
        Some(ChannelKind::Feishu) => Some(ChannelSpec::Feishu),
        Some(ChannelKind::Webhook) => Some(ChannelSpec::Webhook),
        Some(ChannelKind::Mail) => mail(table).map(ChannelSpec::Mail),
        // Of a kind that is none, no further key is wrong.
        None => {
            for key in ["host", "port", "from", "to", "tls"] {
                table.optional(key);
            }
            None
        }
    };
    let credential = match read {
        Some(credential) => Some(credential?),
        None if may_lack => None,
        None => return None,
    };
    Some(Channel { name: name?, spec: spec?, credential })
}

fn mail(table: &Table<'_>) -> Option<MailSettings> {
    let host = table.required("host").and_then(|field| field.read(mail_host));
    let tls = match table.optional("tls") {
        None => Some(MailTls::Implicit),
        Some(field) => field.read(|text| values::word(text, MailTls::ALL)).inspect(|tls| {
            if *tls == MailTls::None && host.as_deref().is_some_and(|host| !is_this_machine(host)) {
                let remedy = "write `implicit` or `starttls`; `none` is for a relay on this machine (`127.0.0.1`)";
                field.wrong(Fault::new("would send the mail in the clear", remedy));
            }
        }),
    };
    let port = match table.optional("port") {
        None => tls.map(MailTls::usual_port),
        Some(field) => field.read(|text| values::whole(text, 1, 65_535)).and_then(|port| u16::try_from(port).ok()),
    };
    let from = table.required("from").and_then(|field| field.read(mail_address));
    let to = table.required("to").map(|field| {
        let items = limited(&field, RECIPIENTS_MAX);
        if items.is_empty() {
            field.wrong(Fault::new("names nobody", "write `[office@example.org]`"));
        }
        items.iter().filter_map(|item| item.read(mail_address)).collect()
    });
    Some(MailSettings { host: host?, port: port?, from: from?, to: to?, tls: tls? })
}

fn route(table: &Table<'_>, channels: &[String], known: Option<&Known>) -> Option<Route> {
    let what = needed(table, "what", |item| item.read(|text| values::word(text, MessageKind::ALL)));
    let to = needed(table, "to", |item| {
        let name = item.read(values::id)?;
        if !channels.contains(&name) {
            item.wrong(Fault::new("is not a channel above", "add it under `channels` or correct the name"));
        }
        Some(name)
    });
    let units = some(table, "units", |item| {
        let remedy = "add it under `units` in the registry or correct the id";
        reference(item, known.map(|known| &known.units), "is not a unit of the registry", remedy).map(UnitId::new)
    });
    let regions = some(table, "regions", |item| {
        let region = item.read(values::line)?;
        if known.is_some_and(|known| !known.regions.contains(&region)) {
            let remedy = "write the region as a unit of the registry has it";
            item.wrong(Fault::new("is not the region of any unit", remedy));
        }
        Some(region)
    });
    let accounts = some(table, "accounts", |item| {
        let remedy = "add it under `accounts` in the registry or correct the id";
        reference(item, known.map(|known| &known.accounts), "is not an account of the registry", remedy)
            .map(AccountId::new)
    });
    Some(Route { what: what?, to: to?, units, regions, accounts })
}

/// A list that must be there and name something.
fn needed<'a, T>(table: &Table<'a>, key: &'static str, read: impl Fn(&Field<'a>) -> Option<T>) -> Option<Vec<T>> {
    let field = table.required(key)?;
    let items = limited(&field, ENTRIES_MAX);
    if items.is_empty() {
        field.wrong(Fault::new("is an empty list", "name at least one, or remove the route"));
    }
    Some(items.iter().filter_map(read).collect())
}

/// A list that restricts where it is there.
fn some<'a, T>(table: &Table<'a>, key: &'static str, read: impl Fn(&Field<'a>) -> Option<T>) -> Vec<T> {
    let Some(field) = table.optional(key) else { return Vec::new() };
    let items = limited(&field, ENTRIES_MAX);
    if items.is_empty() {
        // An empty list would not restrict at all, which nobody means who writes it.
        field.wrong(Fault::new("is an empty list", "remove the key: without it the route is not restricted"));
    }
    items.iter().filter_map(read).collect()
}

fn limited<'a>(field: &Field<'a>, max: usize) -> Vec<Field<'a>> {
    let mut items = field.items();
    if items.len() > max {
        field.wrong(Fault::new(format!("has more than {max} entries"), "remove some"));
        items.clear();
    }
    items
}

/// The name or address of a mail server.
fn mail_host(text: &str) -> Result<String, Fault> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let fine = text.parse::<IpAddr>().is_ok()
        || (!text.is_empty() && text.len() <= 253 && text.bytes().all(is_plain) && !text.starts_with(['.', '-']));
    let remedy = "write a host such as `smtp.example.org`; the port stands in `port`";
    if fine { Ok(text.to_owned()) } else { Err(Fault::new("is not a host", remedy)) }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn mail_address(text: &str) -> Result<String, Fault> {
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '(' | ')' | ',' | ';' | ':' | '"' | '\\');
    let fine = text.len() <= ADDRESS_BYTES_MAX
        && text.chars().all(is_plain)
        && text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && mail_host(host).is_ok());
    let remedy = "write an address alone, such as `office@example.org`";
    if fine { Ok(text.to_owned()) } else { Err(Fault::new("is not a mail address", remedy)) }
}
