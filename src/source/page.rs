//! What can be said of a page that is not what was asked for. Pure.

use super::text;
use crate::model::crawl::{Failure, Outcome};

/// Most characters of a page quoted to the operator.
const EXCERPT_CHARS_MAX: usize = 120;
/// How much of a page is looked at for its title and its first words, in bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// The first words of a page on one line, for a message.
pub fn excerpt(page: &str) -> String {
    let words = text::line(text::cut(page, HEAD_BYTES_MAX));
    words.chars().map(|c| if c == '`' { '\'' } else { c }).take(EXCERPT_CHARS_MAX).collect()
}

/// Whether a body is a web page, whatever its content type says.
pub fn is_html(body: &str) -> bool {
    let mut rest = body.trim_start();
    // Comments and an XML declaration may stand before the first tag.
    while let Some(end) = ["<!--", "<?"].iter().find(|open| rest.starts_with(**open)).map(|open| {
        let close = if *open == "<!--" { "-->" } else { "?>" };
        rest.find(close).map_or(rest.len(), |at| at + close.len())
    }) {
        rest = rest[end..].trim_start();
    }
    let head: String = rest.chars().take(14).collect::<String>().to_ascii_lowercase();
    ["<!doctype html", "<html", "<head", "<body", "<script", "<meta"].iter().any(|start| head.starts_with(start))
}

/// The failure behind a web page that came instead of something else. What kind it is says its title, not its text: a
/// text may quote anything.
pub fn unexpected(page: &str, wanted: &str) -> Failure {
    let title = title(page).unwrap_or_default();
    let says = |words: &[&str]| words.iter().any(|word| title.contains(word));
    if says(&["环境异常", "验证码", "安全验证", "人机验证"]) {
        return Failure::new(
            Outcome::Captcha,
            format!("the server asks for a captcha: `{title}`; slow down, or use another source"),
        );
    }
    if says(&["登录", "登陆", "Login", "Sign in"]) {
        return Failure::new(
            Outcome::LoginNeeded,
            format!("the server shows a login page: `{title}`; log in at the bridge"),
        );
    }
    let said = if title.is_empty() { excerpt(page) } else { title };
    Failure::new(
        Outcome::ShapeChanged,
        format!("expected {wanted}, got a web page that says `{said}`; open the address in a browser"),
    )
}

/// The `<title>` of a page, on one line; `None` where it is absent or empty.
pub fn title(page: &str) -> Option<String> {
    let head = text::cut(page, HEAD_BYTES_MAX).to_ascii_lowercase();
    let open = head.find("<title")?;
    let start = open + head[open..].find('>')? + 1;
    let end = start + head[start..].find("</title")?;
    let title: String = text::line(&page[start..end]).chars().take(EXCERPT_CHARS_MAX).collect();
    (!title.is_empty()).then_some(title)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_web_page_is_known_by_its_first_tag() {
        for page in [
            "<!DOCTYPE HTML>\n<html>",
            "\u{FEFF}\n <html lang='zh'>".trim_start_matches('\u{FEFF}'),
            "<!-- a --><!-- b --> <HEAD>",
            "<?xml version='1.0'?>\n<!DOCTYPE html PUBLIC>",
        ] {
            assert!(is_html(page), "{page}");
        }
        for page in ["<?xml version='1.0'?><rss/>", "<feed>", "{}", "", "<!-- never closed"] {
            assert!(!is_html(page), "{page}");
        }
    }

    #[test]
    fn the_title_of_a_page_tells_a_captcha_from_a_login_and_from_the_rest() {
        let outcome = |page: &str| unexpected(page, "a feed").outcome;
        assert_eq!(outcome("<html><head><title>环境异常</title>"), Outcome::Captcha);
        assert_eq!(outcome("<html><title> 用户登录 </title>"), Outcome::LoginNeeded);
        assert_eq!(outcome("<html><title>网站维护</title><p>环境异常"), Outcome::ShapeChanged);
        assert!(unexpected("<html><body>正在维护", "a feed").detail.contains("正在维护"));
    }

    #[test]
    fn an_excerpt_is_short_and_cannot_break_out_of_its_quotes() {
        assert_eq!(excerpt("a `b`\n<b>c</b>"), "a 'b' c");
        assert_eq!(excerpt(&"字".repeat(500)).chars().count(), EXCERPT_CHARS_MAX);
    }
}
