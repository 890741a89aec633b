//! Writes the configuration folder that lets the program watch the simulated platforms.
//!
//! The only part of the simulator that touches files. It writes the shapes that an operator writes by hand and knows
//! them as text, not as types: the reader must agree with the documented files, not with this writer.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use chrono::Days;

use super::content::SimAccount;
use super::interfaces::seed::{account_id, credential_text, secret};
use super::pages::selectors;
use super::platforms::Platforms;
use super::registry::{AREA, Channel, HostName, OFFICE};

/// Most list pages read in one crawl.
const LIST_PAGES_MAX: u32 = 3;
/// Days before and after the world's end that the exemption reaches.
const EXEMPTION_DAYS: u64 = 60;

/// Writes `duwang.yaml`, `accounts.yaml`, `rules.yaml` and `exemptions.yaml` into `dir`, which is made if it is missing.
pub fn write_config(dir: &Path, platforms: &Platforms) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    std::fs::write(dir.join("duwang.yaml"), settings_yaml(platforms))?;
    std::fs::write(dir.join("accounts.yaml"), accounts_yaml(platforms))?;
    std::fs::write(dir.join("rules.yaml"), RULES_YAML)?;
    write_credentials(&dir.join("credentials"), platforms)?;
    std::fs::write(dir.join("exemptions.yaml"), exemptions_yaml(platforms))
}

/// One file for each account whose interface wants a login, named like the account.
fn write_credentials(dir: &Path, platforms: &Platforms) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    for account in platforms.world().accounts() {
        let Some((interface, _)) = account.channel.interface() else { continue };
        let text = credential_text(interface, &secret(interface, account));
        if !text.is_empty() {
            std::fs::write(dir.join(account.id.as_str()), text)?;
        }
    }
    Ok(())
}

/// The source that asks the account's interface.
fn interface_source(account: &SimAccount, platforms: &Platforms) -> Option<String> {
    let (interface, _) = account.channel.interface()?;
    let mut source = format!("{{kind: {interface}, url: {}", quoted(&platforms.interface_url(account)?));
    for parameter in interface.parameters().iter().filter(|parameter| parameter.required) {
        let _ = write!(source, ", {}: {}", parameter.name, quoted(&account_id(interface, account)));
    }
    if !interface.secrets().is_empty() {
        let _ = write!(source, ", credential: {}", account.id);
    }
    Some(source + "}")
}

fn settings_yaml(platforms: &Platforms) -> String {
    let articles = platforms.addresses().authority(HostName::Articles);
    format!(
        "# 演示用配置：各平台均为本机模拟。\n\
         storage:\n  url: \"sqlite:duwang.db\"\n\
         crawl:\n  timeout: 5s\n  retries_max: 1\n  retry_wait: 50ms\n  hosts:\n    \
         \"127.0.0.1\": {{per_second: 0, concurrent: 64}}\n  article_hosts: [{}]\n\
         report:\n  area: {AREA}\n  office: {OFFICE}\n",
        quoted(articles),
    )
}

fn accounts_yaml(platforms: &Platforms) -> String {
    let world = platforms.world();
    let mut yaml = "# 演示用账号登记表：单位、账号均系虚构。\nunits:\n".to_owned();
    for unit in world.units() {
        let supervisor = unit.supervisor.as_ref().map_or(String::new(), |id| format!(", supervisor: {id}"));
        let (id, name, level, region) = (&unit.id, &unit.name, unit.level, &unit.region);
        let _ = writeln!(yaml, "  - {{id: {id}, name: {name}, level: {level}, region: {region}{supervisor}}}");
    }
    yaml.push_str("accounts:\n");
    for account in world.accounts() {
        write_account(&mut yaml, account, platforms);
    }
    yaml
}

fn write_account(yaml: &mut String, account: &SimAccount, platforms: &Platforms) {
    let _ = writeln!(yaml, "  - id: {}", account.id);
    let _ = writeln!(yaml, "    name: {}\n    unit: {}\n    kind: {}", account.name, account.unit.id, account.kind);
    if let Some(id) = &account.platform_id {
        let _ = writeln!(yaml, "    platform_id: {id}");
    }
    let _ = writeln!(yaml, "    status: {}", account.status);
    if let Some(day) = account.filed_on {
        let _ = writeln!(yaml, "    filed_on: {day}");
    }
    let first = interface_source(account, platforms);
    let sources: Vec<String> = first.into_iter().chain(page_source(account, platforms)).collect();
    if !sources.is_empty() {
        let _ = writeln!(yaml, "    sources:");
    }
    for source in sources {
        let _ = writeln!(yaml, "      - {source}");
    }
}

