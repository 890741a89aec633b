//! The report as a workbook: one sheet for each table, typed cells, filters, frozen and repeated headers.

use chrono::NaiveTime;
use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use super::prose;
use super::tables::{self, Cell, Table};
use super::text;
use super::weekly::WeeklyReport;

/// Most links that Excel opens on one sheet; the rest stay plain text.
const LINKS_MAX: usize = 65_530;
const PAPER_A4: u8 = 9;
/// Excel counts column widths in digits; a Chinese character is two, and the cell keeps a margin.
const DIGITS_PER_CHARACTER: f64 = 2.0;
const MARGIN_DIGITS: f64 = 1.5;

pub fn render(report: &WeeklyReport) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let created_at = ExcelDateTime::from_ymd(2000, 1, 1)?;
    let properties = DocProperties::new().set_title(&report.title).set_author(&report.office);
    // A fixed day instead of today's: the same data give the same bytes.
    workbook.set_properties(&properties.set_creation_datetime(&created_at));
    let styles = Styles::new();

    let sheet = workbook.add_worksheet().set_name("总览")?;
    write_overview(sheet, report, &styles)?;
    let mut sheets = vec![
        ("未达标", tables::shortfalls(report)),
        ("未核实", tables::unverified(report)),
        ("错敏信息", tables::wording(report)),
        ("账号管理", tables::registry(report)),
        ("采集覆盖", tables::source_alarms(report)),
        ("全部账号", tables::accounts(report)),
    ];
    let links = tables::links(report);
    if !links.rows.is_empty() {
        sheets.insert(3, ("错链死链", links));
    }
    let corrections = report.correction.as_ref().map(|_| ("更正情况", tables::corrections(report)));
    for (name, table) in corrections.iter().chain(&sheets) {
        let sheet = workbook.add_worksheet().set_name(*name)?;
        write_table(sheet, 0, table, &styles)?;
        let last_row = row_number(table.rows.len());
        sheet.autofilter(0, 0, last_row, column_number(table.columns.len() - 1))?;
        sheet.set_freeze_panes(1, 0)?;
        sheet.set_repeat_rows(0, 0)?;
        // On paper only the columns that A4 has room for; the others are for the screen.
        let last_printed = table.columns.iter().rposition(|column| !column.wide_only).unwrap_or(0);
        sheet.set_print_area(0, 0, last_row, column_number(last_printed))?;
        set_up_page(sheet, report);
    }
    workbook.save_to_buffer()
}

struct Styles {
    title: Format,
    subtitle: Format,
    text: Format,
    label: Format,
    header: Format,
    cell: Format,
    word: Format,
    number: Format,
    share: Format,
    time: Format,
    link: Format,
}

impl Styles {
    fn new() -> Self {
        let base = Format::new().set_font_name("宋体").set_font_size(10.5).set_align(FormatAlign::VerticalCenter);
        let cell =
            base.clone().set_border(FormatBorder::Thin).set_border_color(Color::RGB(0x00B8_B2A7)).set_text_wrap();
        let centred = cell.clone().set_align(FormatAlign::Center);
        Self {
            title: base.clone().set_font_size(18).set_bold().set_font_color(Color::RGB(0x008B_1A1A)),
            subtitle: base.clone().set_font_color(Color::RGB(0x0066_6666)),
            text: base.clone().set_text_wrap().set_align(FormatAlign::Top),
            label: base.set_bold(),
            header: centred.clone().set_bold().set_background_color(Color::RGB(0x00F3_EFE8)),
            number: centred.clone().set_num_format("0"),
            share: centred.clone().set_num_format("0.0%"),
            time: centred.clone().set_num_format("yyyy-mm-dd hh:mm"),
            link: cell.clone().set_font_color(Color::RGB(0x001F_4E79)),
            word: centred,
            cell,
        }
    }
}

fn write_overview(sheet: &mut Worksheet, report: &WeeklyReport, styles: &Styles) -> Result<(), XlsxError> {
    let table = tables::kinds(report);
    let last_column = column_number(table.columns.len() - 1);
    sheet.write_string_with_format(0, 0, safe(&report.title), &styles.title)?;
    sheet.set_row_height(0, 30)?;
    let subtitle = format!("{}　{}", prose::period(report), report.office);
    sheet.write_string_with_format(1, 0, safe(&subtitle), &styles.subtitle)?;

    let mut row = 3;
    let prose = prose::prose(report);
    for paragraph in prose.correction.into_iter().chain(prose.overview) {
        sheet.merge_range(row, 0, row, last_column, &safe(&paragraph), &styles.text)?;
        sheet.set_row_height(row, paragraph_height(&paragraph, &table))?;
        row += 1;
    }
    row += 1;
    sheet.write_string_with_format(row, 0, table.title, &styles.label)?;
    write_table(sheet, row + 1, &table, styles)?;
    row += row_number(table.rows.len()) + 3;

    sheet.write_string_with_format(row, 0, "监管要求及依据", &styles.label)?;
    for rule in &report.rules {
        row += 1;
        let line = format!("{}：{}。依据：{}", rule.level.label(), rule.demand, rule.basis);
        sheet.merge_range(row, 0, row, last_column, &safe(&line), &styles.text)?;
        sheet.set_row_height(row, paragraph_height(&line, &table))?;
    }
    set_up_page(sheet, report);
    Ok(())
}

