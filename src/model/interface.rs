//! The interfaces of the platforms through which an account can be seen: for whom each is, what it needs and what its
//! listings prove. The table of the README is made of these facts.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::account::{AccountKind, labelled_enum};

labelled_enum! {
    /// One way to ask a platform for an account's posts (采集接口). The facts are those of platforms.md.
    Interface {
        /// Official API, with the account's `AppID`: published items, and the statistics of the day before.
        WechatOfficial = "wechat_official", "公众平台接口";
        /// The account's own back office, with the cookie of somebody who logged in.
        WechatBackend = "wechat_backend", "公众平台后台";
        /// A public album (合集) into which the office files every article.
        WechatAlbum = "wechat_album", "公众号合集";
        /// Official API, authorised by the account itself.
        WeiboOfficial = "weibo_official", "微博开放平台";
        /// The desktop site, with a login cookie.
        WeiboAjax = "weibo_ajax", "微博网页";
        /// The mobile site; visitors silently see fewer posts.
        WeiboMobile = "weibo_mobile", "微博移动网页";
        DouyinCreator = "douyin_creator", "抖音创作者中心";
        KuaishouOfficial = "kuaishou_official", "快手开放平台";
        ToutiaoBackend = "toutiao_backend", "头条号后台";
        BaijiahaoBackend = "baijiahao_backend", "百家号后台";
        ChannelsBackend = "channels_backend", "视频号助手";
        /// Public dynamics of a space.
        BilibiliSpace = "bilibili_space", "哔哩哔哩动态";
        /// Official API, authorised by the account itself: videos only.
        BilibiliOfficial = "bilibili_official", "哔哩哔哩开放平台";
        /// The download or version page of a mobile application.
        AppPage = "app_page", "应用下载页";
    }
}

labelled_enum! {
    /// What a listing of an interface proves.
    Grade {
        /// It lists everything: what is not in it was not published.
        Complete = "complete", "完整";
        /// It leaves out kinds of posts, or posts without saying so: what it lists counts, its silence proves nothing.
        Partial = "partial", "部分";
        /// A sign of life only.
        Hint = "hint", "线索";
    }
}

/// A value that the registry gives for one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    pub name: &'static str,
    pub required: bool,
}

const fn required(name: &'static str) -> Parameter {
    Parameter { name, required: true }
}

const fn optional(name: &'static str) -> Parameter {
    Parameter { name, required: false }
}

