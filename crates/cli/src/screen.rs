//! What a command says: data to `out` in the form that was asked for, everything else to `err`.

use std::io::{BufRead, Write};

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::Value;

use crate::failure::Failure;
use crate::host::Streams;
use crate::table::{Cell, Tone, plain, record, table};

/// Options that every client command takes.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Global options")]
pub struct Globals {
    /// Server to speak to; otherwise SAFECONDUCT_URL, then the profile's.
    #[arg(long, global = true, value_name = "URL")]
    pub url: Option<String>,
    /// Profile to use; otherwise SAFECONDUCT_PROFILE, then the current one.
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// Print one JSON document, as the API answers.
    #[arg(long, global = true, conflicts_with_all = ["jsonl", "quiet"])]
    pub json: bool,
    /// Print one JSON document a line.
    #[arg(long, global = true, conflicts_with = "quiet")]
    pub jsonl: bool,
    /// Print ids only, and nothing on stderr but errors.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Do what is asked without a question.
    #[arg(long, short, global = true)]
    pub yes: bool,
    /// When to colour; NO_COLOR is honoured.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: When,
    /// Let tokens travel unencrypted to a server on another machine.
    #[arg(long, global = true)]
    pub allow_plain_http: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum When {
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Table,
    Json,
    Jsonl,
    Quiet,
}

pub(crate) struct Screen<'a> {
    out: &'a mut (dyn Write + Send),
    err: &'a mut (dyn Write + Send),
    input: &'a mut (dyn BufRead + Send),
    pub(crate) form: Form,
    pub(crate) out_is_terminal: bool,
    input_is_terminal: bool,
    width: Option<usize>,
    colour: bool,
    yes: bool,
}

