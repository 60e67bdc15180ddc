//! A YAML document as one of our own types, for files of settings.

use serde::de::DeserializeOwned;
use wayguard_engine::value::parse_yaml;

/// Reads the one document of a text; an empty one is `{}`.
///
/// # Errors
/// In words, if it is no YAML, more than one document, or not of that type.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let arena = bumpalo::Bump::new();
    let documents = parse_yaml(&&arena, text).map_err(|error| format!("it is no YAML: {error}"))?;
    let value = match documents.as_slice() {
        [] => serde_json::Value::Object(serde_json::Map::new()),
        [document] => document.value.to_serde(),
        _ => return Err("it has several documents, and one is expected".to_owned()),
    };
    serde_json::from_value(value).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn one_document_is_read() {
        let read = read::<BTreeMap<String, u8>>;
        assert_eq!(read("a: 1").unwrap(), BTreeMap::from([("a".to_owned(), 1)]));
        assert_eq!(read("").unwrap(), BTreeMap::new());
        assert!(read("a: 1\n---\nb: 2").unwrap_err().contains("several documents"));
        assert!(read("a: [").unwrap_err().contains("no YAML"));
        assert!(read("a: x").unwrap_err().contains("invalid type"));
    }
}
