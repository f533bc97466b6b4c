//! A look at the text before it is parsed: one pass, no recursion. What is too long, nested too deep or chained too long
//! would cost the parser stack and time, so it never gets there.

use crate::fault::{Fault, Faults};
use crate::{Bundle, Limits, Module};

/// Brackets inside each other.
const DEPTH: usize = 24;
/// Operators, dots and brackets of one expression: the depth of the tree that comes of it.
const CHAIN: usize = 160;
const LONGEST_PATH: usize = 200;

pub(crate) fn scan(bundle: &Bundle, limits: &Limits) -> Result<(), Faults> {
    let refuse = |message: String| Err(Fault::of_bundle(message).into());
    if bundle.modules.is_empty() {
        return refuse("a bundle has at least one module".into());
    }
    if bundle.modules.len() > limits.modules {
        return refuse(format!("a bundle has at most {} modules", limits.modules));
    }
    let size: usize = bundle.modules.iter().map(|module| module.text.len()).sum();
    if size > limits.source {
        return refuse(format!("all modules together have at most {} bytes, not {size}", limits.source));
    }
    let mut faults = Vec::new();
    for (at, module) in bundle.modules.iter().enumerate() {
        let path = &module.path;
        if path.is_empty() || path.len() > LONGEST_PATH || path.contains(['\n', '\r', ':']) {
            faults.push(Fault::of_bundle(
                "a module's path is 1 to 200 characters without a colon or line break",
            ));
        } else if bundle.modules[..at].iter().any(|other| other.path == *path) {
            faults.push(Fault::at(path, 0, "two modules have this path"));
        }
        faults.extend(Scan::new(module).run());
    }
    if faults.is_empty() { Ok(()) } else { Err(Faults(faults)) }
}

struct Scan<'a> {
    path: &'a str,
    bytes: &'a [u8],
    at: usize,
    line: usize,
    /// How long the chain has grown at each depth of brackets.
    chains: Vec<usize>,
    /// Whether the last token wants more: then a line break does not end the expression.
    wants_more: bool,
}

impl<'a> Scan<'a> {
    fn new(module: &'a Module) -> Self {
        let bytes = module.text.as_bytes();
        Self { path: &module.path, bytes, at: 0, line: 1, chains: vec![0], wants_more: false }
    }

    fn run(mut self) -> Option<Fault> {
        while let Some(&byte) = self.bytes.get(self.at) {
            self.at += 1;
            match byte {
                b'\n' => self.end_of_line(),
                b' ' | b'\t' | b'\r' => {}
                b'#' => self.skip_until(b'\n'),
                b'"' => self.skip_text(),
                b'`' => self.skip_raw(),
                b'(' | b'[' | b'{' => {
                    if self.chains.len() > DEPTH {
                        return Some(self.fault(format!("brackets stand at most {DEPTH} deep")));
                    }
                    self.link();
                    self.chains.push(0);
                }
                b')' | b']' | b'}' => {
                    if self.chains.len() > 1 {
                        self.chains.pop();
                    }
                    self.wants_more = false;
                }
                b',' | b';' => {
                    self.reset();
                    self.wants_more = true;
                }
                b'+' | b'-' | b'*' | b'/' | b'%' | b'&' | b'|' | b'=' | b'<' | b'>' | b'!' | b':' | b'.' => {
                    self.link();
                }
                b'0'..=b'9' => {
                    if !self.number() {
                        return Some(self.fault(
                            "a number has at most 40 characters, and three digits of exponent".into(),
                        ));
                    }
                }
                _ => self.word(),
            }
            if self.chains.iter().sum::<usize>() > CHAIN {
                return Some(
                    self.fault(format!("an expression has at most {CHAIN} operators and references")),
                );
            }
        }
        None
    }

    fn link(&mut self) {
        if let Some(chain) = self.chains.last_mut() {
            *chain += 1;
        }
        self.wants_more = true;
    }

    fn reset(&mut self) {
        if let Some(chain) = self.chains.last_mut() {
            *chain = 0;
        }
    }

    fn end_of_line(&mut self) {
        self.line += 1;
        if !self.wants_more && !self.continues() {
            self.reset();
        }
    }

    /// Whether the next line begins with what carries an expression on.
    fn continues(&self) -> bool {
        let next = self.bytes[self.at..].iter().find(|byte| !byte.is_ascii_whitespace());
        next.is_some_and(|byte| {
            matches!(byte, b'+' | b'-' | b'*' | b'/' | b'%' | b'&' | b'|' | b'=' | b'<' | b'>' | b'!' | b'.')
        })
    }

    fn word(&mut self) {
        let start = self.at - 1;
        while self.bytes.get(self.at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
            self.at += 1;
        }
        match &self.bytes[start..self.at] {
            b"not" | b"in" | b"with" | b"as" | b"every" | b"some" | b"else" => self.link(),
            _ => self.wants_more = false,
        }
    }

    /// A power of ten is written out in memory, so it must be small.
    fn number(&mut self) -> bool {
        let start = self.at - 1;
        let mut exponent = None;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'e' | b'E' => exponent = Some(self.at + 1),
                b'+' | b'-' if exponent == Some(self.at) => exponent = Some(self.at + 1),
                b'0'..=b'9' | b'.' | b'_' | b'a'..=b'z' | b'A'..=b'Z' => {}
                _ => break,
            }
            self.at += 1;
        }
        self.wants_more = false;
        self.at - start <= 40 && exponent.is_none_or(|digits| self.at - digits <= 3)
    }

    fn skip_until(&mut self, end: u8) {
        let found = self.bytes[self.at..].iter().position(|byte| *byte == end);
        self.at = found.map_or(self.bytes.len(), |distance| self.at + distance);
    }

    /// A text ends at its quote; a line break inside is the parser's to refuse.
    fn skip_text(&mut self) {
        while let Some(&byte) = self.bytes.get(self.at) {
            self.at += 1;
            match byte {
                b'\\' => self.at += 1,
                b'"' => break,
                b'\n' => {
                    self.line += 1;
                    break;
                }
                _ => {}
            }
        }
        self.wants_more = false;
    }

    fn skip_raw(&mut self) {
        let start = self.at;
        self.skip_until(b'`');
        self.at = (self.at + 1).min(self.bytes.len());
        self.line += self.bytes[start..self.at].iter().filter(|byte| **byte == b'\n').count();
        self.wants_more = false;
    }

    fn fault(&self, message: String) -> Fault {
        Fault::at(self.path, self.line, message)
    }
}