/// The source that reads the account's feed or list page.
fn page_source(account: &SimAccount, platforms: &Platforms) -> Option<String> {
    let url = quoted(&platforms.source_url(account)?);
    Some(match account.channel {
        Channel::SiteFeed => format!("{{kind: feed, url: {url}, freshness: trusted}}"),
        Channel::SiteList => format!(
            "{{kind: html_list, url: {url}, item: {}, link: {}, title: {}, date: {}, date_format: {}, next: {}, \
             pages_max: {LIST_PAGES_MAX}}}",
            quoted(selectors::ITEM),
            quoted(selectors::LINK),
            quoted(selectors::TITLE),
            quoted(selectors::DATE),
            quoted(selectors::DATE_FORMAT),
            quoted(selectors::NEXT),
        ),
        _ => format!("{{kind: feed, url: {url}, freshness: bridge}}"),
    })
}

fn exemptions_yaml(platforms: &Platforms) -> String {
    let world = platforms.world();
    let today = world.end().with_timezone(&super::content::beijing()).date_naive();
    let mut yaml = "# 演示用报备豁免。\nexemptions:\n".to_owned();
    for account in world.accounts().iter().filter(|account| account.exempt) {
        let _ = writeln!(
            yaml,
            "  - id: baobei-{id}\n    account: {id}\n    from: {from}\n    to: {to}\n    \
             reason: 机构调整期间账号移交，暂缓更新\n    reported_by: {unit}书面报备，存政务公开办公室",
            id = account.id,
            from = today - Days::new(EXEMPTION_DAYS),
            to = today + Days::new(EXEMPTION_DAYS),
            unit = account.unit.name,
        );
    }
    yaml
}

/// A YAML scalar in double quotes.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

const RULES_YAML: &str = "\
# 监管规则：三个层级并列判定，各自注明依据。
rules:
  - id: state-fourteen-days
    applies_to: {}
    require: {min: 1, count: post, window: {rolling_days: 14}}
    level: veto
    effective: {from: 2019-04-01}
    warn_before: 3d
    basis: 国务院办公厅秘书局《政府网站与政务新媒体检查指标》（国办秘函〔2019〕19号）单项否决：监测时间点前2周内无更新
  - id: province-weekly
    applies_to: {}
    require: {min: 1, count: post, window: week}
    level: provincial
    warn_before: 1d
    basis: 《甘肃省政务新媒体管理办法》：每周更新一次内容
  - id: prefecture-two-a-week
    applies_to: {}
    require: {min: 2, count: push, window: week}
    level: local
    effective: {from: 2023-04-19, to: 2023-05-09}
    basis: 甘南州人民政府办公室2023年第一季度通报（2023-04-19）三：原则上一周更新不得少于两次
  - id: prefecture-subscription
    applies_to: {kinds: [wechat_subscription]}
    require: {min: 3, count: push, window: week}
    level: local
    effective: {from: 2023-05-10}
    warn_before: 1d
    basis: 甘南州人民政府办公室《关于进一步加强政务新媒体账号监管有关工作的通知》（2023-05-10）二（二）
  - id: prefecture-service
    applies_to: {kinds: [wechat_service]}
    require: {min: 1, count: push, window: week}
    level: local
    effective: {from: 2023-05-10}
    warn_before: 1d
    basis: 甘南州人民政府办公室《关于进一步加强政务新媒体账号监管有关工作的通知》（2023-05-10）二（二）
  - id: prefecture-short-video
    applies_to: {kinds: [wechat_channels, douyin, kuaishou]}
    require: {min: 1, count: post, window: week}
    level: local
    effective: {from: 2023-05-10}
    warn_before: 1d
    basis: 甘南州人民政府办公室《关于进一步加强政务新媒体账号监管有关工作的通知》（2023-05-10）二（二）
";