impl Interface {
    /// The account kinds that can be seen through it.
    pub fn kinds(self) -> &'static [AccountKind] {
        match self {
            Self::WechatOfficial | Self::WechatBackend | Self::WechatAlbum => {
                &[AccountKind::WechatSubscription, AccountKind::WechatService]
            }
            Self::WeiboOfficial | Self::WeiboAjax | Self::WeiboMobile => &[AccountKind::Weibo],
            Self::DouyinCreator => &[AccountKind::Douyin],
            Self::KuaishouOfficial => &[AccountKind::Kuaishou],
            Self::ToutiaoBackend => &[AccountKind::Toutiao],
            Self::BaijiahaoBackend => &[AccountKind::Baijiahao],
            Self::ChannelsBackend => &[AccountKind::WechatChannels],
            Self::BilibiliSpace | Self::BilibiliOfficial => &[AccountKind::Bilibili],
            Self::AppPage => &[AccountKind::App],
        }
    }

    pub fn grade(self) -> Grade {
        match self {
            Self::WechatBackend
            | Self::WeiboAjax
            | Self::DouyinCreator
            | Self::ToutiaoBackend
            | Self::BaijiahaoBackend
            | Self::ChannelsBackend
            | Self::BilibiliSpace => Grade::Complete,
            Self::WechatOfficial
            | Self::WechatAlbum
            | Self::WeiboOfficial
            | Self::WeiboMobile
            | Self::KuaishouOfficial
            | Self::BilibiliOfficial => Grade::Partial,
            Self::AppPage => Grade::Hint,
        }
    }

    /// Where the platform answers, unless the registry names another address; `None`: the registry must name it.
    pub fn address(self) -> Option<&'static str> {
        Some(match self {
            Self::WechatOfficial => "https://api.weixin.qq.com/",
            Self::WechatBackend | Self::WechatAlbum => "https://mp.weixin.qq.com/",
            Self::WeiboOfficial => "https://api.weibo.com/",
            Self::WeiboAjax => "https://weibo.com/",
            Self::WeiboMobile => "https://m.weibo.cn/",
            Self::DouyinCreator => "https://creator.douyin.com/",
            Self::KuaishouOfficial => "https://open.kuaishou.com/",
            Self::ToutiaoBackend => "https://mp.toutiao.com/",
            Self::BaijiahaoBackend => "https://baijiahao.baidu.com/",
            Self::ChannelsBackend => "https://channels.weixin.qq.com/",
            Self::BilibiliSpace => "https://api.bilibili.com/",
            Self::BilibiliOfficial => "https://member.bilibili.com/",
            Self::AppPage => return None,
        })
    }

    /// What the registry says of the account beside the address.
    pub fn parameters(self) -> &'static [Parameter] {
        match self {
            Self::WechatAlbum => const { &[required("biz"), required("album")] },
            Self::WeiboOfficial | Self::WeiboAjax | Self::WeiboMobile | Self::ToutiaoBackend => {
                const { &[required("uid")] }
            }
            Self::BilibiliSpace => const { &[required("mid")] },
            Self::BaijiahaoBackend => const { &[optional("app_id")] },
            Self::AppPage => const { &[optional("version"), optional("date"), optional("date_format")] },
            Self::WechatOfficial
            | Self::WechatBackend
            | Self::DouyinCreator
            | Self::KuaishouOfficial
            | Self::ChannelsBackend
            | Self::BilibiliOfficial => &[],
        }
    }

    /// Keys that its credential must hold; empty: it needs none.
    pub fn secrets(self) -> &'static [&'static str] {
        match self {
            Self::WechatOfficial => &["appid", "secret"],
            Self::WechatBackend => &["cookie", "token"],
            Self::WeiboOfficial => &["access_token"],
            Self::KuaishouOfficial => &["app_id", "access_token"],
            Self::BilibiliOfficial => &["client_id", "access_token"],
            Self::WeiboAjax
            | Self::DouyinCreator
            | Self::ToutiaoBackend
            | Self::BaijiahaoBackend
            | Self::ChannelsBackend => &["cookie"],
            Self::WechatAlbum | Self::WeiboMobile | Self::BilibiliSpace | Self::AppPage => &[],
        }
    }

    /// Whether it may be given a credential that it does not need.
    pub fn may_have_credential(self) -> bool {
        !self.secrets().is_empty() || matches!(self, Self::WeiboMobile | Self::BilibiliSpace)
    }

    /// Shortest time between two requests with one credential, or to one host without any (platforms.md §0.5). A host
    /// named in `crawl.hosts` keeps the pace written there instead.
    pub fn interval(self) -> Duration {
        match self {
            Self::WeiboMobile => Duration::from_secs(8),
            Self::WeiboAjax | Self::BilibiliSpace | Self::WechatBackend | Self::WechatAlbum => Duration::from_secs(2),
            // Ten requests in an hour are advised.
            Self::DouyinCreator => Duration::from_mins(6),
            Self::WeiboOfficial
            | Self::WechatOfficial
            | Self::KuaishouOfficial
            | Self::ToutiaoBackend
            | Self::BaijiahaoBackend
            | Self::ChannelsBackend
            | Self::BilibiliOfficial
            | Self::AppPage => Duration::from_secs(1),
        }
    }
}

/// A source that is asked through a platform's interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InterfaceSpec {
    pub interface: Interface,
    /// Name of the credential it is asked with.
    pub credential: Option<String>,
    /// Values of [`Interface::parameters`].
    #[serde(flatten)]
    pub values: BTreeMap<&'static str, String>,
}

impl InterfaceSpec {
    /// A value of the registry; empty where an optional one is not given.
    pub fn value(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_interface_serves_some_kind_and_has_a_whole_address() {
        for interface in Interface::ALL {
            assert!(!interface.kinds().is_empty());
            if let Some(address) = interface.address() {
                assert!(address.starts_with("https://") && address.ends_with('/'), "{address}");
            }
            assert!(interface.secrets().is_empty() || interface.may_have_credential());
        }
    }
}
