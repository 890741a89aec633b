//! The bytes of a table → sheets of text cells.

use std::io::Cursor;

use calamine::{DataRef, Reader as _, Xlsx};

use crate::config::error::{ConfigError, ConfigErrors};
use crate::config::{ACCOUNTS_MAX, FILE_BYTES_MAX};

/// Excel takes a CSV file for UTF-8 only if it begins with this.
pub(in crate::config) const CSV_BOM: &str = "\u{feff}";
/// Most rows of a sheet: every account and every unit, and a title.
const ROWS_MAX: usize = 2 * ACCOUNTS_MAX + 100;
/// Columns read of a row.
const COLUMNS_MAX: usize = 100;
/// Longest cell, in bytes; Excel itself ends at 32,767 characters.
const CELL_BYTES_MAX: usize = 100_000;
/// Most sheets of a workbook.
const SHEETS_MAX: usize = 100;
/// Largest workbook after decompression: a zip bomb ends here.
const UNPACKED_BYTES_MAX: u64 = 512 << 20;

/// A sheet with its rows that are not empty.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    pub name: String,
    pub rows: Vec<Row>,
}

#[derive(Debug, Default)]
pub(super) struct Row {
    /// Counted from 1.
    pub number: usize,
    pub cells: Vec<String>,
}

/// Reads CSV (UTF-8, UTF-16 with a mark, GB18030) or XLSX, by content.
pub(super) fn read_sheets(file: &str, bytes: &[u8]) -> Result<Vec<Sheet>, ConfigErrors> {
    let refuse = |problem: String, remedy: &str| ConfigErrors::from(ConfigError::of_file(file, problem, remedy));
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(refuse("is larger than 64 MiB".to_owned(), "is it the right file?"));
    }
    if bytes.starts_with(b"PK") {
        return read_xlsx(bytes).map_err(|problem| refuse(problem, "save it again as `.xlsx` or `.csv`"));
    }
    if bytes.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
        return Err(refuse("is an old `.xls` workbook, or protected by a password".to_owned(), "save it as `.xlsx`"));
    }
    let text = decode(bytes)
        .ok_or_else(|| refuse("is neither UTF-8 nor GB18030 text".to_owned(), "save it as `CSV UTF-8` or `.xlsx`"))?;
    read_csv(&text).map(|sheet| vec![sheet]).map_err(|problem| refuse(problem, "save it again as `.csv` or `.xlsx`"))
}

fn decode(bytes: &[u8]) -> Option<String> {
    let encoding = match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding,
        None if std::str::from_utf8(bytes).is_ok() => encoding_rs::UTF_8,
        None => encoding_rs::GB18030,
    };
    let (text, _, malformed) = encoding.decode(bytes);
    (!malformed).then(|| text.into_owned())
}

fn read_csv(text: &str) -> Result<Sheet, String> {
    let head: Vec<&str> = text.lines().take(10).collect();
    let n_of = |separator: char| head.iter().map(|line| line.matches(separator).count()).sum::<usize>();
    let delimiter = if n_of('\t') > n_of(',') { b'\t' } else { b',' };
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
    let mut sheet = Sheet { name: "CSV".to_owned(), rows: Vec::new() };
    for (index, record) in reader.records().enumerate() {
        let record = record.map_err(|error| format!("is not a table: {error}"))?;
        let mut row = Row { number: index + 1, cells: Vec::new() };
        for (column, cell) in record.iter().take(COLUMNS_MAX).enumerate() {
            put(&mut row, column, cell)?;
        }
        push_row(&mut sheet, row)?;
    }
    Ok(sheet)
}

