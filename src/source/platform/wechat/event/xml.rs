//! The small XML of callback messages, as a tree. A document type is refused, so there are no entities of its own.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;

/// Deepest nesting; events go five deep.
const DEPTH_MAX: usize = 16;
/// Most elements; an event of eight articles has a hundred.
const NODES_MAX: usize = 2_000;

/// One element.
#[derive(Debug, Default)]
pub(super) struct Node {
    name: String,
    text: String,
    children: Vec<Node>,
}

impl Node {
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn children<'n>(&'n self, name: &str) -> impl Iterator<Item = &'n Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of a child; empty where there is none.
    pub fn child_text(&self, name: &str) -> &str {
        self.child(name).map_or("", Self::text)
    }

    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, name| node.child(name))
    }
}

/// Reads a document to the end of its root element; `Err` says what is wrong with it.
pub(super) fn read(document: &str) -> Result<Node, String> {
    let mut reader = Reader::from_str(document);
    let mut open: Vec<Node> = Vec::new();
    let mut n_nodes = 0;
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => {
                n_nodes += 1;
                if open.len() >= DEPTH_MAX || n_nodes > NODES_MAX {
                    return Err("it is nested too deep or has too many elements".to_owned());
                }
                open.push(Node { name: start.name().as_ref().to_owned(), ..Node::default() });
            }
            Event::End(_) => {
                let Some(node) = open.pop() else { return Err("an element ends before it begins".to_owned()) };
                match open.last_mut() {
                    Some(parent) => parent.children.push(node),
                    None => return Ok(node),
                }
            }
            Event::Text(text) => add(&mut open, &text.xml10_content()),
            Event::CData(text) => add(&mut open, &text.xml10_content()),
            Event::GeneralRef(reference) => {
                if let Some(c) = reference.resolve_char_ref().map_err(|error| error.to_string())? {
                    add(&mut open, c.encode_utf8(&mut [0; 4]));
                } else {
                    let name = reference.xml10_content();
                    let known = resolve_predefined_entity(&name).ok_or("it names an unknown entity")?;
                    add(&mut open, known);
                }
            }
            Event::DocType(_) => return Err("it has a document type".to_owned()),
            Event::Eof => return Err("its end is missing".to_owned()),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}

fn add(open: &mut [Node], text: &str) {
    if let Some(node) = open.last_mut() {
        node.text.push_str(text);
    }
}
