//! Which objects of a resource: a path, whose segments may be left open.

use std::fmt;

/// A path in canonical form. `*` stands for one segment, a trailing `**` for the rest (one segment or more);
/// the empty selector means every object. Literal segments hold `[A-Za-z0-9._~-]`, all else percent-encoded UTF-8.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Selector(Box<str>);

/// The text is no selector; the text says what to mend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidSelector(pub &'static str);

impl Selector {
    /// Every object.
    pub fn every() -> Self {
        Self::default()
    }

    /// The path of one object, such as `[namespace, name]` or `[id]`: plain text, encoded here.
    ///
    /// # Errors
    /// A path has at least one segment and none of them is empty.
    pub fn object<'a>(segments: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidSelector> {
        let mut path = String::new();
        for segment in segments {
            if segment.is_empty() {
                return Err(EMPTY_SEGMENT);
            }
            separate(&mut path);
            segment.bytes().for_each(|byte| push(&mut path, byte));
        }
        if path.is_empty() {
            return Err(EMPTY_SEGMENT);
        }
        Ok(Self(path.into()))
    }

    pub fn is_every(&self) -> bool {
        self.0.is_empty()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Does it leave a segment open?
    pub fn has_wildcard(&self) -> bool {
        self.segments().any(|segment| matches!(segment, "*" | "**"))
    }

    /// Is every object of `other` also one of `self`?
    pub fn covers(&self, other: &Self) -> bool {
        if self.is_every() {
            return true;
        }
        let mut theirs = other.segments();
        for ours in self.segments() {
            match (ours, theirs.next()) {
                ("**", Some(_)) => return true,
                ("*", Some(theirs)) if theirs != "**" => {}
                (ours, Some(theirs)) if ours == theirs => {}
                _ => return false,
            }
        }
        theirs.next().is_none()
    }

    /// The same for two texts: a selector as written and an object's plain path. For filters inside a database.
    pub fn text_covers(pattern: &str, path: &str) -> bool {
        match (Self::parse(pattern), Self::object(path.split('/'))) {
            (Ok(pattern), Ok(object)) => pattern.covers(&object),
            _ => false,
        }
    }

    /// The objects of both, if there can be any; one path is always enough to say it.
    pub(crate) fn meet(&self, other: &Self) -> Option<Self> {
        if self.is_every() {
            return Some(other.clone());
        }
        if other.is_every() {
            return Some(self.clone());
        }
        let (mut ours, mut theirs) = (self.segments().peekable(), other.segments().peekable());
        let mut path = String::new();
        while let (Some(left), Some(right)) = (ours.peek().copied(), theirs.peek().copied()) {
            let narrower = match (left, right) {
                ("**", _) => return Some(ending(path, theirs)),
                (_, "**") => return Some(ending(path, ours)),
                ("*", segment) | (segment, "*") => segment,
                (left, right) if left == right => left,
                _ => return None,
            };
            separate(&mut path);
            path.push_str(narrower);
            ours.next();
            theirs.next();
        }
        (ours.next().is_none() && theirs.next().is_none()).then(|| Self(path.into()))
    }

    pub(crate) fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|segment| !segment.is_empty())
    }

    pub(crate) fn parse(text: &str) -> Result<Self, InvalidSelector> {
        let mut path = String::with_capacity(text.len());
        let mut segments = text.split('/').peekable();
        while let Some(segment) = segments.next() {
            separate(&mut path);
            match segment {
                "*" => path.push('*'),
                "**" if segments.peek().is_some() => {
                    return Err(InvalidSelector("`**` stands at the end of a selector only"));
                }
                "**" if path.is_empty() => return Ok(Self::every()),
                "**" => path.push_str("**"),
                literal => canonical(literal, &mut path)?,
            }
        }
        Ok(Self(path.into()))
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

const EMPTY_SEGMENT: InvalidSelector = InvalidSelector("a selector has no empty segment");
const BAD_ENCODING: InvalidSelector = InvalidSelector("`%` is followed by two hexadecimal digits");
const NOT_UTF8: InvalidSelector = InvalidSelector("percent-encoded bytes must be UTF-8");
const BAD_CHARACTER: InvalidSelector =
    InvalidSelector("a selector holds A-Z a-z 0-9 . _ ~ - and `/`; percent-encode all else");

/// Decodes what needs no encoding and writes the rest in upper case, so that equal paths are equal texts.
fn canonical(segment: &str, path: &mut String) -> Result<(), InvalidSelector> {
    if segment.is_empty() {
        return Err(EMPTY_SEGMENT);
    }
    let mut decoded = Vec::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => decoded.push(hex(bytes.next())? << 4 | hex(bytes.next())?),
            byte if is_unreserved(byte) => decoded.push(byte),
            _ => return Err(BAD_CHARACTER),
        }
    }
    std::str::from_utf8(&decoded).map_err(|_| NOT_UTF8)?;
    decoded.into_iter().for_each(|byte| push(path, byte));
    Ok(())
}

fn ending<'a>(mut path: String, rest: impl Iterator<Item = &'a str>) -> Selector {
    for segment in rest {
        separate(&mut path);
        path.push_str(segment);
    }
    Selector(path.into())
}

fn separate(path: &mut String) {
    if !path.is_empty() {
        path.push('/');
    }
}

fn push(path: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    if is_unreserved(byte) {
        path.push(char::from(byte));
    } else {
        path.push('%');
        path.push(char::from(DIGITS[usize::from(byte >> 4)]));
        path.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

fn hex(digit: Option<u8>) -> Result<u8, InvalidSelector> {
    match digit {
        Some(digit @ b'0'..=b'9') => Ok(digit - b'0'),
        Some(digit @ b'a'..=b'f') => Ok(digit - b'a' + 10),
        Some(digit @ b'A'..=b'F') => Ok(digit - b'A' + 10),
        _ => Err(BAD_ENCODING),
    }
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'~' | b'-')
}
