//! Plain text of a Word document (.docx): what a reader sees of the body, paragraph by paragraph.
//!
//! Pure: bytes in, text out. Tracked changes are taken as accepted: inserted text is kept, deleted and moved-away text is
//! left out. Field codes, drawings' alternative texts and comments are no text of the body. A document is untrusted: the
//! number of parts, the unpacked size and the depth of nesting are bounded.

use std::io::{Cursor, Read};

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};
use zip::ZipArchive;

/// Most parts in the package.
pub const PARTS_MAX: usize = 10_000;
/// Most bytes of the unpacked body; 64 MiB of markup is some thousand pages.
pub const BODY_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Deepest nesting of elements.
pub const DEPTH_MAX: usize = 512;

/// The part that holds the body in every document that Word and WPS write.
const BODY_PART: &str = "word/document.xml";

/// Why a document cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DocxError {
    #[error("this is no .docx file ({0}); save it as .docx in Word or WPS and try again")]
    NotDocx(String),
    #[error("the package has {found} parts, at most {PARTS_MAX} are read; save the document anew")]
    TooManyParts { found: usize },
    #[error("the body unpacks to more than {BODY_BYTES_MAX} bytes; split the document")]
    TooLarge,
    #[error("the body nests elements deeper than {DEPTH_MAX}; save the document anew")]
    TooDeep,
    #[error("the body is damaged at byte {at}: {reason}; open and save the document anew")]
    Damaged { at: u64, reason: String },
}

/// The text of the body: one line per paragraph, the cells of a table row parted by tabs.
pub fn docx_text(document: &[u8]) -> Result<String, DocxError> {
    body_text(&body_part(document)?)
}

fn body_part(document: &[u8]) -> Result<Vec<u8>, DocxError> {
    let not_docx = |error: zip::result::ZipError| DocxError::NotDocx(error.to_string());
    let mut package = ZipArchive::new(Cursor::new(document)).map_err(not_docx)?;
    if package.len() > PARTS_MAX {
        return Err(DocxError::TooManyParts { found: package.len() });
    }
    let part = package.by_name(BODY_PART).map_err(not_docx)?;
    let mut body = Vec::new();
    // The size in the package's directory may lie, so the bytes themselves are counted.
    part.take(BODY_BYTES_MAX + 1)
        .read_to_end(&mut body)
        .map_err(|error| DocxError::Damaged { at: 0, reason: error.to_string() })?;
    if body.len() as u64 > BODY_BYTES_MAX { Err(DocxError::TooLarge) } else { Ok(body) }
}

fn body_text(xml: &[u8]) -> Result<String, DocxError> {
    let mut reader = Reader::from_reader(xml);
    let mut body = Body::default();
    loop {
        let at = reader.buffer_position();
        let damaged = |reason: String| DocxError::Damaged { at, reason };
        match reader.read_event().map_err(|error| damaged(error.to_string()))? {
            Event::Start(tag) => {
                body.depth += 1;
                if body.depth > DEPTH_MAX {
                    return Err(DocxError::TooDeep);
                }
                body.open(tag.local_name().as_ref());
            }
            Event::Empty(tag) => body.mark(tag.local_name().as_ref()),
            Event::End(tag) => {
                body.close(tag.local_name().as_ref());
                body.depth -= 1;
            }
            Event::Text(words) if body.reads() => body.text.push_str(&words.xml10_content()),
            Event::CData(words) if body.reads() => body.text.push_str(&words.xml10_content()),
            Event::GeneralRef(reference) if body.reads() => body.text.extend(character(&reference)),
            Event::Eof if body.depth > 0 => return Err(damaged("it ends in the middle".to_owned())),
            Event::Eof => break,
            _ => {}
        }
    }
    body.text.truncate(body.text.trim_end().len());
    Ok(body.text)
}

/// The text so far and where in the document the reader stands.
#[derive(Default)]
struct Body {
    text: String,
    depth: usize,
    /// How many open elements hold text that is deleted or no text of the body.
    n_skipping: usize,
    /// How many `w:t` are open: only their words are text.
    n_words: usize,
    /// How many runs are open: a tab outside of one is a tab stop of the layout.
    n_runs: usize,
}

/// Deleted or moved-away text, and the second form of a drawing kept for old programs (its first form was read).
fn is_skipped(name: &str) -> bool {
    matches!(name, "del" | "moveFrom" | "Fallback")
}

impl Body {
    fn reads(&self) -> bool {
        self.n_words > 0 && self.n_skipping == 0
    }

    fn open(&mut self, name: &str) {
        match name {
            name if is_skipped(name) => self.n_skipping += 1,
            "t" => self.n_words += 1,
            "r" => self.n_runs += 1,
            name => self.mark(name),
        }
    }

