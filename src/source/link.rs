//! Which links name the same post. Pure.

use url::Url;

use crate::model::digest_hex;

/// Longest key kept as it is, in bytes; a longer one is replaced by its digest.
const KEY_BYTES_MAX: usize = 512;
const WECHAT_HOST: &str = "mp.weixin.qq.com";

/// The one form of a link under which its post is known (platforms.md §1.5): a WeChat short link without query and
/// fragment, a long one with `__biz`, `mid`, `idx` and `sn` only; any other link without its fragment, except a
/// fragment that is a route of the page (`#/…`, `#!…`). `http` and `https` are one.
pub fn canonical_key(url: &Url) -> String {
    let mut url = url.clone();
    // Cannot fail for a web address; another scheme simply stays.
    let _ = url.set_scheme("https");
    if !url.fragment().is_some_and(|fragment| fragment.starts_with(['/', '!'])) {
        url.set_fragment(None);
    }
    if url.host_str() == Some(WECHAT_HOST) {
        if url.path().starts_with("/s/") {
            url.set_query(None);
            url.set_fragment(None);
        } else if let Some(article) = WechatLink::read(&url) {
            url.set_fragment(None);
            url.set_query(Some(&article.query()));
        }
    }
    bounded_key(url.into())
}

/// Keeps a key short enough to be an index.
pub fn bounded_key(key: String) -> String {
    if key.len() <= KEY_BYTES_MAX { key } else { format!("sha256:{}", digest_hex([key.as_str()], 32)) }
}

/// Whether a link leads to a WeChat article and will do so tomorrow: links made by a search engine expire.
pub fn is_lasting_wechat_link(url: &Url) -> bool {
    url.host_str() == Some(WECHAT_HOST)
        && (url.path().strip_prefix("/s/").is_some_and(|id| !id.is_empty()) || WechatLink::read(url).is_some())
}

/// Whether a key names a WeChat article by push and place only: that is all that is told of a deleted one.
pub fn is_wechat_key_without_sn(key: &str) -> bool {
    let link = Url::parse(key).ok().and_then(|url| WechatLink::read(&url));
    link.is_some_and(|link| link.sn.is_none())
}

/// What a long WeChat link says of its article.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WechatLink {
    pub biz: String,
    pub mid: String,
    pub idx: String,
    sn: Option<String>,
}

impl WechatLink {
    /// `None` for a short link, which names nothing, and for every other page.
    pub fn read(url: &Url) -> Option<Self> {
        if url.host_str() != Some(WECHAT_HOST) {
            return None;
        }
        let value = |name: &str| {
            url.query_pairs()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
                .filter(|v| !v.is_empty())
        };
        // An unescaped `+` of the base64 text reads as a space.
        let biz = value("__biz")?.replace(' ', "+");
        let mid = value("mid").or_else(|| value("appmsgid"))?;
        let idx = value("idx").or_else(|| value("itemidx"))?;
        Some(Self { biz, mid, idx, sn: value("sn") })
    }

    /// One push (群发批次) holds the articles of one `mid`.
    pub fn push_key(&self) -> String {
        format!("{}/{}", self.biz, self.mid)
    }

    fn query(&self) -> String {
        let Self { biz, mid, idx, sn } = self;
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("__biz", biz).append_pair("mid", mid).append_pair("idx", idx);
        if let Some(sn) = sn {
            query.append_pair("sn", sn);
        }
        query.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expected: &str) {
        assert_eq!(canonical_key(&url.parse().unwrap()), expected);
    }

    #[test]
    fn a_short_wechat_link_loses_query_and_fragment() {
        check("http://mp.weixin.qq.com/s/AbC_-1?scene=1#rd", "https://mp.weixin.qq.com/s/AbC_-1");
    }

    #[test]
    fn a_long_wechat_link_keeps_the_article_only() {
        let expected = "https://mp.weixin.qq.com/s?__biz=MzA4%3D%3D&mid=22&idx=1&sn=ab";
        check("http://mp.weixin.qq.com/s?idx=1&__biz=MzA4==&chksm=9&mid=22&sn=ab&scene=27#wechat_redirect", expected);
        check("https://mp.weixin.qq.com/s?__biz=MzA4%3D%3D&mid=22&idx=1&sn=ab", expected);
    }

    #[test]
    fn other_links_lose_a_mark_but_not_a_route() {
        check("http://www.example.gov.cn/a?id=1#top", "https://www.example.gov.cn/a?id=1");
        check("https://www.example.gov.cn/#/post/1", "https://www.example.gov.cn/#/post/1");
    }

    #[test]
    fn a_very_long_key_becomes_a_digest() {
        let url: Url = format!("https://a.cn/{}", "x".repeat(600)).parse().unwrap();
        assert!(canonical_key(&url).starts_with("sha256:"));
    }

    #[test]
    fn a_link_with_a_signature_does_not_last() {
        let lasting = |url: &str| is_lasting_wechat_link(&url.parse().unwrap());
        assert!(lasting("https://mp.weixin.qq.com/s/abc"));
        assert!(lasting("https://mp.weixin.qq.com/s?__biz=a&mid=1&idx=1"));
        assert!(!lasting("https://mp.weixin.qq.com/s?src=11&timestamp=1&signature=x"));
        assert!(!lasting("https://example.cn/s/abc"));
    }

    #[test]
    fn a_long_link_names_its_push() {
        let link = WechatLink::read(&"https://mp.weixin.qq.com/s?__biz=a+b==&mid=1&idx=2".parse().unwrap()).unwrap();
        assert_eq!(link.push_key(), "a+b==/1");
    }
}
