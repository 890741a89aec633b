//! The settings of `notify`, checked: channels over which messages go, and routes that say which message goes where.

use crate::model::account::labelled_enum;
use crate::model::message::MessageKind;
use crate::model::{AccountId, UnitId};

/// `notify`: who is told what. Default: nobody.
#[derive(Clone, Debug, Default)]
pub struct NotifySettings {
    pub channels: Vec<Channel>,
    pub routes: Vec<Route>,
}

impl NotifySettings {
    pub fn channel(&self, name: &str) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.name == name)
    }
}

/// One way to reach people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    pub name: String,
    pub spec: ChannelSpec,
    /// Name of the credential with its address, key, secret or password.
    pub credential: Option<String>,
}

/// What kind of channel it is, with the settings of that kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelSpec {
    /// A robot of a WeCom group (企业微信群机器人).
    Wecom,
    /// A signed robot of a DingTalk group (钉钉).
    Dingtalk,
    /// A signed robot of a Feishu group (飞书).
    Feishu,
    /// Mail over SMTP.
    Mail(MailSettings),
    /// JSON with a signature, to a server of the office's own.
    Webhook,
}

labelled_enum! {
    /// The word that names the kind of a channel.
    ChannelKind {
        Wecom = "wecom", "企业微信";
        Dingtalk = "dingtalk", "钉钉";
        Feishu = "feishu", "飞书";
        Mail = "mail", "邮件";
        Webhook = "webhook", "网络回调";
    }
}

impl ChannelSpec {
    pub fn kind(&self) -> ChannelKind {
        match self {
            Self::Wecom => ChannelKind::Wecom,
            Self::Dingtalk => ChannelKind::Dingtalk,
            Self::Feishu => ChannelKind::Feishu,
            Self::Mail(_) => ChannelKind::Mail,
            Self::Webhook => ChannelKind::Webhook,
        }
    }
}

/// The server that takes the mail, and its envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailSettings {
    pub host: String,
    /// Default: 465, with `starttls` 587, with `none` 25.
    pub port: u16,
    pub from: String,
    pub to: Vec<String>,
    /// Default: implicit.
    pub tls: MailTls,
}

labelled_enum! {
    /// How the way to the mail server is protected.
    MailTls {
        Implicit = "implicit", "TLS";
        Starttls = "starttls", "STARTTLS";
        None = "none", "本机明文";
    }
}

impl MailTls {
    /// The port on which servers listen for it.
    pub fn usual_port(self) -> u16 {
        match self {
            Self::Implicit => 465,
            Self::Starttls => 587,
            Self::None => 25,
        }
    }
}

/// Which messages go to which channels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub what: Vec<MessageKind>,
    /// Names of channels.
    pub to: Vec<String>,
    /// Messages that concern one of these units, regions or accounts only; all empty: every message.
    pub units: Vec<UnitId>,
    pub regions: Vec<String>,
    pub accounts: Vec<AccountId>,
}

impl Route {
    /// Whether it takes every message of its kinds.
    pub fn is_unrestricted(&self) -> bool {
        self.units.is_empty() && self.regions.is_empty() && self.accounts.is_empty()
    }
}
