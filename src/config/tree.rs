//! YAML text → a small tree in which every value knows its line.
//!
//! The tree is built from the events of serde-saphyr's parser and not by serde, because a derived struct stops at its
//! first error while an operator wants all of them, each with its line. Scalars keep their text as written, so
//! `platform_id: 0123` stays `0123`.

use std::collections::HashMap;
use std::sync::Arc;

use serde_yaml::granit_parser::{Event, Parser, ScalarStyle};

/// Deepest nesting; our files need four levels.
const DEPTH_MAX: usize = 32;
/// Most values in one file, copies made by aliases included: an alias bomb ends here. 100,000 accounts need two million.
const NODES_MAX: usize = 3_000_000;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub place: Place,
    pub value: Value,
}

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Line of the file, counted from 1.
    Line(usize),
    /// The environment variable of this name.
    Env(Arc<str>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Scalar(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub key: String,
    pub place: Place,
    pub node: Node,
}

/// The text is not YAML, or more of it than is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub line: usize,
    /// Counted from 1.
    pub column: usize,
    pub problem: String,
    pub remedy: &'static str,
}

/// Reads one document; an empty text is `Null`.
pub(super) fn parse(text: &str) -> Result<Node, SyntaxError> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| SyntaxError {
            line: error.marker().line(),
            column: error.marker().col() + 1,
            problem: format!("is not YAML: {}", error.info()),
            remedy: "check indentation, quotes and brackets above this place",
        })?;
        let (line, column) = (span.start.line(), span.start.col() + 1);
        builder.take(event, line).map_err(|(problem, remedy)| SyntaxError {
            line,
            column,
            problem: problem.to_owned(),
            remedy,
        })?;
    }
    Ok(builder.root.unwrap_or(Node { place: Place::Line(1), value: Value::Null }))
}

/// What is wrong, and what to do.
type Refusal = (&'static str, &'static str);

#[derive(Default)]
struct Builder {
    root: Option<Node>,
    /// Lists and maps that are not closed yet.
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, usize)>,
    n_nodes: usize,
    n_documents: usize,
}

