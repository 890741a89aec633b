//! What the text writer knows about HTML elements, and a guard against tags that are an attack.

use std::borrow::Cow;

/// Longest tag that is read, in bytes. The tokenizer compares each attribute with all before it, so one tag of a
/// megabyte would take minutes. Longer ones hold embedded images; no text is lost with them.
pub const TAG_BYTES_MAX: usize = 16 * 1024;

/// Whether the element stands on lines of its own.
pub fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "br"
            | "caption"
            | "center"
            | "dd"
            | "details"
            | "dialog"
            | "dir"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hr"
            | "html"
            | "legend"
            | "li"
            | "main"
            | "menu"
            | "nav"
            | "ol"
            | "option"
            | "p"
            | "pre"
            | "section"
            | "summary"
            | "table"
            | "tbody"
            | "tfoot"
            | "thead"
            | "tr"
            | "ul"
    )
}

/// Whether the element has no end tag.
pub fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "param"
            | "source"
            | "track"
            | "wbr"
    )
}

/// Whether the element's content is never shown as text (the content of a player is for browsers that have none).
pub fn is_unread(name: &str) -> bool {
    matches!(name, "template" | "noscript" | "video" | "audio" | "canvas" | "object" | "datalist")
}

/// Whether the element's content is one run of characters that is never shown as text.
pub fn is_raw(name: &str) -> bool {
    matches!(name, "script" | "style" | "iframe" | "noembed" | "noframes" | "xmp" | "title" | "textarea")
}

/// The value of one property of a `style` attribute, lower-cased.
pub fn style_value(style: &str, property: &str) -> Option<String> {
    style
        .split(';')
        .filter_map(|declaration| declaration.split_once(':'))
        .rfind(|(name, _)| name.trim().eq_ignore_ascii_case(property))
        .map(|(_, value)| value.trim().trim_end_matches("!important").trim_end().to_ascii_lowercase())
}

/// Drops tags longer than [`TAG_BYTES_MAX`].
pub fn without_huge_tags(html: &str) -> Cow<'_, str> {
    if html.len() <= TAG_BYTES_MAX {
        return Cow::Borrowed(html);
    }
    let mut kept: Option<String> = None;
    let mut copied_to = 0;
    let mut at = 0;
    while let Some(found) = html[at..].find('<') {
        let start = at + found;
        let end = start + tag_length(&html.as_bytes()[start..]);
        if end - start > TAG_BYTES_MAX {
            kept.get_or_insert_default().push_str(&html[copied_to..start]);
            copied_to = end;
        }
        at = end;
    }
    match kept {
        None => Cow::Borrowed(html),
        Some(mut kept) => {
            kept.push_str(&html[copied_to..]);
            Cow::Owned(kept)
        }
    }
}

/// Bytes from `<` to behind the matching `>`; 1 where it does not open a tag. Always ends behind an ASCII byte.
fn tag_length(bytes: &[u8]) -> usize {
    if !bytes.get(1).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'/') {
        return 1;
    }
    let mut quote = None;
    let mut after_equals = false;
    for (index, byte) in bytes.iter().enumerate() {
        match (quote, *byte) {
            (Some(open), byte) if byte == open => quote = None,
            (None, b'"' | b'\'') if after_equals => quote = Some(*byte),
            (None, b'>') => return index + 1,
            _ => {}
        }
        after_equals = quote.is_none() && (*byte == b'=' || (after_equals && byte.is_ascii_whitespace()));
    }
    bytes.len()
}