/// A column of a list: its title, and the cell of an item.
pub(crate) type Column<T> = (&'static str, fn(&T) -> Cell);

impl<'a> Screen<'a> {
    pub(crate) fn new(streams: &'a mut Streams<'_>, globals: &Globals, no_color: bool) -> Self {
        let form = match globals {
            Globals { json: true, .. } => Form::Json,
            Globals { jsonl: true, .. } => Form::Jsonl,
            Globals { quiet: true, .. } => Form::Quiet,
            _ => Form::Table,
        };
        let colour = match globals.color {
            When::Always => true,
            When::Never => false,
            When::Auto => streams.out_is_terminal && !no_color,
        };
        Self {
            out: &mut *streams.out,
            err: &mut *streams.err,
            input: &mut *streams.input,
            form,
            out_is_terminal: streams.out_is_terminal,
            input_is_terminal: streams.input_is_terminal,
            width: streams.width.filter(|_| streams.out_is_terminal),
            colour,
            yes: globals.yes,
        }
    }

    /// One thing: all of it as JSON, chosen rows for people, its id for scripts.
    pub(crate) fn record(
        &mut self,
        whole: &impl Serialize,
        id: &str,
        rows: &[(&str, Cell)],
    ) -> Result<(), Failure> {
        match self.form {
            Form::Json | Form::Jsonl => self.json(whole),
            Form::Quiet if id.is_empty() => Ok(()),
            Form::Quiet => Ok(writeln!(self.out, "{}", plain(id))?),
            Form::Table => {
                let told: Vec<_> = rows.iter().filter(|(_, cell)| !cell.text.is_empty()).cloned().collect();
                self.lines(&record(&told, self.colour))
            }
        }
    }

    /// The items of a list; as JSON in the API's own shape.
    pub(crate) fn list<T: Serialize>(
        &mut self,
        items: &[T],
        next_cursor: Option<&str>,
        id: fn(&T) -> &str,
        columns: &[Column<T>],
    ) -> Result<(), Failure> {
        match self.form {
            Form::Json => self.json(&Listed { items, next_cursor }),
            Form::Jsonl => items.iter().try_for_each(|item| self.json(item)),
            Form::Quiet => items.iter().try_for_each(|item| Ok(writeln!(self.out, "{}", plain(id(item)))?)),
            Form::Table if items.is_empty() => self.note("nothing found"),
            Form::Table => {
                let titles: Vec<&str> = columns.iter().map(|(title, _)| *title).collect();
                let rows: Vec<Vec<Cell>> =
                    items.iter().map(|item| columns.iter().map(|(_, cell)| cell(item)).collect()).collect();
                self.lines(&table(&titles, &rows, self.width, self.colour))
            }
        }
    }

    /// One item of a list that goes on.
    pub(crate) fn item<T: Serialize>(&mut self, item: &T, id: &str, cells: &[Cell]) -> Result<(), Failure> {
        match self.form {
            Form::Json | Form::Jsonl => writeln!(self.out, "{}", compact(item)?)?,
            Form::Quiet => writeln!(self.out, "{}", plain(id))?,
            Form::Table => {
                let painted = |cell: &Cell| self.painted(&cell.text, cell.tone);
                let told = cells.iter().filter(|cell| !cell.text.is_empty());
                let cells: Vec<String> = told.map(painted).collect();
                writeln!(self.out, "{}", cells.join("  ").trim_end())?;
            }
        }
        Ok(self.out.flush()?)
    }

    pub(crate) fn table(&mut self, titles: &[&str], rows: &[Vec<Cell>]) -> Result<(), Failure> {
        self.lines(&table(titles, rows, self.width, self.colour))
    }

    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let text = match self.form {
            Form::Jsonl => compact(value)?,
            _ => serde_json::to_string_pretty(value).map_err(std::io::Error::from)?,
        };
        Ok(writeln!(self.out, "{text}")?)
    }

    /// Data as it is, such as the output of a run.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.out.write_all(bytes)?;
        Ok(self.out.flush()?)
    }

    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        Ok(writeln!(self.out, "{text}")?)
    }

    pub(crate) fn lines(&mut self, lines: &[String]) -> Result<(), Failure> {
        lines.iter().try_for_each(|line| self.line(line))
    }

    /// What happens, for a person who watches; not for `--quiet`.
    pub(crate) fn note(&mut self, text: &str) -> Result<(), Failure> {
        if self.form == Form::Quiet {
            return Ok(());
        }
        Ok(writeln!(self.err, "{text}")?)
    }

    /// What must be seen, whatever form was asked for.
    pub(crate) fn warn(&mut self, text: &str) -> Result<(), Failure> {
        let word = self.painted("warning:", Tone::Warn);
        Ok(writeln!(self.err, "{word} {text}")?)
    }

    /// Goes ahead only with `--yes` or a person's word.
    pub(crate) fn confirm(&mut self, question: &str) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        if !self.input_is_terminal {
            return Err(Failure::usage(format!(
                "{question} Add --yes to go ahead; nobody is here to be asked."
            )));
        }
        write!(self.err, "{question} [y/N] ")?;
        self.err.flush()?;
        let mut answer = String::new();
        self.input.read_line(&mut answer)?;
        match answer.trim() {
            "y" | "Y" | "yes" => Ok(()),
            _ => Err(Failure::usage("Nothing was done.")),
        }
    }

    /// Everything on standard input, such as a secret that must not stand on the command line.
    pub(crate) fn read_input(&mut self) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::new();
        let read = self.input.read_to_end(&mut bytes);
        read.map_err(|error| Failure::Local { what: "standard input".to_owned(), error })?;
        Ok(bytes)
    }

    pub(crate) fn fail(&mut self, failure: &Failure) {
        // Where nobody reads errors there is nobody to tell.
        let _ = self.try_fail(failure);
    }

    fn try_fail(&mut self, failure: &Failure) -> std::io::Result<()> {
        if failure.is_silent() {
            return Ok(());
        }
        if matches!(self.form, Form::Json | Form::Jsonl) {
            return writeln!(self.err, "{}", failure.json());
        }
        let (title, lines, next) = failure.lines();
        let word = self.painted("error:", Tone::Bad);
        writeln!(self.err, "{word} {}", plain(&title))?;
        for line in lines {
            writeln!(self.err, "  {}", plain(&line))?;
        }
        match next {
            Some(next) => writeln!(self.err, "  next: {next}"),
            None => Ok(()),
        }
    }

    pub(crate) fn painted(&self, text: &str, tone: Tone) -> String {
        if self.colour { tone.paint(text) } else { text.to_owned() }
    }
}

/// A list in the API's own shape.
#[derive(Serialize)]
struct Listed<'a, T> {
    items: &'a [T],
    next_cursor: Option<&'a str>,
}

fn compact(value: &impl Serialize) -> Result<String, Failure> {
    Ok(serde_json::to_string(value).map_err(std::io::Error::from)?)
}

/// A member's value as a cell, for answers that are shown as they come.
pub(crate) fn cell_of(value: &Value) -> Cell {
    match value {
        Value::Null => Cell::from(""),
        Value::String(text) => Cell::from(text),
        other => Cell::from(other.to_string()),
    }
}
