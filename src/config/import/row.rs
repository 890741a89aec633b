//! Rows of a table → drafts: what each row says, every cell checked on its own.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::NaiveDate;

use super::columns::Column;
use super::table::{Row, Sheet, read_sheets};
use super::{RowPlace, words};
use crate::config::Registry;
use crate::config::check::source_from_json;
use crate::config::error::ConfigError;
use crate::config::values::{self, Fault};
use crate::model::AccountId;
use crate::model::account::{AccountKind, AccountStatus, Source, SourceSpec, UnitLevel};

/// A title may stand above the header: it is looked for in this many rows.
const HEADER_ROWS_MAX: usize = 20;
/// Errors after which a table is not read further: it is the wrong table.
const ERRORS_MAX: usize = 1_000;

/// What one row says.
#[derive(Debug)]
pub(super) struct Draft {
    pub place: RowPlace,
    pub unit: UnitDraft,
    /// `None` where the row speaks of a unit only.
    pub account: Option<AccountDraft>,
}

/// What a row says of the unit; an empty cell says nothing.
#[derive(Debug, Default)]
pub(super) struct UnitDraft {
    pub id: Option<String>,
    /// Name, or id where `id` is not given.
    pub name: Option<String>,
    pub level: Option<UnitLevel>,
    pub region: Option<String>,
    /// Name or id.
    pub supervisor: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct AccountDraft {
    pub id: Option<String>,
    pub name: Option<String>,
    pub kind: Option<AccountKind>,
    pub platform_id: Option<String>,
    pub status: Option<AccountStatus>,
    pub filed_on: Option<NaiveDate>,
    pub sources: Option<Vec<SourceDraft>>,
}

/// A source whose account has no id yet: kind word, address and options.
#[derive(Debug)]
pub(super) struct SourceDraft {
    pub kind: String,
    pub url: String,
    pub options: String,
}

/// Reads every sheet that has a header.
pub(super) fn read_rows(file: &str, bytes: &[u8], errors: &mut Vec<ConfigError>) -> Vec<Draft> {
    let sheets = match read_sheets(file, bytes) {
        Ok(sheets) => sheets,
        Err(found) => {
            errors.extend(found.0);
            return Vec::new();
        }
    };
    let mut drafts = Vec::new();
    let mut n_tables = 0;
    for sheet in &sheets {
        let Some((header, rows)) = find_header(sheet) else { continue };
        n_tables += 1;
        let Some(header) = Header::new(file, sheet, header, errors) else { continue };
        for row in rows {
            if errors.len() >= ERRORS_MAX {
                return drafts;
            }
            drafts.push(Cells { header: &header, row, errors }.draft());
        }
    }
    if n_tables == 0 {
        errors.push(ConfigError::of_file(
            file,
            "has no row of headers",
            "name the columns `账号名称`, `主办单位`, `账号类型` (others: `备案日期`, `采集地址`, `单位层级`, `地区` …)",
        ));
    }
    drafts
}

/// A registry as drafts, so that a file of ours is merged like a table.
pub(super) fn drafts_of(registry: &Registry, file: &str) -> Vec<Draft> {
    let sheet: Arc<str> = Arc::from("YAML");
    let file: Arc<str> = Arc::from(file);
    let place = |index: usize| RowPlace { file: file.clone(), sheet: sheet.clone(), row: index + 1 };
    let units = registry.units.iter().enumerate().map(|(index, unit)| Draft {
        place: place(index),
        unit: UnitDraft {
            id: Some(unit.id.as_str().to_owned()),
            name: Some(unit.name.clone()),
            level: Some(unit.level),
            region: Some(unit.region.clone()),
            supervisor: unit.supervisor.as_ref().map(|id| id.as_str().to_owned()),
        },
        account: None,
    });
    let accounts = registry.accounts.iter().enumerate().map(|(index, account)| Draft {
        place: place(index),
        unit: UnitDraft { id: Some(account.unit.as_str().to_owned()), ..UnitDraft::default() },
        account: Some(AccountDraft {
            id: Some(account.id.as_str().to_owned()),
            name: Some(account.name.clone()),
            kind: Some(account.kind),
            platform_id: account.platform_id.clone(),
            status: Some(account.status),
            filed_on: account.filed_on,
            sources: (!account.sources.is_empty()).then(|| account.sources.iter().map(SourceDraft::of).collect()),
        }),
    });
    units.chain(accounts).collect()
}

impl SourceDraft {
    /// The draft from which the same source is made.
    pub(in crate::config) fn of(source: &Source) -> Self {
        Self { kind: source.spec.kind().to_owned(), url: source.url.to_string(), options: options_of(&source.spec) }
    }
}

/// The keys beside kind and address, as a JSON object; empty where all have their defaults.
pub(in crate::config) fn options_of(spec: &SourceSpec) -> String {
    let mut options = serde_json::to_value(spec).unwrap_or_default();
    if let Some(object) = options.as_object_mut() {
        object.remove("kind");
        // The kind of a source that asks an interface is the interface.
        object.remove("interface");
        object.retain(|key, value| {
            let is_default = (key == "freshness" && value == "bridge") || (key == "link" && value == "");
            !is_default && !value.is_null()
        });
        if object.is_empty() {
            return String::new();
        }
    }
    options.to_string()
}

/// The first row with at least three headers, and the rows below it.
fn find_header(sheet: &Sheet) -> Option<(&Row, &[Row])> {
    let is_header = |row: &Row| row.cells.iter().filter(|cell| Column::of_header(cell).is_some()).count() >= 3;
    let index = sheet.rows.iter().take(HEADER_ROWS_MAX).position(is_header)?;
    Some((&sheet.rows[index], &sheet.rows[index + 1..]))
}

struct Header {
    file: Arc<str>,
    sheet: Arc<str>,
    /// Index of each column, and its header as written.
    columns: HashMap<Column, (usize, String)>,
}

impl Header {
    /// `None` where a column stands there twice.
    fn new(file: &str, sheet: &Sheet, row: &Row, errors: &mut Vec<ConfigError>) -> Option<Self> {
        let mut header = Self { file: Arc::from(file), sheet: Arc::from(sheet.name.as_str()), columns: HashMap::new() };
        let mut fine = true;
        for (index, text) in row.cells.iter().enumerate() {
            let Some(column) = Column::of_header(text) else { continue };
            if let Some((_, other)) = header.columns.get(&column) {
                let fault = Fault::new(format!("means the same as the column `{other}`"), "keep one of the two");
                errors.push(header.place(row).error(text, "", fault));
                fine = false;
            } else {
                header.columns.insert(column, (index, text.clone()));
            }
        }
        fine.then_some(header)
    }

