//! Tables for people: columns as wide as their cells, fitted to the terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Spaces between columns.
const GAP: usize = 2;
/// Narrower than this a column says nothing.
const NARROWEST: usize = 8;

/// A text and what it means for whoever skims.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) tone: Tone,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tone {
    #[default]
    Plain,
    Strong,
    Good,
    Warn,
    Bad,
    Faint,
}

impl Cell {
    pub(crate) fn toned(text: impl AsRef<str>, tone: Tone) -> Self {
        Self { text: plain(text.as_ref()), tone }
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::toned(text, Tone::Plain)
    }
}

impl Tone {
    /// The word's meaning where it is a status.
    pub(crate) fn of_status(word: &str) -> Self {
        match word {
            "active" | "succeeded" | "success" | "applied" | "working" => Self::Good,
            "suspended" | "pending" | "queued" | "leased" | "running" | "awaiting_input" | "failure"
            | "cancelled" | "draining" => Self::Warn,
            "failed" | "denied" | "revoked" | "decommissioned" | "timed_out" | "dead" | "silent" => Self::Bad,
            _ => Self::Plain,
        }
    }

    pub(crate) fn paint(self, text: &str) -> String {
        let code = match self {
            Self::Plain => return text.to_owned(),
            Self::Strong => 1,
            Self::Faint => 2,
            Self::Bad => 31,
            Self::Good => 32,
            Self::Warn => 33,
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// Names and descriptions are other people's: nothing in them may steer a terminal.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|character| if steers(character) { '\u{fffd}' } else { character }).collect()
}

/// As [`plain`], but lines and tabs stay: for logs.
pub(crate) fn plain_lines(text: &str) -> String {
    let keeps = |character: char| matches!(character, '\n' | '\t') || !steers(character);
    text.chars().map(|character| if keeps(character) { character } else { '\u{fffd}' }).collect()
}

/// Control characters, and marks that turn the direction of what follows.
fn steers(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Lines of a table; `width` is the terminal's, `colour` whether it knows colours.
pub(crate) fn table(titles: &[&str], rows: &[Vec<Cell>], width: Option<usize>, colour: bool) -> Vec<String> {
    let mut widths: Vec<usize> = titles.iter().map(|title| title.width()).collect();
    for row in rows {
        for (column, cell) in widths.iter_mut().zip(row) {
            *column = (*column).max(cell.text.width());
        }
    }
    if let Some(width) = width {
        fit(&mut widths, width);
    }
    let head: Vec<Cell> = titles.iter().map(|title| Cell::toned(title.to_uppercase(), Tone::Faint)).collect();
    std::iter::once(&head).chain(rows).map(|row| line(row, &widths, colour)).collect()
}

/// Lines of names and values.
pub(crate) fn record(rows: &[(&str, Cell)], colour: bool) -> Vec<String> {
    let width = rows.iter().map(|(name, _)| name.width()).max().unwrap_or_default();
    let name = |name: &str| {
        let padded = format!("{name:width$}");
        if colour { Tone::Faint.paint(&padded) } else { padded }
    };
    let value = |cell: &Cell| if colour { cell.tone.paint(&cell.text) } else { cell.text.clone() };
    let line =
        |(title, cell): &(&str, Cell)| format!("{}  {}", name(title), value(cell)).trim_end().to_owned();
    rows.iter().map(line).collect()
}

/// Takes from the widest column first.
fn fit(widths: &mut [usize], width: usize) {
    let gaps = GAP * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > width {
        match widths.iter_mut().max() {
            Some(widest) if *widest > NARROWEST => *widest -= 1,
            _ => break,
        }
    }
}

fn line(row: &[Cell], widths: &[usize], colour: bool) -> String {
    let mut text = String::new();
    for (index, (cell, width)) in row.iter().zip(widths).enumerate() {
        let shown = cut(&cell.text, *width);
        let padding = if index + 1 == row.len() { 0 } else { width - shown.width() + GAP };
        text.push_str(&if colour { cell.tone.paint(&shown) } else { shown });
        text.extend(std::iter::repeat_n(' ', padding));
    }
    text.trim_end().to_owned()
}

/// The beginning of the text, with an ellipsis if something is missing.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut used = 1;
    for character in text.chars() {
        used += character.width().unwrap_or_default();
        if used > width {
            break;
        }
        cut.push(character);
    }
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Vec<Cell>> {
        vec![
            vec!["ops:reporter".into(), Cell::toned("active", Tone::Good), "Reports".into()],
            vec!["a".into(), "suspended".into(), "日本語".into()],
        ]
    }

    #[test]
    fn columns_are_as_wide_as_their_cells() {
        let lines = table(&["name", "status", "about"], &rows(), None, false);
        assert_eq!(
            lines,
            [
                "NAME          STATUS     ABOUT",
                "ops:reporter  active     Reports",
                "a             suspended  日本語"
            ]
        );
    }

    #[test]
    fn a_narrow_terminal_cuts_the_widest_column() {
        let lines = table(&["name", "status", "about"], &rows(), Some(30), false);
        assert_eq!(lines[1], "ops:repor…  active     Reports");
        assert!(lines.iter().all(|line| line.width() <= 30), "{lines:?}");
        assert_eq!(cut("日本語", 4), "日…", "a wide character is never halved");
    }

    #[test]
    fn colours_add_no_width() {
        let lines = table(&["name", "status", "about"], &rows(), None, true);
        assert_eq!(lines[1], "ops:reporter  \x1b[32mactive\x1b[0m     Reports");
    }

    #[test]
    fn other_peoples_texts_cannot_steer_the_terminal() {
        let evil = "a\x1b]0;owned\x07\u{9b}31m\u{202e}b\r\n";
        let shown = Cell::from(evil).text;
        assert!(!shown.chars().any(steers), "{shown:?}");
        assert_eq!(plain_lines("one\n\ttwo\x1b[2J"), "one\n\ttwo\u{fffd}[2J");
    }

    #[test]
    fn records_align_their_values() {
        let lines = record(&[("id", "agt_1".into()), ("handle", "".into())], false);
        assert_eq!(lines, ["id      agt_1", "handle"]);
    }
}
