//! Sources.

pub mod dates;
pub mod decode;
pub mod feed;
pub mod html_list;
pub mod http;
pub mod link;
pub mod page;
pub mod text;
pub mod wechat_article;
