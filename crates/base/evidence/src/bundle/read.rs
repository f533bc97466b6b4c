//! Reading a bundle: foreign bytes into lines, nothing believed yet.

use std::io::{BufRead, Read};

use merkle::Hash;

use super::{BundleError, MAGIC};

/// No line of ours is longer: data is at most 32 KB, names and addresses far less.
const LONGEST_LINE: u64 = 1024 * 1024;

pub(super) struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    pub(super) number: u64,
}

/// One line, its words taken apart.
#[derive(Debug)]
pub(super) enum Line<'a> {
    Magic,
    Org(&'a str),
    First(u64),
    Record { seq: u64, clear: &'a [u8] },
    Private(&'a [u8]),
    Erased { seq: u64, entry: Hash },
    Purge { seq: u64, clear: &'a [u8] },
    Node(Hash),
    Checkpoint(String),
    Earlier(String),
    Grown(Hash),
    End(u64),
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, buffer: Vec::new(), number: 0 }
    }

    pub(super) fn next(&mut self) -> Result<Option<Line<'_>>, BundleError> {
        self.buffer.clear();
        let mut limited = (&mut self.input).take(LONGEST_LINE);
        let read = limited.read_until(b'\n', &mut self.buffer).map_err(BundleError::Read)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        let malformed = BundleError::Malformed { line: self.number };
        match self.buffer.strip_suffix(b"\n").and_then(parse) {
            Some(line) => Ok(Some(line)),
            None => Err(malformed),
        }
    }
}

fn parse(line: &[u8]) -> Option<Line<'_>> {
    if line == MAGIC.as_bytes() {
        return Some(Line::Magic);
    }
    let (word, content) = cut(line)?;
    Some(match word {
        b"record" => {
            let (seq, clear) = numbered(content)?;
            Line::Record { seq, clear }
        }
        b"private" => Line::Private(content),
        b"erased" => {
            let (seq, entry) = numbered(content)?;
            Line::Erased { seq, entry: hash(entry)? }
        }
        b"purge" => {
            let (seq, clear) = numbered(content)?;
            Line::Purge { seq, clear }
        }
        b"node" => Line::Node(hash(content)?),
        b"grown" => Line::Grown(hash(content)?),
        b"checkpoint" => Line::Checkpoint(serde_json::from_slice(content).ok()?),
        b"earlier" => Line::Earlier(serde_json::from_slice(content).ok()?),
        b"org" => Line::Org(std::str::from_utf8(content).ok()?),
        b"first" => Line::First(number(content)?),
        b"end" => Line::End(number(content)?),
        _ => return None,
    })
}

fn cut(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = line.iter().position(|byte| *byte == b' ')?;
    Some((&line[..at], &line[at + 1..]))
}

fn numbered(content: &[u8]) -> Option<(u64, &[u8])> {
    let (digits, rest) = cut(content)?;
    Some((number(digits)?, rest))
}

/// Decimal without sign or leading zeros.
fn number(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?;
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

/// Lower-case only, so that a bundle has one spelling.
fn hash(hexadecimal: &[u8]) -> Option<Hash> {
    if hexadecimal.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    let mut hash = [0; 32];
    hex::decode_to_slice(hexadecimal, &mut hash).ok().map(|()| hash)
}