    fn place(&self, row: &Row) -> RowPlace {
        RowPlace { file: self.file.clone(), sheet: self.sheet.clone(), row: row.number }
    }
}

struct Cells<'c> {
    header: &'c Header,
    row: &'c Row,
    errors: &'c mut Vec<ConfigError>,
}

impl Cells<'_> {
    fn draft(mut self) -> Draft {
        let unit = UnitDraft {
            id: self.read(Column::UnitId, values::id),
            name: self.read(Column::Unit, values::line),
            level: self.read(Column::Level, words::level),
            region: self.read(Column::Region, values::line),
            supervisor: self.read(Column::Supervisor, values::line),
        };
        let speaks_of_account = [Column::Id, Column::Name, Column::Kind, Column::SourceUrl, Column::PlatformId]
            .into_iter()
            .any(|column| !self.cell(column).is_empty());
        let account = speaks_of_account.then(|| AccountDraft {
            id: self.read(Column::Id, values::id),
            name: self.read(Column::Name, values::line),
            kind: self.read(Column::Kind, words::kind),
            platform_id: self.read(Column::PlatformId, values::line),
            status: self.read(Column::Status, words::status),
            filed_on: self.read(Column::FiledOn, words::date),
            sources: self.sources(),
        });
        Draft { place: self.header.place(self.row), unit, account }
    }

    fn cell(&self, column: Column) -> &str {
        let index = self.header.columns.get(&column).map(|(index, _)| *index);
        index.and_then(|index| self.row.cells.get(index)).map_or("", String::as_str)
    }

    /// The value of a cell; an empty one says nothing.
    fn read<T>(&mut self, column: Column, parse: impl Fn(&str) -> Result<T, Fault>) -> Option<T> {
        let text = self.cell(column);
        if text.is_empty() {
            return None;
        }
        match parse(text) {
            Ok(value) => Some(value),
            Err(fault) => {
                self.wrong(column, fault);
                None
            }
        }
    }

    fn wrong(&mut self, column: Column, fault: Fault) {
        let error = self.header.place(self.row).error(&self.header_of(column), self.cell(column), fault);
        self.errors.push(error);
    }

    /// The header of a column as the file writes it.
    fn header_of(&self, column: Column) -> String {
        self.header.columns.get(&column).map_or_else(|| column.header(), |(_, text)| text.clone())
    }

    /// One source for each line of the address cell; kind and options stand on the same lines of their cells.
    fn sources(&mut self) -> Option<Vec<SourceDraft>> {
        let urls = split_addresses(self.cell(Column::SourceUrl));
        if urls.is_empty() {
            return None;
        }
        let kinds = lines_of(self.cell(Column::SourceKind));
        let options = lines_of(self.cell(Column::SourceOptions));
        if kinds.len() > 1 && kinds.len() != urls.len() {
            self.wrong(Column::SourceKind, Fault::new("has another number of lines than the addresses", LINES_REMEDY));
            return None;
        }
        if !options.is_empty() && options.len() != urls.len() {
            let fault = Fault::new("has another number of lines than the addresses", LINES_REMEDY);
            self.wrong(Column::SourceOptions, fault);
            return None;
        }
        let drafts = urls.into_iter().enumerate().map(|(index, url)| SourceDraft {
            kind: source_kind(kinds.get(index).or(kinds.first()).map_or("", String::as_str)),
            url,
            options: options.get(index).cloned().unwrap_or_default(),
        });
        let drafts: Vec<SourceDraft> = drafts.collect();
        for draft in &drafts {
            self.check_source(draft);
        }
        Some(drafts)
    }

    /// Names a bad source together with the other errors of its row. Whose source it is does not matter here.
    fn check_source(&mut self, draft: &SourceDraft) {
        let account = AccountId::new(String::new());
        let Err(faults) = source_from_json(&account, &draft.kind, &draft.url, &draft.options) else { return };
        let header = self.header_of(Column::SourceUrl);
        let place = self.header.place(self.row);
        // The address is in the fault, unless it must not be shown.
        self.errors.extend(faults.into_iter().map(|fault| place.error(&header, "", fault)));
    }
}

const LINES_REMEDY: &str = "write one line for each address";

fn lines_of(cell: &str) -> Vec<String> {
    cell.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// Addresses stand on lines, or behind each other with a semicolon before the next `http`.
fn split_addresses(cell: &str) -> Vec<String> {
    let mut addresses: Vec<String> = Vec::new();
    for line in lines_of(cell) {
        for (index, part) in line.split([';', '；']).enumerate() {
            let begins = part.trim_start().starts_with("http://") || part.trim_start().starts_with("https://");
            match addresses.last_mut() {
                // A semicolon may also belong to the address.
                Some(last) if index > 0 && !begins && !part.trim().is_empty() => {
                    last.push(';');
                    last.push_str(part);
                }
                _ if part.trim().is_empty() => {}
                _ => addresses.push(part.trim().to_owned()),
            }
        }
    }
    addresses
}

fn source_kind(text: &str) -> String {
    match text.to_lowercase().as_str() {
        "" | "feed" | "rss" | "atom" | "rsshub" | "订阅" | "订阅源" => "feed".to_owned(),
        "html_list" | "html" | "网页" | "网页列表" | "列表页" => "html_list".to_owned(),
        _ => text.to_owned(),
    }
}
