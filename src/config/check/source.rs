//! One source of an account: an entry of `sources`, or a line of an import table.

use std::collections::BTreeMap;

use chrono::format::{self, Item, Parsed, StrftimeItems};
use chrono::{DateTime, FixedOffset};
use url::Url;

use crate::config::reader::{Field, Report, Table};
use crate::config::tree::{Entry, Node, Place, Value};
use crate::config::values::{self, Fault};
use crate::model::AccountId;
use crate::model::account::{Bridge, Freshness, HtmlListSpec, Source, SourceSpec};
use crate::model::interface::{Interface, InterfaceSpec};

/// Longest CSS selector, in bytes.
const SELECTOR_BYTES_MAX: usize = 1_000;
/// Longest id of a platform, in bytes.
const PARAMETER_BYTES_MAX: usize = 200;
/// Longest date format, in bytes.
const FORMAT_BYTES_MAX: usize = 100;
/// Most list pages read in one crawl.
const PAGES_MAX: u32 = 100;
/// Pages read where `pages_max` is not given.
const PAGES_DEFAULT: u32 = 1;

/// Reads one source; wrong values are recorded.
pub(super) fn check(field: &Field<'_>, account: &AccountId) -> Option<Source> {
    let table = field.table()?;
    let kind = table.required("kind").and_then(|field| field.read(kind));
    // The keys depend on the kind: with a wrong kind they cannot be judged.
    let Some(kind) = kind else {
        table.optional("url").and_then(|field| url(&field));
        return None;
    };
    let address = match kind {
        Kind::Interface(interface) => interface.address(),
        Kind::Feed | Kind::HtmlList => None,
    };
    let url = match address {
        Some(address) if table.optional("url").is_none() => Url::parse(address).ok(),
        _ => table.required("url").and_then(|field| url(&field)),
    };
    let spec = match kind {
        Kind::Feed => {
            let freshness =
                table.optional("freshness").map(|field| field.read(|text| values::word(text, Freshness::ALL)));
            let bridge = table.optional("bridge").and_then(|field| field.read(|text| values::word(text, Bridge::ALL)));
            freshness.unwrap_or(Some(Freshness::Bridge)).map(|freshness| SourceSpec::Feed { freshness, bridge })
        }
        Kind::HtmlList => html_list(&table),
        Kind::Interface(interface) => interface_spec(&table, interface),
    };
    table.finish();
    Some(Source::new(account, url?, spec?))
}

/// A word of `kind`.
#[derive(Clone, Copy)]
enum Kind {
    Feed,
    HtmlList,
    Interface(Interface),
}

fn kind(text: &str) -> Result<Kind, Fault> {
    match text {
        "feed" => Ok(Kind::Feed),
        "html_list" => Ok(Kind::HtmlList),
        text => Interface::parse(text).map(Kind::Interface).ok_or_else(|| {
            let interfaces: Vec<&str> = Interface::ALL.iter().map(|interface| interface.as_str()).collect();
            let words = format!("write one of: feed, html_list, {}", interfaces.join(", "));
            Fault::new("is not a kind of source", words)
        }),
    }
}

fn interface_spec(table: &Table<'_>, interface: Interface) -> Option<SourceSpec> {
    let mut values = BTreeMap::new();
    let mut complete = true;
    for parameter in interface.parameters() {
        let field = if parameter.required { table.required(parameter.name) } else { table.optional(parameter.name) };
        let value =
            field.as_ref().and_then(|field| field.read(|text| parameter_value(interface, parameter.name, text)));
        complete &= value.is_some() || (field.is_none() && !parameter.required);
        values.extend(value.map(|value| (parameter.name, value)));
    }
    let credential = match (interface.secrets(), interface.may_have_credential()) {
        ([], false) => None,
        ([], true) => table.optional("credential").and_then(|field| field.read(credential_name)),
        _ => {
            let name = table.required("credential").and_then(|field| field.read(credential_name));
            complete &= name.is_some();
            name
        }
    };
    complete.then(|| SourceSpec::Interface(Box::new(InterfaceSpec { interface, credential, values })))
}

/// Ids go into addresses: letters, digits and the marks of base64. An application page is read by selectors.
fn parameter_value(interface: Interface, name: &str, text: &str) -> Result<String, Fault> {
    match (interface, name) {
        (Interface::AppPage, "date_format") => date_format(text),
        (Interface::AppPage, _) => selector(text),
        _ => {
            let is_id = |byte: u8| byte.is_ascii_alphanumeric() || b"_-=+/".contains(&byte);
            if !text.is_empty() && text.len() <= PARAMETER_BYTES_MAX && text.bytes().all(is_id) {
                Ok(text.to_owned())
            } else {
                Err(Fault::new("is not an id of the platform", "copy it from the address of the account's page"))
            }
        }
    }
}

