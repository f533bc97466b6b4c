//! Server-sent events (WHATWG HTML §9.2), read from bytes as they come.

use std::time::Duration;

/// No line of ours is longer; what is, is somebody's flood.
const LONGEST_LINE: usize = 4 * 1024 * 1024;

/// One event of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Where to go on from after a break.
    pub id: Option<String>,
    /// `message` if the server did not say.
    pub event: String,
    pub data: String,
}

#[derive(Default)]
pub(crate) struct Parser {
    line: Vec<u8>,
    data: Option<String>,
    event: String,
    last_id: Option<String>,
    retry: Option<Duration>,
    /// The last byte was a carriage return, so a line feed belongs to it.
    after_return: bool,
    begun: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

impl Parser {
    /// Takes the next bytes; gives the events that they completed.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Vec<Event>, TooLong> {
        let mut events = Vec::new();
        for byte in bytes {
            match byte {
                b'\n' if std::mem::take(&mut self.after_return) => {}
                b'\n' | b'\r' => {
                    self.after_return = *byte == b'\r';
                    let line = std::mem::take(&mut self.line);
                    events.extend(self.end_line(&line));
                }
                _ => {
                    self.after_return = false;
                    self.line.push(*byte);
                    if self.line.len() > LONGEST_LINE {
                        return Err(TooLong);
                    }
                }
            }
        }
        Ok(events)
    }

    /// How long the server asked to wait before connecting again.
    pub(crate) fn retry(&self) -> Option<Duration> {
        self.retry
    }

    fn end_line(&mut self, line: &[u8]) -> Option<Event> {
        let text = String::from_utf8_lossy(line);
        let text = if std::mem::replace(&mut self.begun, true) {
            &*text
        } else {
            text.strip_prefix('\u{feff}').unwrap_or(&text)
        };
        if text.is_empty() {
            return self.dispatch();
        }
        let (field, value) = text.split_once(':').unwrap_or((text, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            "event" => value.clone_into(&mut self.event),
            "id" if !value.contains('\0') => self.last_id = Some(value.to_owned()),
            "retry" => self.retry = value.parse().ok().map(Duration::from_millis).or(self.retry),
            // Comments keep the connection alive; other fields are not known.
            _ => {}
        }
        None
    }

    fn dispatch(&mut self) -> Option<Event> {
        let event = std::mem::take(&mut self.event);
        let data = self.data.take()?;
        let event = if event.is_empty() { "message".to_owned() } else { event };
        Some(Event { id: self.last_id.clone(), event, data })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Vec<Event> {
        Parser::default().push(text.as_bytes()).unwrap()
    }

    fn event(id: Option<&str>, event: &str, data: &str) -> Event {
        Event { id: id.map(str::to_owned), event: event.to_owned(), data: data.to_owned() }
    }

    #[test]
    fn fields_make_events() {
        assert_eq!(parse("data: a\ndata: b\n\n"), [event(None, "message", "a\nb")]);
        assert_eq!(parse("\u{feff}id: 7\nevent: fact\ndata:{}\n\n"), [event(Some("7"), "fact", "{}")]);
        assert_eq!(parse("data\n\n"), [event(None, "message", "")]);
        assert_eq!(parse(": keep\n\nevent: nothing\n\n"), []);
        assert_eq!(parse("data:  two\r\n\r\n"), [event(None, "message", " two")]);
        assert_eq!(parse("data: not ended\n"), []);
    }

    #[test]
    fn an_id_stays_until_the_next_and_retry_is_kept() {
        let mut parser = Parser::default();
        let events = parser.push(b"id: 1\ndata: a\n\ndata: b\n\nretry: 250\nretry: soon\n\n").unwrap();
        assert_eq!(events, [event(Some("1"), "message", "a"), event(Some("1"), "message", "b")]);
        assert_eq!(parser.retry(), Some(Duration::from_millis(250)));
    }

    #[test]
    fn an_endless_line_is_refused() {
        let mut parser = Parser::default();
        let chunk = vec![b'x'; 1024 * 1024];
        let outcomes: Vec<bool> = (0..5).map(|_| parser.push(&chunk).is_ok()).collect();
        assert_eq!(outcomes, [true, true, true, true, false]);
    }

    proptest! {
        /// However the bytes are cut, the events are the same.
        #[test]
        fn cuts_do_not_matter(
            text in "((data|id|event|retry|):? ?[a-z0-9é]{0,4}(\r\n|\n|\r)){0,12}(\r\n\r\n|\n\n|\r\r)",
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        ) {
            let whole = parse(&text);
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            places.extend([0, text.len()]);
            places.sort_unstable();
            let mut parser = Parser::default();
            let mut events = Vec::new();
            for pair in places.windows(2) {
                events.extend(parser.push(&text.as_bytes()[pair[0]..pair[1]]).unwrap());
            }
            prop_assert_eq!(events, whole);
        }
    }
}
