//! Lists: a page, or all of it.

use clap::Args;
use client::{Error, Page};
use futures::{Stream, StreamExt};
use serde::Serialize;

use crate::failure::Failure;
use crate::screen::{Column, Form, Screen};

/// Options of every list.
#[derive(Args, Clone, Debug, Default)]
pub struct Listing {
    /// How many, 1 to 200.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub limit: u32,
    /// Where to go on: the `next_cursor` of the page before.
    #[arg(long, value_name = "CURSOR", allow_hyphen_values = true)]
    pub cursor: Option<String>,
    /// All of them, page after page.
    #[arg(long, conflicts_with = "cursor")]
    pub all: bool,
}

/// How a kind of thing is listed.
pub(crate) struct Columns<T: 'static> {
    pub(crate) id: fn(&T) -> &str,
    pub(crate) columns: &'static [Column<T>],
}

pub(crate) fn show<T: Serialize>(
    screen: &mut Screen<'_>,
    page: &Page<T>,
    how: &Columns<T>,
) -> Result<(), Failure> {
    screen.list(&page.items, page.next_cursor.as_deref(), how.id, how.columns)?;
    if let (Some(cursor), Form::Table) = (&page.next_cursor, screen.form) {
        screen.note(&format!("there are more: add --all, or --cursor {cursor}"))?;
    }
    Ok(())
}

/// All items; as lines they are printed as they come.
pub(crate) async fn show_all<T: Serialize>(
    screen: &mut Screen<'_>,
    items: impl Stream<Item = Result<T, Error>>,
    how: &Columns<T>,
) -> Result<(), Failure> {
    let mut items = std::pin::pin!(items);
    let mut gathered = Vec::new();
    while let Some(item) = items.next().await {
        gathered.push(item?);
        if matches!(screen.form, Form::Jsonl | Form::Quiet) {
            screen.list(&gathered, None, how.id, how.columns)?;
            gathered.clear();
        }
    }
    if matches!(screen.form, Form::Jsonl | Form::Quiet) {
        return Ok(());
    }
    screen.list(&gathered, None, how.id, how.columns)
}
