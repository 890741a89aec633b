//! Paragraphs and tables in the measures of GB/T 9704-2012 (lengths in twips: 1 mm = 56.7; font sizes in half points).

use docx_rs::{
    AlignmentType, BreakType, Docx, FieldCharType, Footer, HeightRule, InstrText, LineSpacing, LineSpacingType,
    PageMargin, Paragraph, Run, RunFonts, Shading, SpecialIndentType, TableCellMargins, TableLayoutType, TableRow,
    VAlignType, WidthType,
};

use crate::report::tables::{Cell, Column, Table};

/// 22 lines on 225 mm: 28.95 points.
const LINE_PITCH: i32 = 579;
const TITLE_PITCH: i32 = 660;
/// 二号, 三号, 四号, 小五.
const SIZE_TITLE: usize = 44;
const SIZE_BODY: usize = 32;
const SIZE_PAGE_NUMBER: usize = 28;
const SIZE_TABLE: usize = 18;
/// Two characters of body text.
const TWO_CHARACTERS: i32 = 640;
/// 156 mm.
const TEXT_WIDTH: usize = 8_844;
/// Marks a table's header row; [`super::pack`] makes it repeat on every page, which docx-rs cannot say.
pub(super) const HEADER_ROW_HEIGHT: f32 = 397.0;

const TITLE_FONT: &str = "方正小标宋简体";
const HEADING_FONT: &str = "黑体";
const SUBHEADING_FONT: &str = "楷体_GB2312";
const BODY_FONT: &str = "仿宋_GB2312";
const PAGE_NUMBER_FONT: &str = "宋体";

pub(super) fn page(docx: Docx) -> Docx {
    let margins =
        PageMargin::new().top(2_098).bottom(1_984).left(1_588).right(1_474).header(851).footer(1_304).gutter(0);
    docx.page_size(11_906, 16_838)
        .page_margin(margins)
        .default_fonts(fonts(BODY_FONT))
        .default_size(SIZE_BODY)
        .footer(page_number(AlignmentType::Right))
        .even_footer(page_number(AlignmentType::Left))
}

/// `— 1 —`, one character in from the outer edge.
fn page_number(side: AlignmentType) -> Footer {
    let run = || Run::new().size(SIZE_PAGE_NUMBER).fonts(fonts(PAGE_NUMBER_FONT).ascii(PAGE_NUMBER_FONT));
    let field = run()
        .add_field_char(FieldCharType::Begin, false)
        .add_instr_text(InstrText::PAGE(docx_rs::InstrPAGE::new()))
        .add_field_char(FieldCharType::Separate, false)
        .add_text("1")
        .add_field_char(FieldCharType::End, false);
    let one_character = 280;
    let paragraph = Paragraph::new()
        .align(side)
        .indent(Some(one_character), None, Some(one_character), None)
        .add_run(run().add_text("— "))
        .add_run(field)
        .add_run(run().add_text(" —"));
    Footer::new().add_paragraph(paragraph)
}

pub(super) fn title(text: &str) -> Paragraph {
    line(Paragraph::new(), TITLE_PITCH).align(AlignmentType::Center).add_run(run(text, TITLE_FONT, SIZE_TITLE))
}

pub(super) fn subtitle(text: &str) -> Paragraph {
    paragraph().align(AlignmentType::Center).add_run(run(text, SUBHEADING_FONT, SIZE_BODY))
}

pub(super) fn blank() -> Paragraph {
    paragraph()
}

/// The paragraph after a table: next to no height.
pub(super) fn tiny() -> Paragraph {
    line(Paragraph::new(), 20).size(2)
}

pub(super) fn flush(text: &str) -> Paragraph {
    paragraph().add_run(run(text, BODY_FONT, SIZE_BODY))
}

pub(super) fn body(text: &str) -> Paragraph {
    indented().add_run(run(text, BODY_FONT, SIZE_BODY))
}

pub(super) fn body_with_heading(heading: &str, text: &str) -> Paragraph {
    indented().add_run(run(heading, SUBHEADING_FONT, SIZE_BODY)).add_run(run(text, BODY_FONT, SIZE_BODY))
}

pub(super) fn heading_1(text: &str) -> Paragraph {
    indented().keep_next(true).outline_lvl(0).add_run(run(text, HEADING_FONT, SIZE_BODY))
}

/// The second and later lines of the list of attachments stand under the first one's number.
pub(super) fn attachment_line(text: &str) -> Paragraph {
    let five_characters = 5 * TWO_CHARACTERS / 2;
    paragraph().indent(Some(five_characters), None, None, None).add_run(run(text, BODY_FONT, SIZE_BODY))
}

/// Without a seal: the name two characters in from the right edge.
pub(super) fn signature(text: &str) -> Paragraph {
    right_of(text, TWO_CHARACTERS)
}

pub(super) fn date(text: &str) -> Paragraph {
    right_of(text, TWO_CHARACTERS)
}

