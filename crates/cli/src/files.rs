//! Files that commands read and write; `-` is standard input or output.

use std::path::Path;

use serde_json::{Map, Value};
use types::json;

use crate::failure::Failure;
use crate::screen::Screen;

pub(crate) fn read(screen: &mut Screen<'_>, path: &Path) -> Result<Vec<u8>, Failure> {
    if path == Path::new("-") {
        return screen.read_input();
    }
    std::fs::read(path).map_err(|error| Failure::file(path, error))
}

pub(crate) fn read_text(screen: &mut Screen<'_>, path: &Path) -> Result<String, Failure> {
    let bytes = read(screen, path)?;
    String::from_utf8(bytes).map_err(|_| Failure::usage(format!("{} is no UTF-8 text.", path.display())))
}

/// A secret is one line; the newline at its end is not part of it.
pub(crate) fn read_secret(screen: &mut Screen<'_>, path: &Path) -> Result<String, Failure> {
    let text = read_text(screen, path)?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(Failure::usage(format!("{} is empty; it must hold the secret.", path.display()))),
        secret => Ok(secret.to_owned()),
    }
}

/// JSON as it stands on the command line, or `@FILE`, or `-`.
pub(crate) fn read_json(screen: &mut Screen<'_>, given: &str) -> Result<Value, Failure> {
    let text = match (given, given.strip_prefix('@')) {
        ("-", _) => read_text(screen, Path::new("-"))?,
        (_, Some(path)) => read_text(screen, Path::new(path))?,
        _ => given.to_owned(),
    };
    json::strict(text.as_bytes()).map_err(|error| Failure::usage(format!("The input is not JSON: {error}.")))
}

/// `key=value` pairs as an object; a value that is JSON is taken as such.
pub(crate) fn pairs(given: &[String]) -> Result<Map<String, Value>, Failure> {
    let pair = |text: &String| {
        let (key, value) =
            text.split_once('=').ok_or_else(|| Failure::usage(format!("`{text}`: expected KEY=VALUE.")))?;
        let value = json::strict(value.as_bytes()).unwrap_or_else(|_| Value::from(value));
        Ok((key.to_owned(), value))
    };
    given.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pairs_are_typed_where_they_are_json() {
        let given = ["a=1", "b=text", "c=x=y", "d=[true]", "e="].map(str::to_owned);
        let map = pairs(&given).ok().unwrap();
        assert_eq!(Value::from(map), json!({"a": 1, "b": "text", "c": "x=y", "d": [true], "e": ""}));
        assert!(pairs(&["a".to_owned()]).is_err());
    }
}
