//! Packs a document so that the same content gives the same bytes, and says what docx-rs cannot: that a table's header
//! row repeats on every page.

use std::io::{Cursor, Read, Write};

use docx_rs::Docx;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use super::style::HEADER_ROW_HEIGHT;
use crate::report::RenderError;

pub(super) fn pack(docx: Docx) -> Result<Vec<u8>, RenderError> {
    let mut packed = Cursor::new(Vec::new());
    docx.pack(&mut packed).map_err(|error| RenderError::Docx(error.to_string()))?;
    repack(packed.into_inner()).map_err(|error| RenderError::Docx(error.to_string()))
}

/// Compresses the parts (docx-rs stores them) and gives each the same fixed time.
fn repack(packed: Vec<u8>) -> Result<Vec<u8>, zip::result::ZipError> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default());
    let mut archive = ZipArchive::new(Cursor::new(packed))?;
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..archive.len() {
        let mut part = archive.by_index(index)?;
        if part.is_dir() {
            continue;
        }
        let name = part.name()?.into_owned();
        let mut content = String::new();
        part.read_to_string(&mut content)?;
        if name == "word/document.xml" {
            content = repeat_header_rows(&content);
        }
        writer.start_file(name, options)?;
        writer.write_all(content.as_bytes())?;
    }
    Ok(writer.finish()?.into_inner())
}

/// Header rows are the only rows with a height.
fn repeat_header_rows(document: &str) -> String {
    let height = format!("<w:trHeight w:val=\"{HEADER_ROW_HEIGHT}\"");
    document.replace(&height, &format!("<w:tblHeader />{height}"))
}
