//! Many rows in few statements. The numbers of rows that share one are few, so that each text is prepared once.

use std::fmt::Write;

use db::{Statement, Value, sql};

const SHARES: [usize; 3] = [64, 8, 1];

/// `head` ends in `VALUES `; `tail` may hold an ON CONFLICT clause.
pub fn insert(head: &str, tail: &str, rows: Vec<Vec<Value>>) -> Vec<Statement> {
    let mut statements = Vec::with_capacity(rows.len() / SHARES[0] + 16);
    let mut rest = rows.into_iter();
    for share in SHARES {
        while rest.len() >= share {
            let rows: Vec<Vec<Value>> = rest.by_ref().take(share).collect();
            let width = rows.first().map_or(0, Vec::len);
            statements.push(sql(text(head, tail, share, width), rows.into_iter().flatten().collect()));
        }
    }
    statements
}

fn text(head: &str, tail: &str, rows: usize, width: usize) -> String {
    let mut text = String::with_capacity(head.len() + tail.len() + rows * width * 6);
    text.push_str(head);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..width {
            // Writing to a String cannot fail.
            let _ = write!(text, "{}${}", if column == 0 { "" } else { ", " }, row * width + column + 1);
        }
        text.push(')');
    }
    text.push_str(tail);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_in_one_statement_and_texts_are_few() {
        assert_eq!(text("INSERT INTO t VALUES ", " x", 2, 2), "INSERT INTO t VALUES ($1, $2), ($3, $4) x");
        for rows in [0, 1, 7, 8, 9, 63, 64, 65, 200] {
            let values: Vec<Vec<Value>> = (0..rows).map(|row| vec![Value::Int(row), Value::Null]).collect();
            let statements = insert("INSERT INTO t VALUES ", "", values);
            let count = rows / 64 + rows % 64 / 8 + rows % 8;
            assert_eq!(statements.len(), usize::try_from(count).unwrap());
        }
    }
}
