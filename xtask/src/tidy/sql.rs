//! Which tables a statement writes to, and which columns it sets.

/// One verb of a statement and where it goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Write {
    /// `INTO`, `UPDATE`, `FROM` (of a DELETE) or `TRUNCATE`.
    pub(super) verb: String,
    pub(super) table: String,
    /// `Some` for an UPDATE: the columns that it sets.
    pub(super) columns: Option<Vec<String>>,
}

/// Everything that the SQL text inserts into, updates or deletes from. Text without such verbs gives nothing.
pub(super) fn writes(text: &str) -> Vec<Write> {
    let spaced = text.replace('=', " = ");
    let words: Vec<&str> =
        spaced.split(|character: char| character.is_whitespace() || "(),;\\".contains(character)).collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let mut writes = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let before = at.checked_sub(1).map_or("", |at| words[at]);
        let names_a_table = match *word {
            "INTO" | "TRUNCATE" => true,
            // `DO UPDATE SET` of an upsert and `FOR UPDATE` of a lock name none.
            "UPDATE" => before != "DO" && before != "FOR" && before != "KEY",
            "FROM" => before == "DELETE",
            _ => false,
        };
        if let Some(table) = words.get(at + 1).filter(|_| names_a_table) {
            let columns = (*word == "UPDATE").then(|| set_columns(&words[at + 1..]));
            let table = (*table).trim_matches('"').to_owned();
            writes.push(Write { verb: (*word).to_owned(), table, columns });
        }
    }
    writes
}

/// What stands before each `=` between SET and the next clause.
fn set_columns(words: &[&str]) -> Vec<String> {
    let set = words.iter().skip_while(|word| **word != "SET").skip(1);
    let set: Vec<&str> =
        set.copied().take_while(|word| !["WHERE", "FROM", "RETURNING"].contains(word)).collect();
    set.windows(2).filter(|pair| pair[1] == "=").map(|pair| pair[0].to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_found_in_every_verb() {
        for (text, tables) in [
            ("INSERT INTO nodes (id) VALUES ($1)", &["nodes"][..]),
            ("INSERT OR REPLACE INTO nodes VALUES ($1)", &["nodes"]),
            ("INSERT INTO nodes (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET seen_at = $2", &["nodes"]),
            (
                "UPDATE runs SET lease = $1 WHERE id IN (SELECT id FROM runs FOR UPDATE SKIP LOCKED)",
                &["runs"],
            ),
            ("DELETE FROM idempotency WHERE created_at < $1", &["idempotency"]),
            ("WITH old AS (DELETE FROM a RETURNING id) INSERT INTO b SELECT id FROM old", &["a", "b"]),
            ("SELECT id FROM agents WHERE name = $1", &[]),
            ("SELECT 1 FROM agents FOR NO KEY UPDATE", &[]),
            ("UPDATE {table} SET x = 1", &["{table}"]),
            ("no SQL at all", &[]),
        ] {
            let found: Vec<String> = writes(text).into_iter().map(|write| write.table).collect();
            assert_eq!(found, tables, "{text}");
        }
    }

    #[test]
    fn columns_are_those_that_an_update_sets() {
        let columns = |text: &str| writes(text).remove(0).columns.unwrap_or_default();
        assert_eq!(columns("UPDATE a SET x = $1, y=y+1 WHERE z = 3"), ["x", "y"]);
        assert_eq!(columns("UPDATE a SET x = b.x FROM b WHERE a.id = b.id"), ["x"]);
        assert_eq!(writes("DELETE FROM a")[0].columns, None);
    }
}