struct Open {
    anchor: usize,
    /// Number of nodes before this one, from which its size follows.
    nodes_before: usize,
    node: Node,
    /// The key that waits for its value.
    key: Option<(String, Place)>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, line: usize) -> Result<(), Refusal> {
        let place = Place::Line(line);
        match event {
            Event::DocumentStart(..) => {
                self.n_documents += 1;
                if self.n_documents > 1 {
                    return Err(("a second document begins here", "keep one document in each file: remove `---`"));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                refuse_tag(tag.is_some())?;
                self.count(1)?;
                let null = style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let value = if null { Value::Null } else { Value::Scalar(text.into_owned()) };
                let node = Node { place, value };
                self.remember(anchor, &node, 1)?;
                self.place_node(node)?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                refuse_tag(tag.is_some())?;
                self.open(anchor, Node { place, value: Value::List(Vec::new()) })?;
            }
            Event::MappingStart(_, anchor, tag) => {
                refuse_tag(tag.is_some())?;
                self.open(anchor, Node { place, value: Value::Map(Vec::new()) })?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(closed) = self.open.pop() {
                    let size = self.n_nodes - closed.nodes_before;
                    self.remember(closed.anchor, &closed.node, size)?;
                    self.place_node(closed.node)?;
                }
            }
            Event::Alias(anchor) => {
                let Some(size) = self.anchors.get(&anchor).map(|(_, size)| *size) else {
                    return Err(("an alias stands within its own anchor", "write the value out"));
                };
                self.count(size)?;
                if let Some((node, _)) = self.anchors.get(&anchor) {
                    // What is wrong in a copy is shown where the copy is used.
                    let copy = Node { place, value: node.value.clone() };
                    self.place_node(copy)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn open(&mut self, anchor: usize, node: Node) -> Result<(), Refusal> {
        if self.open.len() >= DEPTH_MAX {
            return Err(("is nested deeper than 32 levels", "check the indentation"));
        }
        let nodes_before = self.n_nodes;
        self.count(1)?;
        self.open.push(Open { anchor, nodes_before, node, key: None });
        Ok(())
    }

    fn count(&mut self, n_nodes: usize) -> Result<(), Refusal> {
        self.n_nodes = self.n_nodes.saturating_add(n_nodes);
        if self.n_nodes > NODES_MAX {
            return Err(("holds more than 3000000 values", "write aliases out or split the file"));
        }
        Ok(())
    }

    /// Keeps a copy of an anchored value; the copy counts too.
    fn remember(&mut self, anchor: usize, node: &Node, size: usize) -> Result<(), Refusal> {
        if anchor == 0 {
            return Ok(());
        }
        self.count(size)?;
        self.anchors.insert(anchor, (node.clone(), size));
        Ok(())
    }

    fn place_node(&mut self, node: Node) -> Result<(), Refusal> {
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut parent.node.value {
            Value::List(items) => items.push(node),
            Value::Map(entries) => match (parent.key.take(), node.value) {
                (Some((key, place)), value) => {
                    entries.push(Entry { key, place, node: Node { place: node.place, value } });
                }
                (None, Value::Scalar(key)) => parent.key = Some((key, node.place)),
                (None, _) => return Err(("a key must be a word", "write `key: value`")),
            },
            Value::Null | Value::Scalar(_) => {}
        }
        Ok(())
    }
}

fn refuse_tag(tagged: bool) -> Result<(), Refusal> {
    if tagged {
        Err(("a tag (`!…`) has no meaning here", "remove the tag, or put the value in quotes"))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn show(node: &Node) -> String {
        let at = match &node.place {
            Place::Line(line) => line.to_string(),
            Place::Env(name) => name.to_string(),
        };
        match &node.value {
            Value::Null => format!("{at}:null"),
            Value::Scalar(text) => format!("{at}:{text}"),
            Value::List(items) => format!("{at}:[{}]", items.iter().map(show).collect::<Vec<_>>().join(" ")),
            Value::Map(entries) => {
                let fields: Vec<String> = entries.iter().map(|e| format!("{}={}", e.key, show(&e.node))).collect();
                format!("{at}:{{{}}}", fields.join(" "))
            }
        }
    }

    #[test]
    fn every_value_keeps_its_text_and_line() {
        let check = |text: &str, expected: &str| assert_eq!(show(&parse(text).unwrap()), expected, "{text:?}");
        check("", "1:null");
        check("# nothing\n", "1:null");
        check("a: 0123\nb:\n  - x\n  - {c: \"null\", d: ~}\n", "1:{a=1:0123 b=3:[3:x 4:{c=4:null d=4:null}]}");
        check("a: &x [1, 2]\nb: *x\n", "1:{a=1:[1:1 1:2] b=2:[1:1 1:2]}");
    }

    #[test]
    fn what_is_not_wanted_is_refused_with_its_place() {
        let check = |text: &str, line: usize, words: &str| {
            let error = parse(text).unwrap_err();
            assert!(error.problem.contains(words), "{text:?}: {error:?}");
            assert_eq!(error.line, line, "{text:?}: {error:?}");
        };
        check("a: 1\n---\nb: 2\n", 2, "second document");
        check("a: !secret x\n", 1, "tag");
        check("? [a]\n: 1\n", 1, "key");
        check("a: [1, 2\n", 1, "not YAML");
        check("a: *nowhere\n", 1, "not YAML");
        check(&["[".repeat(40), "]".repeat(40)].concat(), 1, "deep");
    }

    #[test]
    fn an_alias_bomb_ends_at_the_limit() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let previous = format!("*a{},", level - 1).repeat(10);
            text.push_str(&["a", &level.to_string(), ": &a", &level.to_string(), " [", &previous, "]\n"].concat());
        }
        assert!(parse(&text).unwrap_err().problem.contains("3000000"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*|[-:\\[\\]{}&*!|>'\"# \\na-c]*") {
            let _ = parse(&text);
        }
    }
}
