//! From bytes to text: feeds and pages in GBK are still about. Pure.

use std::borrow::Cow;

use encoding_rs::{Encoding, GB18030, UTF_8, WINDOWS_1252};

/// How far into a body its declaration is looked for, in bytes.
const DECLARATION_BYTES_MAX: usize = 256;

/// Decodes a feed or a page: a byte order mark, then what is valid UTF-8, then the declared encodings, then GB18030. A body that
/// fits none is read as declared with replacement characters: one damaged title must not cost the whole listing.
pub fn decode<'a>(body: &'a [u8], content_type: Option<&str>) -> Cow<'a, str> {
    if let Some((encoding, mark_bytes)) = Encoding::for_bom(body) {
        return encoding.decode_without_bom_handling(&body[mark_bytes..]).0;
    }
    // Text in another encoding is hardly ever valid UTF-8 by chance, while servers often declare what is not true.
    if let Ok(text) = std::str::from_utf8(body) {
        return Cow::Borrowed(text);
    }
    let by_header = content_type.and_then(charset_of_type);
    let by_prolog = charset_of_prolog(body);
    // Latin 1 is what servers say when nobody told them: the file itself knows better.
    let by_header = by_header.filter(|encoding| *encoding != WINDOWS_1252 || by_prolog.is_none());
    let declared = [by_header, by_prolog].into_iter().flatten();
    for encoding in declared.clone().filter(|encoding| *encoding != UTF_8).chain([GB18030]) {
        if let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(body) {
            return text;
        }
    }
    let encoding = declared.into_iter().next().unwrap_or(UTF_8);
    encoding.decode_without_bom_handling(body).0
}

fn charset_of_type(content_type: &str) -> Option<&'static Encoding> {
    let parameters = content_type.split(';').skip(1);
    let charset = parameters
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    Encoding::for_label(charset?.1.trim().trim_matches(['"', '\'']).as_bytes())
}

/// The `encoding` of an XML declaration.
fn charset_of_prolog(body: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&body[..body.len().min(DECLARATION_BYTES_MAX)]);
    let declaration = head.trim_start().strip_prefix("<?xml")?.split("?>").next()?.to_owned();
    let value = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    Encoding::for_label(value[1..].split(quote).next()?.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &[u8], content_type: Option<&str>, expected: &str) {
        assert_eq!(decode(body, content_type), expected);
    }

    fn gbk(text: &str) -> Vec<u8> {
        encoding_rs::GBK.encode(text).0.into_owned()
    }

    #[test]
    fn the_encoding_is_found_in_the_mark_the_type_or_the_declaration() {
        let declared = "<?xml version='1.0' encoding = 'gb2312'?><t>公开</t>";
        check(&gbk(declared), None, declared);
        check(&gbk(declared), Some("text/xml; charset=ISO-8859-1"), declared);
        check(&gbk("<t>公开</t>"), Some("text/xml; Charset=\"GBK\""), "<t>公开</t>");
        check("\u{FEFF}<t>公开</t>".as_bytes(), Some("text/xml; charset=gbk"), "<t>公开</t>");
        check(b"\xFF\xFE<\0t\0", None, "<t");
    }

    #[test]
    fn a_wrong_declaration_does_not_spoil_the_text() {
        check("<t>公开</t>".as_bytes(), Some("text/xml; charset=gbk"), "<t>公开</t>");
        check(&gbk("<t>公开</t>"), Some("text/xml; charset=utf-8"), "<t>公开</t>");
        check(&gbk("<t>公开</t>"), None, "<t>公开</t>");
    }

    #[test]
    fn a_damaged_character_is_replaced_and_the_rest_stays() {
        let damaged = [b"<t>".as_slice(), "公".as_bytes(), &"开".as_bytes()[..2], b"\x80\xFF</t>"].concat();
        let text = decode(&damaged, None);
        assert!(text.starts_with("<t>公") && text.ends_with("</t>"), "{text}");
    }
}