    /// An element that stands for a character.
    fn mark(&mut self, name: &str) {
        if self.n_skipping > 0 {
            return;
        }
        match name {
            "tab" if self.n_runs > 0 => self.text.push('\t'),
            "br" | "cr" => self.text.push('\n'),
            "noBreakHyphen" => self.text.push('-'),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            name if is_skipped(name) => self.n_skipping = self.n_skipping.saturating_sub(1),
            "t" => self.n_words = self.n_words.saturating_sub(1),
            "r" => self.n_runs = self.n_runs.saturating_sub(1),
            "p" if self.n_skipping == 0 => self.text.push('\n'),
            "tc" => {
                self.text.truncate(self.text.trim_end_matches('\n').len());
                self.text.push('\t');
            }
            "tr" => {
                self.text.truncate(self.text.trim_end_matches('\t').len());
                self.text.push('\n');
            }
            _ => {}
        }
    }
}

/// The character that `&amp;` or `&#20013;` stands for; an unknown name stands for nothing.
fn character(reference: &BytesRef<'_>) -> Option<char> {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return Some(character);
    }
    match reference.xml10_content().as_ref() {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;
    use zip::write::SimpleFileOptions;

    use super::*;

    const ROOT: &str = r#"<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>"#;

    fn package(part: &str, content: &[u8]) -> Vec<u8> {
        let mut package = zip::ZipWriter::new(Cursor::new(Vec::new()));
        package.start_file(part, SimpleFileOptions::default()).unwrap();
        package.write_all(content).unwrap();
        package.finish().unwrap().into_inner()
    }

    fn check(body: &str, expected: &str) {
        let xml = format!("{ROOT}{body}</w:body></w:document>");
        assert_eq!(docx_text(&package(BODY_PART, xml.as_bytes())).unwrap(), expected);
    }

    #[test]
    fn paragraphs_are_lines_and_runs_are_joined() {
        check(
            "<w:p><w:r><w:t>关于</w:t></w:r><w:r><w:t>印发</w:t></w:r></w:p><w:p><w:r><w:t>各县市：</w:t></w:r></w:p>",
            "关于印发\n各县市：",
        );
    }

    #[test]
    fn cells_of_a_row_are_parted_by_tabs() {
        check(
            "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>账号</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>问题</w:t></w:r></w:p>\
             </w:tc></w:tr></w:tbl><w:p><w:r><w:t>完</w:t></w:r></w:p>",
            "账号\t问题\n完",
        );
    }

    #[test]
    fn tracked_changes_are_taken_as_accepted() {
        check(
            "<w:p><w:del><w:r><w:delText>旧</w:delText></w:r></w:del><w:moveFrom><w:r><w:t>走</w:t></w:r></w:moveFrom>\
             <w:ins><w:r><w:t>新</w:t></w:r></w:ins></w:p>",
            "新",
        );
    }

    #[test]
    fn breaks_tabs_and_references_are_characters() {
        check(
            "<w:p><w:pPr><w:tabs><w:tab/></w:tabs></w:pPr><w:r><w:t>甲&amp;乙&#20013;</w:t><w:tab/><w:t>丙</w:t><w:br/>\
             <w:t>丁</w:t></w:r></w:p>",
            "甲&乙中\t丙\n丁",
        );
    }

    #[test]
    fn field_codes_are_no_text() {
        check("<w:p><w:r><w:instrText>PAGE</w:instrText></w:r><w:r><w:t>第1页</w:t></w:r></w:p>", "第1页");
    }

    #[test]
    fn another_file_is_refused_with_a_remedy() {
        for bytes in [b"plain text".to_vec(), package("xl/workbook.xml", b"<a/>")] {
            let error = docx_text(&bytes).unwrap_err();
            assert!(matches!(error, DocxError::NotDocx(_)), "{error}");
            assert!(error.to_string().contains("save it as .docx"));
        }
    }

    #[test]
    fn a_bomb_is_refused_before_it_unpacks() {
        let bomb = vec![b' '; usize::try_from(BODY_BYTES_MAX).unwrap() + 2];
        assert!(matches!(docx_text(&package(BODY_PART, &bomb)), Err(DocxError::TooLarge)));
    }

    #[test]
    fn endless_nesting_is_refused() {
        let xml = format!("{ROOT}{}", "<w:p>".repeat(DEPTH_MAX + 1));
        assert!(matches!(docx_text(&package(BODY_PART, xml.as_bytes())), Err(DocxError::TooDeep)));
    }

    #[test]
    fn a_body_cut_off_is_damaged() {
        let xml = format!("{ROOT}<w:p><w:r><w:t>半");
        assert!(matches!(docx_text(&package(BODY_PART, xml.as_bytes())), Err(DocxError::Damaged { .. })));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = docx_text(&bytes);
            let _ = docx_text(&package(BODY_PART, &bytes));
        }
    }
}
