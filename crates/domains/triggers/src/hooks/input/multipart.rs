//! `multipart/form-data` (RFC 7578) that is in memory already: fields by name, files as base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use problem::{MALFORMED_REQUEST, Problem};
use serde_json::{Map, Value, json};

use super::add;

const PARTS: usize = 100;
/// Bytes of one part's headers.
const HEAD: usize = 4_096;
/// RFC 2046 §5.1.1.
const LONGEST_BOUNDARY: usize = 70;

pub(super) fn fields(kind: &str, body: &[u8]) -> Result<Value, Problem> {
    let boundary = parameter(kind, "boundary")
        .filter(|boundary| (1..=LONGEST_BOUNDARY).contains(&boundary.len()))
        .ok_or_else(|| malformed("the boundary is missing"))?;
    let delimiter = format!("\r\n--{boundary}").into_bytes();
    // The first delimiter may stand at the very beginning.
    let first = delimiter.get(2..).unwrap_or_default();
    let mut rest = match body.strip_prefix(first) {
        Some(rest) => rest,
        None => behind(body, &delimiter).ok_or_else(|| malformed("no part begins"))?.1,
    };
    let mut fields = Map::new();
    for _ in 0..=PARTS {
        if rest.starts_with(b"--") {
            return Ok(Value::Object(fields));
        }
        let line = rest.strip_prefix(b"\r\n").ok_or_else(|| malformed("a part does not begin on a line"))?;
        let (part, after) = behind(line, &delimiter).ok_or_else(|| malformed("the last part has no end"))?;
        let (name, value) = field(part)?;
        add(&mut fields, name, value);
        rest = after;
    }
    Err(malformed("there are more than 100 parts"))
}

fn field(part: &[u8]) -> Result<(String, Value), Problem> {
    // Headers may be missing altogether; then the part begins with an empty line.
    let (head, content) = match part.strip_prefix(b"\r\n") {
        Some(content) => (&b""[..], content),
        None => behind(part, b"\r\n\r\n").ok_or_else(|| malformed("a part has no end of headers"))?,
    };
    if head.len() > HEAD {
        return Err(malformed("a part's headers are too long"));
    }
    let head = std::str::from_utf8(head).map_err(|_| malformed("a part's headers are not UTF-8"))?;
    let header = |wanted: &str| {
        let mut lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
        lines.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    };
    let disposition = header("content-disposition").unwrap_or_default();
    let name = parameter(disposition, "name").ok_or_else(|| malformed("a part has no name"))?;
    let kind = header("content-type");
    match (parameter(disposition, "filename"), std::str::from_utf8(content)) {
        (None, Ok(text)) => Ok((name, Value::String(text.to_owned()))),
        (filename, _) => {
            let file = json!({
                "filename": filename, "content_type": kind, "base64": STANDARD.encode(content)
            });
            Ok((name, file))
        }
    }
}

/// What stands before the first `mark`, and what behind it.
fn behind<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    // Each of our marks begins with a carriage return: from one to the next is as far as a look goes.
    let mut from = 0;
    while let Some(found) = bytes.get(from..)?.iter().position(|byte| *byte == b'\r') {
        let at = from + found;
        if bytes.get(at..)?.starts_with(mark) {
            return Some((bytes.get(..at)?, bytes.get(at + mark.len()..)?));
        }
        from = at + 1;
    }
    None
}

/// A parameter of a header, quoted or not.
fn parameter(header: &str, wanted: &str) -> Option<String> {
    let mut rest = header.split_once(';')?.1;
    loop {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => {
                let end = after.find(';').unwrap_or(after.len());
                let (value, after) = after.split_at(end);
                (value.trim().to_owned(), after)
            }
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = after.trim_start().strip_prefix(';')?;
    }
}

fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => value.push(letters.next()?.1),
            letter => value.push(letter),
        }
    }
    None
}

fn malformed(what: &str) -> Problem {
    Problem::new(&MALFORMED_REQUEST, format!("The multipart body cannot be read: {what}."))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KIND: &str = "multipart/form-data; boundary=\"xx\"";

    #[test]
    fn fields_and_files_are_told_apart() {
        let body = "--xx\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--2\r\n--xx\r\n\
            content-disposition: form-data; name=file; filename=\"a \\\"b\\\".bin\"\r\nContent-Type: image/png\r\n\r\n\
            \u{0}\r\n--xx\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n--xx--\r\nignored";
        let expected = json!({
            "a": ["1\r\n--2", ""],
            "file": {"filename": "a \"b\".bin", "content_type": "image/png", "base64": "AA=="},
        });
        assert_eq!(fields(KIND, body.as_bytes()).unwrap(), expected);
    }

    #[test]
    fn bombs_and_stumps_are_refused() {
        let part = "--xx\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";
        let many = part.repeat(101) + "--xx--";
        let head = format!(
            "--xx\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n1\r\n--xx--",
            "a".repeat(5_000)
        );
        let returns = "\r".repeat(1_000_000);
        for body in ["", "--xx", "--xx\r\n", part, "--xx\r\n\r\n1\r\n--xx--", &many, &head, &returns] {
            assert!(fields(KIND, body.as_bytes()).is_err(), "{}", body.get(..40).unwrap_or(body));
        }
        let whole = part.repeat(100) + "--xx--";
        assert!(fields(KIND, whole.as_bytes()).is_ok());
        for kind in
            ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"xx"]
        {
            assert!(fields(kind, whole.as_bytes()).is_err(), "{kind}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = fields(KIND, &[b"--xx\r\n", body.as_slice(), b"\r\n--xx--"].concat());
        }

        #[test]
        fn what_was_sent_is_what_is_read(value in "[^\r]{0,50}", name in "[a-z\"\\\\ ]{1,20}") {
            let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
            let body = format!("--xx\r\nContent-Disposition: form-data; name=\"{quoted}\"\r\n\r\n{value}\r\n--xx--");
            prop_assert_eq!(fields(KIND, body.as_bytes()).unwrap(), json!({ name: value }));
        }
    }
}
