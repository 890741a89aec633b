//! Overrides from the environment: `DUWANG__CRAWL__TIMEOUT=5s` is `crawl.timeout: 5s`.

use std::sync::Arc;

use crate::config::ENV_PREFIX;
use crate::config::tree::{Entry, Node, Place, Value};

/// Deepest key that can be overridden; `duwang.yaml` has three levels.
const LEVELS_MAX: usize = 8;

/// Puts the overrides into the tree of `duwang.yaml`, where they are checked like lines of the file; a name that
/// leads nowhere becomes an unknown key there.
pub(super) fn apply(tree: &mut Node, env: &[(String, String)]) {
    for (name, value) in env {
        let Some(path) = name.strip_prefix(ENV_PREFIX) else { continue };
        let place = Place::Env(Arc::from(name.as_str()));
        let keys: Vec<String> = path.splitn(LEVELS_MAX, "__").map(str::to_ascii_lowercase).collect();
        set(tree, &keys, &place, value);
    }
}

/// Sets the value under `keys`; sections are made where they are missing.
fn set(node: &mut Node, keys: &[String], place: &Place, value: &str) {
    let Some((key, below)) = keys.split_first() else {
        *node = Node { place: place.clone(), value: Value::Scalar(value.to_owned()) };
        return;
    };
    if !matches!(node.value, Value::Map(_)) {
        *node = Node { place: place.clone(), value: Value::Map(Vec::new()) };
    }
    let Value::Map(entries) = &mut node.value else { return };
    let index = entries.iter().position(|entry| entry.key == *key).unwrap_or_else(|| {
        let node = Node { place: place.clone(), value: Value::Null };
        entries.push(Entry { key: key.clone(), place: place.clone(), node });
        entries.len() - 1
    });
    set(&mut entries[index].node, below, place, value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tree::parse;

    #[test]
    fn an_override_replaces_one_value_and_leaves_the_others() {
        let mut tree = parse("crawl: {timeout: 20s, retries_max: 3}\n").unwrap();
        apply(&mut tree, &[("DUWANG__CRAWL__TIMEOUT".to_owned(), "5s".to_owned())]);
        let Value::Map(sections) = &tree.value else { panic!("{tree:?}") };
        let Value::Map(keys) = &sections[0].node.value else { panic!("{tree:?}") };
        assert_eq!(keys[0].node.value, Value::Scalar("5s".to_owned()));
        assert_eq!(keys[1].node.value, Value::Scalar("3".to_owned()));
    }
}