fn read_xlsx(bytes: &[u8]) -> Result<Vec<Sheet>, String> {
    let not_a_workbook = |error: &dyn std::fmt::Display| format!("is not a workbook that can be read: {error}");
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| not_a_workbook(&error))?;
    let mut n_unpacked: u64 = 0;
    for index in 0..archive.len() {
        n_unpacked = n_unpacked.saturating_add(archive.by_index_raw(index).map_err(|e| not_a_workbook(&e))?.size());
    }
    if n_unpacked > UNPACKED_BYTES_MAX {
        return Err("is larger than 512 MiB when unpacked".to_owned());
    }
    let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(|error| not_a_workbook(&error))?;
    let mut sheets = Vec::new();
    for name in workbook.sheet_names().into_iter().take(SHEETS_MAX) {
        // Cells are read one by one: a range would allocate every cell up to the farthest one.
        let Ok(mut cells) = workbook.worksheet_cells_reader(&name) else { continue };
        let mut sheet = Sheet { name, rows: Vec::new() };
        let mut row = Row::default();
        while let Some(cell) = cells.next_cell().map_err(|error| not_a_workbook(&error))? {
            let (row_index, column) = cell.get_position();
            let number = row_index as usize + 1;
            if number != row.number {
                push_row(&mut sheet, std::mem::take(&mut row))?;
                row.number = number;
            }
            if (column as usize) < COLUMNS_MAX {
                put(&mut row, column as usize, &cell_text(cell.get_value()))?;
            }
        }
        push_row(&mut sheet, row)?;
        sheets.push(sheet);
    }
    Ok(sheets)
}

fn put(row: &mut Row, column: usize, text: &str) -> Result<(), String> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if text.len() > CELL_BYTES_MAX {
        return Err(format!("has a cell of {} bytes in row {}, more than {CELL_BYTES_MAX}", text.len(), row.number));
    }
    if row.cells.len() <= column {
        row.cells.resize(column + 1, String::new());
    }
    unescape_formula(text).clone_into(&mut row.cells[column]);
    Ok(())
}

fn push_row(sheet: &mut Sheet, row: Row) -> Result<(), String> {
    if row.cells.iter().all(String::is_empty) {
        return Ok(());
    }
    if sheet.rows.len() >= ROWS_MAX {
        return Err(format!("has more than {ROWS_MAX} rows"));
    }
    sheet.rows.push(row);
    Ok(())
}

fn cell_text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Empty => String::new(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(value) => value.to_string(),
        DataRef::Int(number) => number.to_string(),
        // Excel keeps every number as a float: an id of 18 digits has lost its end and shows it.
        DataRef::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}"),
        DataRef::Float(number) => number.to_string(),
        DataRef::DateTime(serial) => {
            let (year, month, day, ..) = serial.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        DataRef::Error(error) => error.to_string(),
    }
}

/// A cell that a spreadsheet would take for a formula gets a leading `'`, on the way out.
pub(in crate::config) fn escape_formula(text: &str) -> String {
    if is_formula(text.trim_start_matches('\'')) { format!("'{text}") } else { text.to_owned() }
}

/// Takes the `'` of [`escape_formula`] off again.
fn unescape_formula(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if is_formula(rest.trim_start_matches('\'')) => rest,
        _ => text,
    }
}

fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_is_read_in_the_encodings_that_offices_save() {
        let check = |bytes: &[u8]| {
            let sheets = read_sheets("a.csv", bytes).unwrap();
            assert_eq!(sheets[0].rows[0].cells, ["账号名称", "类型"]);
        };
        check("账号名称,类型\n".as_bytes());
        check("\u{feff}账号名称,类型\r\n".as_bytes());
        check("账号名称\t类型\n".as_bytes());
        check(&encoding_rs::GB18030.encode("账号名称,类型\n").0);
        let mut utf16 = vec![0xFF, 0xFE];
        utf16.extend("账号名称\t类型\n".encode_utf16().flat_map(u16::to_le_bytes));
        check(&utf16);
    }

    #[test]
    fn files_that_are_no_tables_say_what_to_do() {
        let check = |bytes: &[u8], words: &str| {
            let error = read_sheets("a", bytes).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        };
        check(&[0xD0, 0xCF, 0x11, 0xE0, 0], ".xls");
        check(b"PK\x03\x04 not a zip", "not a workbook");
        check(&[0xFF, 0xFF, 0x80], "GB18030");
    }

    proptest! {
        #[test]
        fn a_neutralised_cell_reads_back(text in "'{0,3}[=+@\\-a']{0,4}") {
            let escaped = escape_formula(&text);
            prop_assert!(!is_formula(&escaped));
            prop_assert_eq!(unescape_formula(&escaped), text);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = read_sheets("a", &bytes);
            let _ = read_sheets("a", &[b"PK\x03\x04", bytes.as_slice()].concat());
        }
    }
}
