//! HTML pages: WeChat articles and notices (platforms.md §1.5), the list pages of a site, error pages. Pure.

use std::fmt::Write as _;

use super::content::{Shape, SimAccount, SimPost, beijing};
use super::registry::HostName;
use super::render::{Addresses, escape, post_html};

/// Posts on one list page of a site.
pub const LIST_PAGE_ITEMS: usize = 15;

/// CSS selectors of the list pages, for `html_list` sources.
pub mod selectors {
    pub const ITEM: &str = "ul.news-list > li";
    pub const LINK: &str = "a";
    pub const TITLE: &str = "a";
    pub const DATE: &str = "span.date";
    pub const DATE_FORMAT: &str = "%Y-%m-%d";
    pub const NEXT: &str = "div.pages a.next";
}

/// Why WeChat shows a notice in place of an article; all of them come with status 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    DeletedByAuthor,
    Violation,
    TemporarilyUnavailable,
    AccountCancelled,
    Captcha,
}

impl Notice {
    /// Every notice with the word of its path, `/s/notice-WORD`.
    pub const ALL: [(&str, Self); 5] = [
        ("deleted", Self::DeletedByAuthor),
        ("violation", Self::Violation),
        ("unavailable", Self::TemporarilyUnavailable),
        ("cancelled", Self::AccountCancelled),
        ("captcha", Self::Captcha),
    ];
}

/// The page of one article, as small as its structure allows.
pub fn article(account: &SimAccount, post: &SimPost, addresses: &Addresses) -> String {
    let link = escape(&addresses.post_link(account, post));
    let title = escape(&post.title);
    let body = match post.shape {
        Shape::Article => format!(
            "<h1 class=\"rich_media_title\" id=\"activity-name\">{title}</h1>\n<em id=\"publish_time\"></em>\n\
             <div class=\"rich_media_content\" id=\"js_content\" style=\"visibility: hidden; opacity: 0;\">{}</div>",
            post_html(post)
        ),
        Shape::Pictures => "<div id=\"img_swiper_content\"></div>".to_owned(),
        Shape::Text => {
            "<div class=\"rich_media_content\" id=\"js_content\"><p id=\"js_text_desc\"></p></div>".to_owned()
        }
    };
    format!(
        "<!DOCTYPE html>\n<html lang=\"zh_CN\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta property=\"og:title\" content=\"{title}\">\n<meta property=\"og:url\" content=\"{link}\">\n\
         <meta property=\"og:type\" content=\"article\">\n<title></title>\n</head>\n\
         <body id=\"activity-detail\" class=\"zh_CN\">\n<div id=\"js_article\" class=\"rich_media\">\n{body}\n</div>\n\
         <script nonce=\"1\">\n{globals}{data}</script>\n</body>\n</html>\n",
        globals = globals(account, post),
        data = cgi_data(account, post, &link),
    )
}

/// WeChat's message id of the push an article belongs to.
pub fn mid(post: &SimPost) -> u32 {
    2_247_480_001 + post.push
}

fn globals(account: &SimAccount, post: &SimPost) -> String {
    let ct = post.published_at.timestamp();
    if post.shape != Shape::Article {
        return format!(
            "d.title = xml ? getXmlValue('title.DATA') : '{}';\nd.ct = xml ? getXmlValue('ct') : '{ct}';\n\
             _g.item_show_type = '{}';\n",
            js_text(&post.title),
            post.shape.number(),
        );
    }
    format!(
        "var biz = \"{biz}\" || \"\";\nvar sn = \"{sn}\" || \"\";\nvar mid = \"{mid}\" || \"\";\n\
         var idx = \"{idx}\" || \"\";\nvar nickname = htmlDecode(\"{name}\");\nvar user_name = \"{user}\";\n\
         var msg_title = '{title}'.html(false);\nvar ct = \"{ct}\";\nvar _copyright_stat = \"{copyright}\";\n",
        biz = account.biz(),
        sn = post.key,
        mid = mid(post),
        idx = post.index,
        name = escape(&account.name),
        user = account.platform_id.as_deref().unwrap_or_default(),
        title = js_text(&post.title),
        copyright = copyright(post),
    )
}

fn cgi_data(account: &SimAccount, post: &SimPost, link: &str) -> String {
    let local = post.published_at.with_timezone(&beijing());
    let plain = post.paragraphs.join("\n");
    let (content, text_page) = match post.shape {
        Shape::Article => (post_html(post), String::new()),
        Shape::Pictures => (plain, String::new()),
        Shape::Text => {
            let text = js_text(&plain);
            (
                String::new(),
                format!("  text_page_info: {{ content_noencode: JsDecode('{text}'), is_user_title: '0' * 1 }},\n"),
            )
        }
    };
    format!(
        "window.cgiDataNew = {{\n  user_name: JsDecode('{user}'),\n  nick_name: JsDecode('{name}'),\n\
         \x20 title: JsDecode('{title}'),\n  content_noencode: JsDecode('{content}'),\n{text_page}\
         \x20 link: JsDecode('{link}'),\n  bizuin: JsDecode('{biz}'),\n  mid: '{mid}' * 1,\n  idx: '{idx}' * 1,\n\
         \x20 sn: JsDecode('{sn}'),\n  create_time: JsDecode('{minute}'),\n  ori_create_time: '{ct}' * 1,\n\
         \x20 item_show_type: '{shape}' * 1,\n  copyright_info: {{ copyright_stat: '{copyright}' * 1 }},\n}};\n",
        user = account.platform_id.as_deref().unwrap_or_default(),
        name = js_text(&account.name),
        title = js_text(&post.title),
        content = js_text(&content),
        link = js_text(link),
        biz = account.biz(),
        mid = mid(post),
        idx = post.index,
        sn = post.key,
        minute = local.format("%Y-%m-%d %H:%M"),
        ct = post.published_at.timestamp(),
        shape = post.shape.number(),
        copyright = copyright(post),
    )
}

