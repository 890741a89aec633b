//! Registry → CSV or XLSX, in the columns that an import reads. Exporting and importing changes nothing.

use std::collections::HashMap;

use rust_xlsxwriter::{Format, Workbook};

use super::Registry;
use super::import::{CSV_BOM, Column, EXPORTED, escape_formula, options_of};
use crate::model::account::{Account, Unit};

/// Format of an exported table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableFormat {
    Csv,
    Xlsx,
}

/// The table could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("the table cannot be written as csv: {0}")]
    Csv(String),
    #[error("the table cannot be written as xlsx: {0}")]
    Xlsx(#[from] rust_xlsxwriter::XlsxError),
}

/// One row for each account, and one for each unit that has none.
pub fn export_registry(registry: &Registry, format: TableFormat) -> Result<Vec<u8>, ExportError> {
    let rows = rows_of(registry);
    match format {
        TableFormat::Csv => csv_bytes(&rows),
        TableFormat::Xlsx => xlsx_bytes(&rows),
    }
}

type Row = [String; EXPORTED.len()];

fn rows_of(registry: &Registry) -> Vec<Row> {
    let units: HashMap<&str, &Unit> = registry.units.iter().map(|unit| (unit.id.as_str(), unit)).collect();
    let mut n_accounts: HashMap<&str, usize> = HashMap::new();
    for account in &registry.accounts {
        *n_accounts.entry(account.unit.as_str()).or_default() += 1;
    }
    let empty = registry.units.iter().filter(|unit| !n_accounts.contains_key(unit.id.as_str()));
    let accounts = registry.accounts.iter().map(|account| (units.get(account.unit.as_str()).copied(), Some(account)));
    empty
        .map(|unit| (Some(unit), None))
        .chain(accounts)
        .map(|(unit, account)| EXPORTED.map(|column| escape_formula(&cell(column, unit, account))))
        .collect()
}

fn cell(column: Column, unit: Option<&Unit>, account: Option<&Account>) -> String {
    let of_unit = |text: fn(&Unit) -> String| unit.map(text).unwrap_or_default();
    let of_account = |text: fn(&Account) -> String| account.map(text).unwrap_or_default();
    match column {
        Column::Id => of_account(|account| account.id.to_string()),
        Column::Name => of_account(|account| account.name.clone()),
        Column::Unit => of_unit(|unit| unit.name.clone()),
        Column::UnitId => of_unit(|unit| unit.id.to_string()),
        Column::Level => of_unit(|unit| unit.level.label().to_owned()),
        Column::Region => of_unit(|unit| unit.region.clone()),
        // The id: names need not be unique.
        Column::Supervisor => of_unit(|unit| unit.supervisor.as_ref().map(ToString::to_string).unwrap_or_default()),
        Column::Kind => of_account(|account| account.kind.label().to_owned()),
        Column::PlatformId => of_account(|account| account.platform_id.clone().unwrap_or_default()),
        Column::Status => of_account(|account| account.status.label().to_owned()),
        Column::FiledOn => of_account(|account| account.filed_on.map(|day| day.to_string()).unwrap_or_default()),
        Column::SourceKind => of_account(|account| lines(account.sources.iter().map(|s| s.spec.kind().to_owned()))),
        Column::SourceUrl => of_account(|account| lines(account.sources.iter().map(|s| s.url.to_string()))),
        Column::SourceOptions => of_account(|account| {
            let options: Vec<String> = account.sources.iter().map(|source| options_of(&source.spec)).collect();
            if options.iter().all(String::is_empty) {
                return String::new();
            }
            lines(options.into_iter().map(|options| if options.is_empty() { "{}".to_owned() } else { options }))
        }),
    }
}

fn lines(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<_>>().join("\n")
}

fn csv_bytes(rows: &[Row]) -> Result<Vec<u8>, ExportError> {
    let failed = |error: &dyn std::fmt::Display| ExportError::Csv(error.to_string());
    let mut writer = csv::Writer::from_writer(CSV_BOM.as_bytes().to_vec());
    writer.write_record(EXPORTED.map(Column::header)).map_err(|error| failed(&error))?;
    for row in rows {
        writer.write_record(row).map_err(|error| failed(&error))?;
    }
    writer.into_inner().map_err(|error| failed(&error))
}

fn xlsx_bytes(rows: &[Row]) -> Result<Vec<u8>, ExportError> {
    let mut workbook = Workbook::new();
    // The same registry makes the same bytes: no time of making.
    workbook.set_properties(
        &rust_xlsxwriter::DocProperties::new()
            .set_creation_datetime(&rust_xlsxwriter::ExcelDateTime::from_ymd(2020, 1, 1)?),
    );
    let sheet = workbook.add_worksheet().set_name("账号")?;
    let bold = Format::new().set_bold();
    let wrapped = Format::new().set_text_wrap();
    for (column, header) in (0_u16..).zip(EXPORTED) {
        sheet.write_string_with_format(0, column, header.header(), &bold)?;
        sheet.set_column_width(column, if header == Column::SourceUrl { 60 } else { 18 })?;
    }
    for (number, row) in (1_u32..).zip(rows) {
        for (column, text) in (0_u16..).zip(row).filter(|(_, text)| !text.is_empty()) {
            sheet.write_string_with_format(number, column, text, &wrapped)?;
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    let (last_row, last_column) =
        (u32::try_from(rows.len()).unwrap_or(u32::MAX), u16::try_from(EXPORTED.len() - 1).unwrap_or(u16::MAX));
    sheet.autofilter(0, 0, last_row, last_column)?;
    Ok(workbook.save_to_buffer()?)
}
