//! Throughput of the wording check beside what bounds it: a bare automaton over the same words, and memchr.
//!
//! `cargo bench --bench wording` prints bytes per second for each. The text is made here from templates with a fixed seed,
//! so that two runs read the same bytes; now and then it holds a wrong word, a misspelt term or a number, as real pages do.

use std::hint::black_box;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use duwang::rules::wording::normalise::Normalised;
use duwang::rules::wording::suspects::model::Trainer;
use duwang::rules::wording::wordlist::Lists;
use duwang::rules::wording::{Checker, built_in, privacy};

const TEXT_BYTES: usize = 5_000_000;
const SLOW_BYTES: usize = 500_000;
const RELOAD_ENTRIES: u32 = 100_000;

const WHO: &[&str] = &[
    "州人民政府办公室",
    "各县市人民政府",
    "省农业农村厅",
    "市场监督管理局",
    "全国人民代表大会常务委员会",
    "国务院办公厅",
    "乡镇便民服务中心",
    "教育局和卫生健康委",
    "驻村帮扶工作队",
    "中国共产党基层组织",
];
const DID: &[&str] = &[
    "召开专题会议，研究部署",
    "深入一线调研指导",
    "认真贯彻落实关于进一步加强",
    "按照“谁主管、谁负责”的原则扎实推进",
    "在全州范围内组织开展",
    "对照问题清单逐项整改",
    "广泛听取群众对",
    "印发通知，要求切实做好",
];
const WHAT: &[&str] = &[
    "政务新媒体管理",
    "乡村振兴有效衔接",
    "草原生态环境保护",
    "春季农牧业生产",
    "道路交通安全隐患排查",
    "民族团结进步创建",
    "义务教育优质均衡发展",
    "城乡居民基本医疗保险参保",
];
const THEN: &[&str] = &[
    "工作，取得了明显成效。",
    "工作的意见建议１２条，办结率98.5%。",
    "各项任务，确保2024年底前全面完成；",
    "情况，听取汇报并提出明确要求。\n",
    "有关事项，咨询电话：0941-8212345。",
];
/// One sentence in a hundred or so holds something to find.
const WRONG: &[&str] = &["群众反应情况", "中华人民共合国", "联系人13812345678", "国务院公办厅"];

fn text() -> String {
    let mut random = fastrand::Rng::with_seed(20_261_121);
    let mut text = String::with_capacity(TEXT_BYTES + 1000);
    while text.len() < TEXT_BYTES {
        for part in [WHO, DID, WHAT, THEN] {
            text.extend(random.choice(part).copied());
        }
        if random.u8(..) < 3 {
            text.extend(random.choice(WRONG).copied());
        }
    }
    text
}

/// Every word and term of the built-in lists.
fn words() -> Vec<String> {
    let Ok(lists) = Lists::read(built_in::LISTS) else { return Vec::new() };
    let terms = lists.terms.into_iter().map(|term| term.term);
    lists.entries.into_iter().map(|entry| entry.word).chain(terms).collect()
}

fn wording(c: &mut Criterion) {
    let text = text();
    let Ok(checker) = Checker::built_in() else { return };
    let Ok(bare) = AhoCorasick::builder()
        .match_kind(MatchKind::Standard)
        .kind(Some(AhoCorasickKind::ContiguousNFA))
        .build(words())
    else {
        return;
    };
    let day = chrono::NaiveDate::default();
    let mut group = c.benchmark_group("wording");
    group.throughput(Throughput::Bytes(text.len() as u64)).sample_size(20);
    group.bench_function("memchr", |b| b.iter(|| bytecount(black_box(&text))));
    group.bench_function("bare_automaton", |b| b.iter(|| bare.find_overlapping_iter(black_box(&text)).count()));
    group.bench_function("normalise", |b| b.iter(|| Normalised::new(black_box(&text))));
    group.bench_function("mask", |b| b.iter(|| privacy::mask(black_box(&text)).1.len()));
    // As posts come: paragraph by paragraph, so that no cap cuts the work short.
    group.bench_function("check", |b| {
        b.iter(|| black_box(&text).lines().map(|line| checker.check(line, day).len()).sum::<usize>());
    });
    group.bench_function("mask_and_check", |b| {
        b.iter(|| black_box(&text).lines().map(|line| checker.check_unmasked(line, day).len()).sum::<usize>());
    });
    // Layers that look closer at the text cost more; a part of it is enough to say how much.
    let end = (0..=SLOW_BYTES).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let part = &text[..end];
    group.throughput(Throughput::Bytes(part.len() as u64)).sample_size(10);
    let by_dictionary = Checker::built_in().map(|checker| checker.with_suspects(None));
    let Ok(by_dictionary) = by_dictionary else { return };
    group.bench_function("check_with_suspects", |b| {
        b.iter(|| black_box(part).lines().map(|line| by_dictionary.check(line, day).len()).sum::<usize>());
    });
    let mut trainer = Trainer::default();
    trainer.add(&text);
    let Ok(model) = trainer.finish(1) else { return };
    let by_model = checker.with_suspects(Some(Arc::new(model)));
    group.bench_function("check_with_suspects_and_model", |b| {
        b.iter(|| black_box(part).lines().map(|line| by_model.check(line, day).len()).sum::<usize>());
    });
    group.finish();
}

/// Reading 100,000 entries, as a changed list does while the service runs.
fn reload(c: &mut Criterion) {
    let rows = (0..RELOAD_ENTRIES).map(|n| {
        let word: String = [n / 10_000, n / 100 % 100, n % 100]
            .into_iter()
            .flat_map(|part| [0x4e00 + part * 7, 0x5b00 + part * 5])
            .filter_map(char::from_u32)
            .collect();
        format!("load-{n}\t{word}\t\ttypo\tminor\tA\t\t\t\t\t\tmade\n")
    });
    let header = "id\tword\tright\tclass\tseverity\ttier\tallow\tneeds\tnot\tfrom\tto\tsource\n";
    let list = std::iter::once(header.to_owned()).chain(rows).collect::<String>();
    let files = [("made.tsv", list.as_str())];
    let mut group = c.benchmark_group("reload");
    group.sample_size(10);
    group.bench_function("100000_entries", |b| b.iter(|| Checker::from_files(black_box(&files)).is_ok()));
    group.bench_function("built_in", |b| b.iter(|| Checker::built_in().is_ok()));
    group.finish();
}

fn bytecount(text: &str) -> usize {
    memchr::memchr_iter(0, text.as_bytes()).count()
}

criterion_group!(benches, wording, reload);
criterion_main!(benches);