/// 1 原创, 2 转载.
fn copyright(post: &SimPost) -> u8 {
    if post.original { 1 } else { 2 }
}

/// Text within a script's quotes, in the escapes that `JsDecode` takes back.
pub(super) fn js_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' | '<' | '>' | '"' | '\'' | '\\' | '\n' => {
                let _ = write!(escaped, "\\x{:02x}", u32::from(character));
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

/// The page that stands in an article's place.
pub fn notice(notice: Notice) -> String {
    match notice {
        Notice::DeletedByAuthor => message_page("", "<div class=\"weui-msg__title warn\">该内容已被发布者删除</div>"),
        Notice::Violation => message_page(
            "",
            "<h2 class=\"weui-msg__title\">此内容因违规无法查看</h2>\n\
             <div class=\"weui-msg__desc\"><p class=\"tips\">由用户投诉并经平台审核，查看对应规则</p></div>",
        ),
        Notice::TemporarilyUnavailable => {
            message_page("该内容暂时无法查看", "<div class=\"mesg-block\"><p>该内容暂时无法查看</p></div>")
        }
        Notice::AccountCancelled => {
            message_page("", "<h2 class=\"weui-msg__title\">此帐号已自主注销，内容无法查看</h2>")
        }
        Notice::Captcha => message_page(
            "",
            "<h2 class=\"weui-msg__title\">环境异常</h2>\n\
             <div class=\"weui-msg__desc\">当前环境异常，完成验证后即可继续访问。</div>\n\
             <a class=\"weui-btn\" id=\"js_verify\" href=\"/mp/wappoc_appmsgcaptcha\">去验证</a>",
        ),
    }
}

fn message_page(title: &str, message: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html>\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
         <body id=\"activity-detail\">\n<div class=\"weui-msg\"><div class=\"weui-msg__text-area\">\n{message}\n\
         </div></div>\n<script>var biz = '' || '';</script>\n</body>\n</html>\n"
    )
}

/// Path of a list page; pages count from 1.
pub fn list_path(account: &SimAccount, page: usize) -> String {
    let name = if page == 1 { "index.html".to_owned() } else { format!("index_{page}.html") };
    format!("/list/{}/{name}", account.id)
}

/// All list pages of an account, newest post first, each with a link to the next older page.
pub fn list_pages(account: &SimAccount, addresses: &Addresses) -> Vec<String> {
    let newest_first: Vec<&SimPost> = account.posts.iter().rev().collect();
    let n_pages = newest_first.len().div_ceil(LIST_PAGE_ITEMS);
    let mut pages = Vec::with_capacity(n_pages);
    for (number, posts) in (1..).zip(newest_first.chunks(LIST_PAGE_ITEMS)) {
        let mut items = String::new();
        for post in posts {
            let shown: String = post.title.chars().take(14).collect();
            let title = escape(&post.title);
            let link = addresses.post_link(account, post);
            let path = link.trim_start_matches(addresses.base(HostName::Site));
            let date = post.published_at.with_timezone(&beijing()).format(selectors::DATE_FORMAT);
            let shown = escape(&shown);
            let _ = writeln!(
                items,
                "<li><a href=\"{path}\" title=\"{title}\">{shown}…</a> <span class=\"date\">{date}</span></li>"
            );
        }
        let next = if number < n_pages {
            format!("<a class=\"next\" href=\"{}\">下一页</a>", list_path(account, number + 1))
        } else {
            String::new()
        };
        pages.push(format!(
            "<!DOCTYPE html>\n<html lang=\"zh-CN\"><head><meta charset=\"utf-8\"><title>{name}</title></head>\n<body>\n\
             <ul class=\"news-list\">\n{items}</ul>\n<div class=\"pages\">第{number}页，共{n_pages}页 {next}</div>\n</body></html>\n",
            name = escape(&account.name),
        ));
    }
    pages
}

/// A post on its unit's site.
pub fn site_post(account: &SimAccount, post: &SimPost) -> String {
    let local = post.published_at.with_timezone(&beijing());
    format!(
        "<!DOCTYPE html>\n<html lang=\"zh-CN\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\n<body>\n\
         <h1>{title}</h1>\n<p class=\"source\">来源：{name}　发布时间：{time}</p>\n<div class=\"content\">{text}</div>\n\
         </body></html>\n",
        title = escape(&post.title),
        name = escape(&account.name),
        time = local.format("%Y-%m-%d %H:%M"),
        text = post_html(post),
    )
}

/// What a bridge shows when it fails.
pub fn bridge_error(status: u16) -> String {
    format!(
        "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>Error</title></head>\n\
         <body><h1>Looks like something went wrong</h1><pre>HTTPError: Response code {status}</pre></body></html>\n"
    )
}
