//! duwang (读网) watches the new-media accounts of government units: it crawls the registered public sources, judges
//! whether each account updates as often as its rule demands, reads every post for wrong and sensitive wording, keeps
//! every problem with its evidence, and writes the weekly report.
//!
//! # The map
//!
//! Functional core, imperative shell. Left may use right; a test (`tests/it/tidy.rs`) enforces it:
//!
//! ```text
//! cli → web → engine → {source, store, report, notify} → {rules, config} → model
//! ```
//!
//! | module | what | 中文 |
//! |---|---|---|
//! | [`model`] | units, accounts, posts, coverage, windows, rules, verdicts, violations | 单位、账号、发布内容、已核查时段、判定、问题 |
//! | [`rules`] | frequency verdicts and warnings, the wording check, registry lint, watch over accounts: pure | 更新频次、预警、错敏词、账号管理 |
//! | [`config`] | files of the operator → checked types, all errors at once; import and export of the registry | 配置、账号登记 |
//! | [`source`] | the HTTP client, and for each kind of source: wire form → parse (pure) → fetch | 采集来源 |
//! | [`store`] | SQLite or PostgreSQL, one SQL text for both, one file for each group of tables | 存储 |
//! | [`report`] | evidence → weekly report (data) → Word, Excel, HTML, JSON: pure | 周报 |
//! | [`notify`] | messages in the form of each channel, and the conversation with its server | 通知 |
//! | [`engine`] | crawl, coverage ledger, judging, filling of texts, weekly report, week close, warnings | 采集与判定 |
//! | [`web`] | what platforms push to us | 事件接收 |
//! | [`simulator`] | simulated platforms on loopback, for `duwang demo` and the tests | 模拟平台 |
//! | [`cli`] | one file for each command | 命令行 |
//! | [`lifecycle`] | signals, the two-step stop, what systemd is told | 启停 |
//! | [`clock`] | the only reader of the system clock | |
//!
//! # A post's way through the house
//!
//! [`engine::crawl`] reads an account's sources in order until one answers that lists everything ([`source::fetch`]; a
//! platform's own interface is a conversation, [`source::platform`]). What a listing tells is
//! cleaned, bounded and masked, then stored together with the crawl and the validators of the answer
//! ([`store::posts`]); only then is the text judged ([`engine::judge`], [`rules::wording`]). When the pass is over,
//! [`engine::coverage`] enters in the ledger what each listing proves. [`engine::weekly`] counts posts, asks
//! [`rules::frequency`] for verdicts, and hands everything to [`report`].
//!
//! # Invariants
//!
//! **Invariant: no accusation without proof.** An account is `short` only where the union of proved spans covers the
//! whole window. A failed crawl, an empty success, a listing with an undated or unreadable item, a bridge without a
//! recent sign of life prove nothing: the account is `unverified`, with the reason. See [`model::crawl::Listing::extent`],
//! [`model::crawl::proved_span`] and [`rules::frequency::judge`].
//!
//! **Invariant: nothing that is out changes silently.** The verdicts of a closed week are fixed; later evidence makes a
//! numbered correction that lists what changed. See [`engine::close`].
//!
//! **Invariant: nothing is lost, nothing is doubled.** Every write has a natural key and may be repeated. A kill at any
//! moment leaves marks (texts not judged, listings not settled) that the next run finds. See [`engine`].
//!
//! **Invariant: personal data does not spread.** Identity, mobile and bank card numbers are masked before a text is
//! stored; only the place and the kind of what was masked are kept.
//!
//! **Invariant: what a person decided holds.** A dismissed finding is never raised again by a machine, and a confirmed one
//! never becomes a suspect; an entry that people dismiss too often only suspects. See [`engine::learning`] and
//! [`rules::wording::learning`].
//!
//! **Invariant: pure modules have no IO, no async, no clock.** `now` is an argument everywhere; only [`clock`] reads it.
//!
//! **Invariant: a secret is in no log, error, dump or report.** Credentials are files named by the registry
//! ([`config::credentials`]); what carries them has no `Debug` output of them, and failures quote hosts, never queries.
//!
//! **Invariant: links in posts are not trusted.** The only pages read from an address found in a post are those of
//! `crawl.article_hosts`, and every redirect is held to the same list. Other links are asked for their status only, each
//! hop at an address that was looked up and found public ([`source::http::links`]).
//!
//! **Invariant: a link is dead only after two different days of clear answers** ([`rules::links`]).

pub mod cli;
pub mod clock;
pub mod config;
pub mod engine;
pub mod lifecycle;
pub mod model;
pub mod notify;
pub mod report;
pub mod rules;
pub mod simulator;
pub mod source;
pub mod store;
pub mod web;
