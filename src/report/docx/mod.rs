//! The report as a Word document in the layout of GB/T 9704-2012: title, addressee, lead, numbered sections, list of
//! attachments, signature and day, then each attachment on its own page.
//!
//! Fonts are named, not embedded: every office machine has them, and none of them is free.

mod pack;
mod style;

use docx_rs::{Docx, Paragraph};

use super::RenderError;
use super::prose::{self, Prose, prose};
use super::tables::{self, Table};
use super::text;
use super::weekly::WeeklyReport;

/// A fixed instant instead of now: the same data give the same bytes.
const CREATED_AT: &str = "2000-01-01T00:00:00Z";

pub fn render(report: &WeeklyReport) -> Result<Vec<u8>, RenderError> {
    let prose = prose(report);
    let attachments = attachments(report);
    let mut docx = style::page(Docx::new()).created_at(CREATED_AT).updated_at(CREATED_AT);
    for paragraph in body(report, &prose, &attachments) {
        docx = docx.add_paragraph(paragraph);
    }
    for (index, table) in attachments.iter().enumerate() {
        let number = if attachments.len() == 1 { String::new() } else { (index + 1).to_string() };
        docx = docx
            .add_paragraph(style::attachment_mark(&format!("附件{number}")))
            .add_paragraph(style::attachment_title(table.title))
            .add_table(style::table(table))
            // Word wants a paragraph after a table; a small one makes no empty page.
            .add_paragraph(style::tiny());
    }
    pack::pack(docx)
}

/// The document before its attachments. What follows the last section stays on one page with its end, so that nobody can
/// put a signature under another text.
fn body(report: &WeeklyReport, prose: &Prose, attachments: &[Table]) -> Vec<Paragraph> {
    let closing: Vec<Paragraph> = attachment_list(attachments).into_iter().chain(signature(report)).collect();
    let n_closing = closing.len();
    let mut body: Vec<Paragraph> = heading(report, prose).into_iter().chain(sections(prose)).chain(closing).collect();
    let n_before = body.len().saturating_sub(n_closing + 1);
    let last = body.pop();
    body.into_iter()
        .enumerate()
        .map(|(index, paragraph)| if index < n_before { paragraph } else { paragraph.keep_next(true) })
        .chain(last)
        .collect()
}

fn heading(report: &WeeklyReport, prose: &Prose) -> Vec<Paragraph> {
    let mut heading = vec![
        style::blank(),
        style::title(&report.title),
        style::subtitle(&format!("（{}）", prose::period(report))),
        style::blank(),
        style::flush("各有关单位："),
    ];
    heading.extend(prose.correction.as_ref().map(|text| style::body_with_heading("更正说明。", text)));
    heading.push(style::body(&prose.lead));
    heading
}

fn sections(prose: &Prose) -> Vec<Paragraph> {
    let mut paragraphs = vec![style::heading_1("一、总体情况")];
    paragraphs.extend(prose.overview.iter().map(|text| style::body(text)));
    paragraphs.push(style::heading_1("二、存在的问题"));
    let problems = [
        ("（一）更新不及时。", &prose.updates),
        ("（二）内容表述不规范。", &prose.wording),
        ("（三）账号管理。", &prose.registry),
    ];
    for (heading, texts) in problems {
        // The heading runs into its first paragraph, as official documents do.
        let (first, rest) = texts.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
        paragraphs.push(style::body_with_heading(heading, first));
        paragraphs.extend(rest.iter().map(|text| style::body(text)));
    }
    paragraphs.push(style::heading_1("三、未核实账号（非账号问题）"));
    paragraphs.extend(prose.unverified.iter().map(|text| style::body(text)));
    paragraphs.push(style::heading_1("四、下一步工作要求"));
    for (number, (heading, text)) in ["一", "二", "三", "四", "五"].iter().zip(&prose.demands) {
        paragraphs.push(style::body_with_heading(&format!("（{number}）{heading}。"), text));
    }
    paragraphs
}

/// The tables that have rows, what was corrected first: the overview always, where there are accounts.
fn attachments(report: &WeeklyReport) -> Vec<Table> {
    let overview = (!report.accounts.is_empty()).then(|| tables::kinds(report));
    let details = [
        tables::shortfalls(report),
        tables::wording(report),
        tables::links(report),
        tables::registry(report),
        tables::unverified(report),
    ];
    let corrections = Some(tables::corrections(report)).filter(|table| !table.rows.is_empty());
    let details = details.into_iter().filter(|table| !table.rows.is_empty());
    corrections.into_iter().chain(overview).chain(details).collect()
}

fn attachment_list(attachments: &[Table]) -> Vec<Paragraph> {
    let mut lines = Vec::new();
    if let [only] = attachments {
        lines.push(style::body(&format!("附件：{}", only.title)));
    } else {
        for (index, table) in attachments.iter().enumerate() {
            let line = format!("{}.{}", index + 1, table.title);
            lines.push(if index == 0 {
                style::body(&format!("附件：{line}"))
            } else {
                style::attachment_line(&line)
            });
        }
    }
    if !lines.is_empty() {
        lines.insert(0, style::blank());
    }
    lines
}

fn signature(report: &WeeklyReport) -> Vec<Paragraph> {
    vec![style::blank(), style::signature(&report.office), style::date(&text::day(report.issued_on))]
}
