//! Numbers and the order of points: 下降三倍, 首先…其次…第三…; and titles that name two kinds of document.

use memchr::memmem;

use super::{Mark, Rule};

const TIMES: &str = "倍";
/// Verbs of decrease.
const DECREASES: &[&str] = &["下降", "减少", "降低", "缩小", "缩短", "减小", "下跌"];
/// What may stand between such a verb and its number.
const BETWEEN: &[&str] = &["了", "至少", "近", "约", "超过", "将近", "大约", "不止"];
const NUMERALS: &str = "0123456789.一二三四五六七八九十百千两几数多余点";
/// After 倍 these make another word of it.
const NOT_TIMES: &[&str] = &["体", "镜", "率", "数", "增", "频", "加"];

/// In a title these speak of asking for opinions, not of a document of that kind.
const OPINIONS: &[&str] = &[
    "征求", "征集", "反馈", "提供", "回复", "答复", "审核", "审查", "修改", "办理", "会办", "协办", "出具", "处理",
    "评审", "复函", "协助", "采纳",
];

/// Most characters of a title that is looked at.
const TITLE_CHARS_MAX: usize = 100;

pub(super) fn find(text: &str, marks: &mut Vec<Mark>) {
    let bytes = text.as_bytes();
    super::add(marks, Rule::Decrease, memmem::find_iter(bytes, TIMES).filter_map(|at| decrease(text, at, TIMES.len())));
    if memmem::find(bytes, "其次".as_bytes()).is_some() {
        super::add(marks, Rule::Ordinals, ordinals(text));
    }
    let titles = memmem::find_iter(bytes, "的函》").filter_map(|at| opinions_of_a_letter(text, at));
    super::add(marks, Rule::DocumentKind, titles);
}

type Found = (usize, usize, Option<String>);

fn decrease(text: &str, at: usize, n_bytes: usize) -> Option<Found> {
    let end = at + n_bytes;
    if NOT_TIMES.iter().any(|rest| text[end..].starts_with(rest)) {
        return None;
    }
    let head = text[..at].trim_end_matches(|c| NUMERALS.contains(c));
    if head.len() == at {
        return None;
    }
    let bare = BETWEEN.iter().fold(head, |head, word| head.strip_suffix(word).unwrap_or(head));
    let bare = bare.strip_suffix('了').unwrap_or(bare);
    let verb = DECREASES.iter().find(|verb| bare.ends_with(**verb))?;
    Some((bare.len() - verb.len(), end, None))
}

/// 第三 after 首先 and 其次 of one line that counts nowhere else.
fn ordinals(text: &str) -> impl Iterator<Item = Found> {
    let mut line_start = 0;
    text.split_inclusive('\n').filter_map(move |line| {
        let start = line_start;
        line_start += line.len();
        let first = line.find("首先")?;
        let second = first + line[first..].find("其次")?;
        let third = second + line[second..].find("第三")?;
        let stands_alone = line[..third].ends_with(['，', '；', '。']);
        let counts = ["第一", "第二", "第四", "一是", "二是", "三是"].iter().any(|count| line.contains(count));
        let goes_on = line[third + "第三".len()..].starts_with(['，', '、', '是', '…', '要']);
        (stands_alone && goes_on && !counts)
            .then(|| (start + third, start + third + "第三".len(), Some("再次".to_owned())))
    })
}

/// 《关于加强管理意见的函》: a letter is one kind of document and an opinion another. Asking for opinions is no fault.
fn opinions_of_a_letter(text: &str, at: usize) -> Option<Found> {
    const KIND: &str = "意见";
    let near = text[..at].char_indices().rev().nth(TITLE_CHARS_MAX).map_or(0, |(at, _)| at);
    let title = &text[near + text[near..at].rfind('《')?..at];
    let of_opinions = title.strip_suffix(KIND).filter(|title| title.starts_with("《关于"))?;
    let asks = title.contains('》') || OPINIONS.iter().any(|word| of_opinions.contains(word));
    let end = at + "的函".len();
    (!asks).then(|| (at - KIND.len(), end, Some("的函".to_owned())))
}
