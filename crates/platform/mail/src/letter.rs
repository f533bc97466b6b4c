//! What a letter says, once; both of its forms are made from that.

use std::fmt::Write;

/// A letter that is not addressed yet.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    subject: String,
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    /// Something to read off and type: large in HTML.
    Code(String),
    /// Where to go; shown whole, so that people see whose it is.
    Link(String),
}

impl Letter {
    pub fn new(subject: impl Into<String>) -> Self {
        // A line break would start another header.
        let subject = subject.into().chars().filter(|character| !character.is_control()).collect();
        Self { subject, parts: Vec::new() }
    }

    #[must_use]
    pub fn text(self, text: impl Into<String>) -> Self {
        self.part(Part::Text(text.into()))
    }

    #[must_use]
    pub fn code(self, code: impl Into<String>) -> Self {
        self.part(Part::Code(code.into()))
    }

    #[must_use]
    pub fn link(self, url: impl Into<String>) -> Self {
        self.part(Part::Link(url.into()))
    }

    fn part(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    pub fn subject(&self) -> &str {
        &self.subject
    }

    pub fn plain(&self) -> String {
        let mut out = String::new();
        for part in &self.parts {
            let (Part::Text(line) | Part::Code(line) | Part::Link(line)) = part;
            let indent = if matches!(part, Part::Text(_)) { "" } else { "    " };
            // Writing to a String cannot fail.
            let _ = writeln!(out, "{indent}{line}\n");
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
        out
    }

    /// One table-free page without images, scripts or anything that is fetched.
    pub fn html(&self) -> String {
        let mut out = format!(
            "<!doctype html>\n<html><head><meta charset=\"utf-8\"><title>{}</title></head>\n\
             <body style=\"font-family:sans-serif;line-height:1.5;color:#1a1a1a;max-width:36em\">\n",
            escape(&self.subject)
        );
        for part in &self.parts {
            // Writing to a String cannot fail.
            let _ = match part {
                Part::Text(text) => writeln!(out, "<p>{}</p>", escape(text)),
                Part::Code(code) => writeln!(
                    out,
                    "<p style=\"font-family:monospace;font-size:1.75em;letter-spacing:.15em\">{}</p>",
                    escape(code)
                ),
                Part::Link(url) => {
                    let url = escape(url);
                    writeln!(out, "<p><a href=\"{url}\" rel=\"noreferrer\">{url}</a></p>")
                }
            };
        }
        out.push_str("</body></html>\n");
        out
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter() -> Letter {
        Letter::new("Your code\r\nBcc: everybody@example.com")
            .text("Somebody <script>alert(1)</script> wants to sign in.")
            .code("123 456")
            .link("https://papers.example/console/reset#a\"b")
    }

    #[test]
    fn both_forms_say_the_same() {
        let letter = letter();
        assert_eq!(letter.subject(), "Your codeBcc: everybody@example.com");
        assert_eq!(
            letter.plain(),
            "Somebody <script>alert(1)</script> wants to sign in.\n\n    123 456\n\n    \
             https://papers.example/console/reset#a\"b\n"
        );
        let html = letter.html();
        assert!(html.contains("123 456") && html.contains("&lt;script&gt;") && !html.contains("<script>"));
        assert!(html.contains("href=\"https://papers.example/console/reset#a&quot;b\""));
    }
}
