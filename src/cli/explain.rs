//! `duwang explain`: the chain behind one problem, for the people who must act on it (in Chinese).

use std::process::ExitCode;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use clap::Args;

use super::{Output, Session};
use crate::model::ViolationId;
use crate::model::violation::{Violation, ViolationKind};
use crate::store::violations::ViolationChain;

#[derive(Debug, Args)]
pub struct Explain {
    /// Id of a problem, for example W-3f2a90c41b7d
    id: String,
}

impl Explain {
    pub async fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<ExitCode> {
        let engine = session.engine().await?;
        let id = ViolationId::new(self.id);
        let mut tx = engine.store.read().await?;
        let chain = tx.violation_chain(&id).await?.with_context(|| format!("no problem has the id `{id}`"))?;
        drop(tx);
        let demoted = engine.lists_in_force().await?.demoted;
        engine.store.close().await;
        for line in lines(&chain, engine.config.settings.time_zone) {
            output.line(line)?;
        }
        let violation = &chain.record.violation;
        if violation.kind == ViolationKind::Wording && demoted.contains(&violation.subject) {
            let entry = &violation.subject;
            output
                .line(format_args!("词条情况：经人工核对，词条 {entry} 误报较多，其发现自动改列为疑似，待人工确认"))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn lines(chain: &ViolationChain, zone: Tz) -> Vec<String> {
    let violation = &chain.record.violation;
    let time = |at: DateTime<Utc>| at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S").to_string();
    let mut lines = vec![
        format!("问题编号：{}", violation.id),
        format!("问题类别：{}（{}）", violation.kind.label(), violation.severity.label()),
        format!("当前状态：{}", violation.state.label()),
        format!("账号：{}（{}，{}）", chain.account_name, chain.account_kind.label(), violation.account),
        format!("主办单位：{}", chain.unit_name),
        format!("说明：{}", violation.message),
        format!("依据：{}（规则或词条 {}）", violation.basis, violation.subject),
    ];
    lines.extend(evidence(violation, zone));
    if let Some(post) = &chain.record.post {
        lines.push(format!("发布内容：{}", post.title));
        lines.extend(post.url.as_ref().map(|url| format!("链接：{url}")));
        lines.extend(post.published_at.map(|at| format!("发布时间：{}", time(at))));
    }
    if let Some(sighting) = &chain.sighting {
        let (origin, url) = (sighting.origin.label(), sighting.source_url.as_deref().unwrap_or_default());
        lines.push(format!("采集来源：{origin}{}{url}", if url.is_empty() { "" } else { "，" }));
        lines.push(format!("采集时间：{}", time(sighting.seen_at)));
    }
    lines.extend(chain.decision.as_ref().map(|decided| {
        let note = decided.note.as_ref().map(|note| format!("（{note}）")).unwrap_or_default();
        format!("人工核对：{}，{}{note}", time(decided.at), decided.decision.label())
    }));
    lines.extend(chain.recheck.map(|(at, outcome)| format!("最近复核：{}，{}", time(at), outcome.label())));
    lines.push("处理经过：".to_owned());
    for event in &chain.events {
        lines.push(format!("  {}. {}　{}　{}", event.seq, time(event.at), event.state.label(), event.detail));
    }
    lines
}

fn evidence(violation: &Violation, zone: Tz) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(context) = &violation.context {
        lines.push(format!("原文：…{}【{}】{}…", context.before, violation.found, context.after));
    }
    if violation.kind == ViolationKind::Link {
        lines.push(format!("所指网址：{}", violation.found));
    }
    if let Some(suggestion) = &violation.suggestion {
        lines.push(format!("建议改为：{suggestion}"));
    }
    if let (Some((start, end)), Some(version)) = (violation.span, violation.post_version) {
        let place = format!("存档文本第{version}版第{}至{end}字", start + 1);
        lines.push(format!("位置：{place}，共出现{}处", violation.occurrences));
    }
    lines.extend(violation.lists_version.as_ref().map(|version| format!("词库版本：{version}")));
    if let Some(window) = violation.window {
        let day = |at: DateTime<Utc>| at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string();
        lines.push(format!("统计时段：{}至{}", day(window.from), day(window.to)));
        lines.push(format!("统计结果：{}", violation.found));
    }
    lines
}
