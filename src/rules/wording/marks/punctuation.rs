//! Marks written twice, western full stops, quotation and title marks without their fellow (GB/T 15834).

use super::super::protected::is_han;
use super::{EACH_MAX, Mark, Rule};

/// Marks of which two never stand side by side.
const POINTS: &[char] = &['，', '。', '、', '；', '：'];
/// Marks that end a sentence; a line that ends otherwise may have been cut off by the platform.
const SENTENCE_ENDS: &[char] = &['。', '！', '？', '…'];
/// What may stand between the end of a sentence and the end of its line.
const CLOSING: &[char] = &['”', '’', '》', '）', '」', '』', '〉', ')', ' ', '\u{3000}'];
/// Fewest characters of a line whose last full stop is judged: a shorter one is a heading or a list number (一.).
const LINE_CHARS_MIN: usize = 8;
/// More marks without fellow than this are a style of writing (“so“) or a broken extraction, and nothing is said.
const UNPAIRED_MAX: usize = 3;

/// Pairs of marks: opening, closing.
const PAIRS: [(char, char); 2] = [('《', '》'), ('“', '”')];

pub(super) fn find(text: &str, marks: &mut Vec<Mark>) {
    let mut pairs = PAIRS.map(|(open, close)| Pair { open, close, opened: Vec::new(), unpaired: Vec::new() });
    let (mut n_doubled, mut n_stops) = (0, 0);
    let mut line_start = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end();
        for pair in &mut pairs {
            pair.begin_line(content, line_start);
        }
        let mut run = Run::default();
        for (at, character) in content.char_indices() {
            if is_han(character) {
                n_doubled += usize::from(run.end(content, at, line_start, marks, n_doubled));
                continue;
            }
            if POINTS.contains(&character) {
                run.add(at);
                continue;
            }
            n_doubled += usize::from(run.end(content, at, line_start, marks, n_doubled));
            for pair in &mut pairs {
                pair.meet(character, line_start + at);
            }
        }
        run.end(content, content.len(), line_start, marks, n_doubled);
        if n_stops < EACH_MAX
            && let Some(stop) = full_stop(content)
        {
            n_stops += 1;
            let (start, end) = (line_start + stop, line_start + content.len());
            marks.push(Mark { start, end, rule: Rule::FullStop, right: Some("。".to_owned()) });
        }
        line_start += line.len();
    }
    for pair in pairs {
        marks.extend(pair.without_fellow(text));
    }
}

/// Points that follow each other.
#[derive(Debug, Default)]
struct Run {
    start: usize,
    n_points: usize,
}

impl Run {
    fn add(&mut self, at: usize) {
        if self.n_points == 0 {
            self.start = at;
        }
        self.n_points += 1;
    }

    /// Ends the run before byte `end` of the line; says whether it was reported. Three and more are dots or a rule drawn
    /// with marks; a run at the start of a line belongs to what stood before.
    fn end(&mut self, line: &str, end: usize, line_start: usize, marks: &mut Vec<Mark>, n_found: usize) -> bool {
        let n_points = std::mem::take(&mut self.n_points);
        if n_points != 2 || self.start == 0 || n_found >= EACH_MAX {
            return false;
        }
        let points = &line[self.start..end];
        let mut chars = points.chars();
        let (Some(first), Some(second)) = (chars.next(), chars.next()) else { return false };
        // Marks are also spoken of: 逗号“，”、顿号.
        let after_words = line[..self.start].ends_with(|c: char| is_han(c) || c.is_ascii_alphanumeric());
        if !after_words {
            return false;
        }
        let (rule, right) =
            if first == second { (Rule::Doubled, Some(first.to_string())) } else { (Rule::Adjacent, None) };
        marks.push(Mark { start: line_start + self.start, end: line_start + end, rule, right });
        true
    }
}

/// The byte of a western full stop that ends a line of Chinese.
fn full_stop(line: &str) -> Option<usize> {
    let stop = line.strip_suffix('.').or_else(|| line.strip_suffix('．'))?;
    let n_han = stop.chars().filter(|c| is_han(*c)).take(LINE_CHARS_MIN).count();
    (stop.ends_with(is_han) && n_han == LINE_CHARS_MIN).then_some(stop.len())
}

/// One kind of pair while the text is read.
#[derive(Debug)]
struct Pair {
    open: char,
    close: char,
    /// Places of opening marks that wait for their fellow.
    opened: Vec<usize>,
    /// Places of closing marks that had none.
    unpaired: Vec<usize>,
}

impl Pair {
    /// A quotation of several paragraphs opens anew at each.
    fn begin_line(&mut self, line: &str, line_start: usize) {
        let first = line.trim_start_matches([' ', '\u{3000}', '\t']);
        if self.open == '“' && first.starts_with(self.open) && self.opened.last().is_some_and(|at| *at < line_start) {
            self.opened.pop();
        }
    }

    fn meet(&mut self, character: char, at: usize) {
        if character == self.open {
            self.opened.push(at);
        } else if character == self.close && self.opened.pop().is_none() {
            self.unpaired.push(at);
        }
    }

    fn without_fellow(mut self, text: &str) -> Vec<Mark> {
        let n_opened = self.opened.len();
        self.unpaired.append(&mut self.opened);
        if n_opened > UNPAIRED_MAX || self.unpaired.len() > UNPAIRED_MAX {
            return Vec::new();
        }
        let mark = |at: usize| {
            let character = text[at..].chars().next()?;
            let before = text[..at].trim_end_matches([' ', '\u{3000}', '\t']);
            let begins_line = before.is_empty() || before.ends_with('\n');
            // At the start of a line the fellow may be lost with a line that a layout broke; what the platform cut off at
            // its end may have held it too.
            let whole = !begins_line && (character == self.close || line_ends_a_sentence(&text[at..]));
            let end = at + character.len_utf8();
            whole.then_some(Mark { start: at, end, rule: Rule::Unpaired, right: None })
        };
        self.unpaired.into_iter().filter_map(mark).collect()
    }
}

fn line_ends_a_sentence(rest: &str) -> bool {
    let line = rest.lines().next().unwrap_or_default();
    line.trim_end().trim_end_matches(CLOSING).ends_with(SENTENCE_ENDS)
}
