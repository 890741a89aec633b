//! Lenient readers of JSON values: platforms write one and the same field as number, text, array or object. Pure.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::ITEMS_MAX;
use crate::model::crawl::BadItem;
use crate::source::{dates, json};

/// Follows a path of keys; `Null` where one is missing.
pub fn at<'v>(value: &'v Value, path: &[&str]) -> &'v Value {
    path.iter().try_fold(value, |value, key| value.get(key)).unwrap_or(&Value::Null)
}

/// An id: text, or a whole number; anything else, and the empty text, is none. A fraction has lost its digits already.
pub fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

/// A whole number, or text that is one.
pub fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Bool(flag) => Some(i64::from(*flag)),
        _ => None,
    }
}

/// A counter: a number that is not negative.
pub fn counter(value: &Value) -> Option<u64> {
    number(value).and_then(|number| u64::try_from(number).ok())
}

/// Whether a flag is set: `true`, a number that is not 0, `"1"`, `"true"`.
pub fn flag(value: &Value) -> bool {
    number(value).is_some_and(|number| number != 0) || value.as_str() == Some("true")
}

/// Text, or nothing.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// An instant in Unix seconds or milliseconds, as number or text; 0 is none.
pub fn unix_time(value: &Value) -> Option<DateTime<Utc>> {
    let number = number(value).filter(|number| *number > 0)?;
    let stamp = dates::parse_date(&number.to_string())?;
    Some(stamp.at)
}

/// The items of a list that may also be one object, or an object with numbers for keys; `None`: it is no list at all.
/// Its keys are compared as numbers, since text order would put 10 before 2.
pub fn items(value: &Value) -> Option<Vec<&Value>> {
    match value {
        Value::Array(items) => Some(items.iter().collect()),
        Value::Object(map) if !map.is_empty() && map.keys().all(|key| key.parse::<u32>().is_ok()) => {
            let mut numbered: Vec<(u32, &Value)> =
                map.iter().filter_map(|(key, value)| Some((key.parse().ok()?, value))).collect();
            numbered.sort_by_key(|(number, _)| *number);
            Some(numbered.into_iter().map(|(_, value)| value).collect())
        }
        Value::Object(map) if !map.is_empty() => Some(vec![value]),
        _ => None,
    }
}

/// Reads each item by itself: those that cannot be read are named, the others kept. `Ok(None)` leaves an item out.
pub fn read_items<T>(items: &[&Value], read: impl Fn(&Value) -> Result<Option<T>, String>) -> (Vec<T>, Vec<BadItem>) {
    let mut read_well = Vec::new();
    let mut bad = Vec::new();
    for (index, item) in items.iter().enumerate().take(ITEMS_MAX) {
        match read(item) {
            Ok(item) => read_well.extend(item),
            Err(reason) => bad.push(BadItem { index: index + 1, reason }),
        }
    }
    if items.len() > ITEMS_MAX {
        let reason = format!("{} items beyond the first {ITEMS_MAX} were not read", items.len() - ITEMS_MAX);
        bad.push(BadItem { index: ITEMS_MAX + 1, reason });
    }
    (read_well, bad)
}

/// A wire struct out of a value.
pub fn read<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    T::deserialize(value).map_err(|error| error.to_string())
}

/// JSON inside a JSON string.
pub fn nested(value: &Value) -> Option<Value> {
    json::parse(value.as_str()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_stay_whole_whatever_their_type() {
        assert_eq!(id(&json!(6_930_000_000_000_023_553_u64)).unwrap(), "6930000000000023553");
        assert_eq!(id(&json!(" 7a ")).unwrap(), "7a");
        for none in [json!(1.5e19), json!(""), json!(null), json!([1])] {
            assert_eq!(id(&none), None, "{none}");
        }
    }

    #[test]
    fn numbers_flags_and_times_may_be_text() {
        assert_eq!((number(&json!("12")), number(&json!(12)), number(&json!("x"))), (Some(12), Some(12), None));
        assert!(flag(&json!(1)) && flag(&json!("1")) && flag(&json!(true)) && flag(&json!("true")));
        assert!(!flag(&json!(0)) && !flag(&json!("0")) && !flag(&json!(null)) && !flag(&json!("")));
        let seconds = unix_time(&json!("1762475508")).unwrap();
        assert_eq!(seconds, unix_time(&json!(1_762_475_508_000_i64)).unwrap());
        assert_eq!((unix_time(&json!(0)), unix_time(&json!("-5"))), (None, None));
    }

    #[test]
    fn a_list_may_be_an_array_one_object_or_numbered() {
        assert_eq!(items(&json!([1, 2])).unwrap().len(), 2);
        assert_eq!(items(&json!({"title": "x"})).unwrap().len(), 1);
        let numbered = json!({"0": 0, "10": 10, "2": 2});
        let numbers: Vec<i64> = items(&numbered).unwrap().into_iter().filter_map(number).collect();
        assert_eq!(numbers, [0, 2, 10]);
        assert!(items(&json!(null)).is_none() && items(&json!({})).is_none() && items(&json!("")).is_none());
        assert_eq!(items(&json!([])).unwrap().len(), 0);
    }
}