/// The name of a file: an id, so that it leads out of no folder.
fn credential_name(text: &str) -> Result<String, Fault> {
    values::id(text)
}

fn html_list(table: &Table<'_>) -> Option<SourceSpec> {
    let item = table.required("item").and_then(|field| field.read(selector));
    let date = table.required("date").and_then(|field| field.read(selector));
    let link = table
        .optional("link")
        .map(|field| field.read(|text| if text.is_empty() { Ok(String::new()) } else { selector(text) }));
    let title = table.optional("title").and_then(|field| field.read(selector));
    let date_format = table.optional("date_format").and_then(|field| field.read(date_format));
    let next = table.optional("next").and_then(|field| field.read(selector));
    let pages_max = table.optional("pages_max").and_then(|field| field.read(|text| values::whole(text, 1, PAGES_MAX)));
    item.zip(date).zip(link.unwrap_or(Some(String::new()))).map(|((item, date), link)| {
        let pages_max = pages_max.unwrap_or(PAGES_DEFAULT);
        SourceSpec::HtmlList(Box::new(HtmlListSpec { item, link, title, date, date_format, next, pages_max }))
    })
}

/// Reads one source from a table cell: kind, address, and the other keys as a JSON object or nothing.
pub(in crate::config) fn source_from_json(
    account: &AccountId,
    kind: &str,
    url: &str,
    options: &str,
) -> Result<Source, Vec<Fault>> {
    let place = Place::Line(1);
    let leaf = |text: &str| Node { place: place.clone(), value: Value::Scalar(text.to_owned()) };
    let mut entries = vec![("kind".to_owned(), leaf(kind)), ("url".to_owned(), leaf(url))];
    if !options.is_empty() {
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(options).map_err(|_| {
            vec![Fault::new("is not a JSON object", "write for example `{\"item\": \"li\", \"date\": \"span\"}`")]
        })?;
        for (key, value) in object {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            entries.push((key, leaf(&text)));
        }
    }
    let entries = entries.into_iter().map(|(key, node)| Entry { key, place: place.clone(), node }).collect();
    let node = Node { place: place.clone(), value: Value::Map(entries) };
    let report = Report::new("");
    let source = check(&Field::root(&report, &node), account);
    let errors = report.into_errors();
    match source {
        Some(source) if errors.is_empty() => Ok(source),
        _ => Err(errors
            .into_iter()
            .map(|error| {
                let about = if error.path.is_empty() { String::new() } else { format!("{}: ", error.path) };
                let value = error.value.map(|value| format!("`{value}` ")).unwrap_or_default();
                Fault::new(format!("{about}{value}{}", error.problem), error.remedy)
            })
            .collect()),
    }
}

fn url(field: &Field<'_>) -> Option<Url> {
    let text = field.text()?;
    let checked = values::web_url(text).and_then(|url| {
        if values::has_credentials(&url) {
            return Err(Fault::new("carries a name or password", "remove `name:password@`: reports show the address"));
        }
        Ok(url)
    });
    match checked {
        Ok(url) => Some(url),
        Err(fault) if text.contains('@') => {
            field.wrong_secret(fault);
            None
        }
        Err(fault) => {
            field.wrong(fault);
            None
        }
    }
}

fn selector(text: &str) -> Result<String, Fault> {
    let remedy = "write a CSS selector such as `ul.list > li`";
    if text.trim().is_empty() {
        return Err(Fault::new("is empty", remedy));
    }
    if text.len() > SELECTOR_BYTES_MAX {
        return Err(Fault::new(format!("is longer than {SELECTOR_BYTES_MAX} bytes"), remedy));
    }
    match scraper::Selector::parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(Fault::new("is not a CSS selector", remedy)),
    }
}

/// A format must be valid and say year, month and day.
fn date_format(text: &str) -> Result<String, Fault> {
    let remedy = "write year, month and day, for example `%Y-%m-%d`";
    if text.is_empty() || text.len() > FORMAT_BYTES_MAX || StrftimeItems::new(text).any(|item| item == Item::Error) {
        return Err(Fault::new("is not a date format", remedy));
    }
    let sample = DateTime::<FixedOffset>::default().format(text).to_string();
    let mut parsed = Parsed::new();
    let is_whole =
        format::parse(&mut parsed, &sample, StrftimeItems::new(text)).is_ok() && parsed.to_naive_date().is_ok();
    if is_whole { Ok(text.to_owned()) } else { Err(Fault::new("does not give a whole date", remedy)) }
}