/// Height of a line of text, in points.
const LINE_POINTS: f64 = 15.0;

/// Not every office program fits rows to wrapped text by itself.
fn row_height(table: &Table, cells: &[Cell]) -> f64 {
    let lines_of = |(cell, column): (&Cell, &tables::Column)| {
        let halves: usize = cell.text().chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
        halves.div_ceil(usize::from(column.width).max(1) * 2)
    };
    let n_lines = cells.iter().zip(&table.columns).map(lines_of).max().unwrap_or(1);
    points(n_lines)
}

/// Excel allows 409 points at most.
fn points(n_lines: usize) -> f64 {
    (f64::from(u32::try_from(n_lines.max(1)).unwrap_or(u32::MAX)) * LINE_POINTS + 4.0).min(409.0)
}

fn paragraph_height(paragraph: &str, table: &Table) -> f64 {
    let per_line: usize = table.columns.iter().map(|column| usize::from(column.width)).sum::<usize>().max(20);
    points(paragraph.chars().count().div_ceil(per_line))
}

fn write_table(sheet: &mut Worksheet, top: u32, table: &Table, styles: &Styles) -> Result<(), XlsxError> {
    for (index, column) in table.columns.iter().enumerate() {
        let at = column_number(index);
        sheet.write_string_with_format(top, at, column.title, &styles.header)?;
        let title_width = u16::try_from(column.title.chars().count()).unwrap_or(u16::MAX);
        let n_characters = f64::from(column.width.max(title_width + 1));
        sheet.set_column_width(at, n_characters * DIGITS_PER_CHARACTER + MARGIN_DIGITS)?;
    }
    sheet.set_row_height(top, 24)?;
    let mut n_links = 0;
    for (index, cells) in table.rows.iter().enumerate() {
        let row = top + row_number(index + 1);
        sheet.set_row_height(row, row_height(table, cells))?;
        for (index, cell) in cells.iter().enumerate() {
            write_cell(sheet, row, column_number(index), cell, styles, &mut n_links)?;
        }
    }
    Ok(())
}

fn write_cell(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    cell: &Cell,
    styles: &Styles,
    n_links: &mut usize,
) -> Result<(), XlsxError> {
    match cell {
        Cell::Empty => sheet.write_blank(row, column, &styles.cell)?,
        Cell::Text(text) => sheet.write_string_with_format(row, column, safe(text), &styles.cell)?,
        Cell::Quote { .. } => sheet.write_string_with_format(row, column, safe(&cell.text()), &styles.cell)?,
        Cell::Word(word) => sheet.write_string_with_format(row, column, safe(word), &styles.word)?,
        Cell::Number(number) => sheet.write_number_with_format(row, column, *number, &styles.number)?,
        Cell::Share(share) => sheet.write_number_with_format(row, column, *share, &styles.share)?,
        Cell::Time(at) => sheet.write_number_with_format(row, column, excel_serial(at.naive_local()), &styles.time)?,
        Cell::Link { text, url } => {
            *n_links += 1;
            let linked = *n_links <= LINKS_MAX
                && sheet.write_url_with_options(row, column, url.as_str(), safe(text), "", Some(&styles.link)).is_ok();
            if linked {
                return Ok(());
            }
            // Excel refuses some addresses (a fragment over 255 characters): the title stays, the address has its column.
            sheet.write_string_with_format(row, column, safe(text), &styles.cell)?
        }
    };
    Ok(())
}

/// Days since 1899-12-30, the way Excel keeps a date.
fn excel_serial(wall: chrono::NaiveDateTime) -> f64 {
    const SECONDS_PER_DAY: f64 = 86_400.0;
    let epoch = chrono::NaiveDate::from_ymd_opt(1899, 12, 30).unwrap_or_default().and_time(NaiveTime::MIN);
    let seconds = (wall - epoch).num_seconds();
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1899 fit a float's 53 bits by far")]
    let seconds = seconds as f64;
    seconds / SECONDS_PER_DAY
}

/// Cells are written as strings, so a formula in them is text; an apostrophe keeps it text when the sheet is later saved
/// as CSV and opened again.
fn safe(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() }
}

fn set_up_page(sheet: &mut Worksheet, report: &WeeklyReport) {
    let footer = format!("&L{}&R第 &P 页，共 &N 页", text::clean(&prose::period(report), 60));
    sheet.set_paper_size(PAPER_A4).set_landscape().set_print_fit_to_pages(1, 0).set_footer(footer);
    sheet.set_margins(0.5, 0.5, 0.6, 0.6, 0.3, 0.3);
}

/// A report of the largest registry has some tens of thousands of rows, far below Excel's million.
fn row_number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

fn column_number(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX)
}
