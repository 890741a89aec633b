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
    let mut points = Points::default();
    let (mut line_start, mut n_stops) = (0, 0);
    let mut end_line = |end: usize, marks: &mut Vec<Mark>| {
        let line = &text[line_start..end];
        if n_stops < EACH_MAX
            && let Some(stop) = full_stop(line)
        {
            n_stops += 1;
            let (start, end) = (line_start + stop, line_start + line.trim_end().len());
            marks.push(Mark { start, end, rule: Rule::FullStop, right: Some("。".to_owned()) });
        }
        line_start = end;
    };
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let width = match bytes[at] {
            b'\n' => {
                points.end(text, at, marks);
                end_line(at, marks);
                1
            }
            // Of the marks looked for, “” begin with E2, 。、《》 with E3, ，；： with EF.
            0xe2 | 0xe3 | 0xef => {
                let character = text[at..].chars().next().unwrap_or(' ');
                if POINTS.contains(&character) {
                    points.add(at);
                } else {
                    points.end(text, at, marks);
                    for pair in &mut pairs {
                        pair.meet(text, character, at);
                    }
                }
                character.len_utf8()
            }
            lead => {
                if points.count > 0 {
                    points.end(text, at, marks);
                }
                match lead {
                    0..=0x7f => 1,
                    0xc0..=0xdf => 2,
                    0xe0..=0xef => 3,
                    _ => 4,
                }
            }
        };
        at += width;
    }
    points.end(text, text.len(), marks);
    end_line(text.len(), marks);
    for pair in pairs {
        marks.extend(pair.without_fellow(text));
    }
}

/// Points that follow each other.
#[derive(Debug, Default)]
struct Points {
    start: usize,
    count: usize,
    n_found: usize,
}

impl Points {
    fn add(&mut self, at: usize) {
        if self.count == 0 {
            self.start = at;
        }
        self.count += 1;
    }

    /// Ends the run of points before byte `end`. Three and more are dots, or a rule drawn with marks; marks that follow no
    /// words are spoken of: 逗号“，”、顿号.
    fn end(&mut self, text: &str, end: usize, marks: &mut Vec<Mark>) {
        let count = std::mem::take(&mut self.count);
        if count != 2 || self.n_found == EACH_MAX {
            return;
        }
        if !text[..self.start].ends_with(|c: char| is_han(c) || c.is_ascii_alphanumeric()) {
            return;
        }
        let mut chars = text[self.start..end].chars();
        let (Some(first), Some(second)) = (chars.next(), chars.next()) else { return };
        let (rule, right) =
            if first == second { (Rule::Doubled, Some(first.to_string())) } else { (Rule::Adjacent, None) };
        marks.push(Mark { start: self.start, end, rule, right });
        self.n_found += 1;
    }
}

/// The byte of a western full stop that ends a line of Chinese.
fn full_stop(line: &str) -> Option<usize> {
    let line = line.trim_end();
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
    fn meet(&mut self, text: &str, character: char, at: usize) {
        if character == self.open {
            // A quotation of several paragraphs opens anew at each.
            if let Some(last) = self.opened.last()
                && self.open == '“'
                && begins_line(text, at)
                && text[*last..at].contains('\n')
            {
                self.opened.pop();
            }
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
            // At the start of a line the fellow may be lost with a line that a layout broke; what the platform cut off at
            // its end may have held it too.
            let whole = !begins_line(text, at) && (character == self.close || line_ends_a_sentence(&text[at..]));
            let end = at + character.len_utf8();
            whole.then_some(Mark { start: at, end, rule: Rule::Unpaired, right: None })
        };
        self.unpaired.into_iter().filter_map(mark).collect()
    }
}

fn begins_line(text: &str, at: usize) -> bool {
    let before = text[..at].trim_end_matches([' ', '\u{3000}', '\t']);
    before.is_empty() || before.ends_with('\n')
}

fn line_ends_a_sentence(rest: &str) -> bool {
    let line = rest.lines().next().unwrap_or_default();
    line.trim_end().trim_end_matches(CLOSING).ends_with(SENTENCE_ENDS)
}