fn right_of(text: &str, indent: i32) -> Paragraph {
    paragraph()
        .align(AlignmentType::Right)
        .indent(None, None, Some(indent), None)
        .keep_lines(true)
        .add_run(run(text, BODY_FONT, SIZE_BODY))
}

pub(super) fn attachment_mark(text: &str) -> Paragraph {
    paragraph().page_break_before(true).add_run(run(text, HEADING_FONT, SIZE_BODY))
}

pub(super) fn attachment_title(text: &str) -> Paragraph {
    let spacing = LineSpacing::new().line_rule(LineSpacingType::Exact).line(TITLE_PITCH).after(160);
    Paragraph::new()
        .line_spacing(spacing)
        .align(AlignmentType::Center)
        .keep_next(true)
        .add_run(run(text, TITLE_FONT, 36))
}

/// A table over the whole text width, without the columns that only a spreadsheet has room for.
pub(super) fn table(table: &Table) -> docx_rs::Table {
    let shown: Vec<bool> = table.columns.iter().map(|column| !column.wide_only).collect();
    let columns: Vec<&Column> = table.columns.iter().filter(|column| !column.wide_only).collect();
    let total: usize = columns.iter().map(|column| usize::from(column.width)).sum::<usize>().max(1);
    let widths: Vec<usize> = columns.iter().map(|column| usize::from(column.width) * TEXT_WIDTH / total).collect();

    let header = columns.iter().zip(&widths).map(|(column, width)| header_cell(column.title, *width)).collect();
    let mut rows =
        vec![TableRow::new(header).cant_split().row_height(HEADER_ROW_HEIGHT).height_rule(HeightRule::AtLeast)];
    for cells in &table.rows {
        let cells = cells.iter().zip(&shown).filter(|(_, shown)| **shown).map(|(cell, _)| cell);
        rows.push(
            TableRow::new(cells.zip(&widths).map(|(cell, width)| data_cell(cell, *width)).collect()).cant_split(),
        );
    }
    docx_rs::Table::new(rows)
        .set_grid(widths)
        .layout(TableLayoutType::Fixed)
        .width(TEXT_WIDTH, WidthType::Dxa)
        .margins(TableCellMargins::new().margin(30, 50, 30, 50))
}

fn header_cell(title: &str, width: usize) -> docx_rs::TableCell {
    let paragraph = small().align(AlignmentType::Center).add_run(run(title, HEADING_FONT, SIZE_TABLE));
    docx_rs::TableCell::new()
        .width(width, WidthType::Dxa)
        .vertical_align(VAlignType::Center)
        .shading(Shading::new().fill("F2F2F2"))
        .add_paragraph(paragraph)
}

fn data_cell(cell: &Cell, width: usize) -> docx_rs::TableCell {
    let plain = |text: &str| run(text, BODY_FONT, SIZE_TABLE);
    let paragraph = match cell {
        Cell::Empty => small().align(AlignmentType::Center).add_run(plain("—")),
        Cell::Text(text) | Cell::Link { text, .. } => small().add_run(plain(text)),
        Cell::Quote { before, found, after } => {
            small().add_run(plain(before)).add_run(plain(found).bold().color("B22222")).add_run(plain(after))
        }
        Cell::Time(at) => small()
            .align(AlignmentType::Center)
            .add_run(plain(&at.format("%Y-%m-%d").to_string()).add_break(BreakType::TextWrapping))
            .add_run(plain(&at.format("%H:%M").to_string())),
        Cell::Word(_) | Cell::Number(_) | Cell::Share(_) => {
            small().align(AlignmentType::Center).add_run(plain(&cell.text()))
        }
    };
    docx_rs::TableCell::new().width(width, WidthType::Dxa).vertical_align(VAlignType::Center).add_paragraph(paragraph)
}

fn small() -> Paragraph {
    Paragraph::new().line_spacing(LineSpacing::new().line_rule(LineSpacingType::AtLeast).line(240))
}

fn paragraph() -> Paragraph {
    line(Paragraph::new(), LINE_PITCH)
}

fn indented() -> Paragraph {
    paragraph()
        .align(AlignmentType::Both)
        .indent(None, Some(SpecialIndentType::FirstLine(TWO_CHARACTERS)), None, None)
        .first_line_chars(200)
}

fn line(paragraph: Paragraph, pitch: i32) -> Paragraph {
    paragraph.line_spacing(LineSpacing::new().line_rule(LineSpacingType::Exact).line(pitch))
}

fn run(text: &str, font: &str, size: usize) -> Run {
    Run::new().add_text(text).fonts(fonts(font)).size(size)
}

/// Chinese in the named font, digits and Latin letters in Times New Roman.
fn fonts(chinese: &str) -> RunFonts {
    RunFonts::new().ascii("Times New Roman").hi_ansi("Times New Roman").east_asia(chinese)
}
