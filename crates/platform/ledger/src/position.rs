//! Where the sequencer stands in the order of insertion: a row number with SQLite, `(transaction, id)` with PostgreSQL.

use db::{Db, DbError, Row, Statement, Value, sql};
use types::Uuid;

use crate::store::{Head, SEQUENCER};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    Row(i64),
    Transaction { tx: u64, id: Uuid },
}

/// Facts that are no leaf yet. The position alone would do, but it lies in the same hands as the table: whoever moves a row
/// must not stop the log.
const NEW: &str = "NOT EXISTS (SELECT 1 FROM leaves WHERE leaves.fact = facts.id)";

impl Position {
    /// Where the log stands.
    pub(crate) async fn of(db: &Db, head: &Head) -> Result<Self, DbError> {
        Self::parse(db, &head.position).known_here(db).await
    }

    /// An unreadable text is the start: nothing is sequenced twice all the same.
    fn parse(db: &Db, text: &str) -> Self {
        if !db.is_postgres() {
            return Self::Row(text.parse().unwrap_or(0));
        }
        let parsed = text.split_once(':').and_then(|(tx, id)| Some((tx.parse().ok()?, id.parse().ok()?)));
        let (tx, id) = parsed.unwrap_or((0, Uuid::nil()));
        Self::Transaction { tx, id }
    }

    /// The start if no transaction of this PostgreSQL can have had the number: the data were restored into a younger one,
    /// which counts anew.
    async fn known_here(self, db: &Db) -> Result<Self, DbError> {
        let Self::Transaction { tx, .. } = &self else { return Ok(self) };
        let text = "SELECT $1::text::xid8 < pg_snapshot_xmax(pg_current_snapshot())";
        let row = db.read_one(SEQUENCER, sql(text, vec![tx.to_string().into()])).await?;
        let known: bool = row.map_or(Ok(true), |mut row| row.next())?;
        Ok(if known { self } else { Self::Transaction { tx: 0, id: Uuid::nil() } })
    }

    pub(crate) fn text(&self) -> String {
        match self {
            Self::Row(row) => row.to_string(),
            Self::Transaction { tx, id } => format!("{tx}:{id}"),
        }
    }

    /// The next facts in order, each behind its position and whether it is a leaf already. PostgreSQL: only of transactions
    /// before which none is open. The limit stands in the text, and what is a leaf is looked up row by row, so that
    /// PostgreSQL walks its index whatever it thinks of the tables.
    pub(crate) fn after(&self, limit: i64) -> Statement {
        match self {
            Self::Row(row) => sql(
                format!(
                    "SELECT position, EXISTS (SELECT 1 FROM leaves WHERE leaves.fact = facts.id), {} FROM facts \
                     WHERE position > $1 ORDER BY position LIMIT {limit}",
                    clear_columns!("")
                ),
                vec![(*row).into()],
            ),
            // A bare `tx` in the last ORDER BY would mean the text of the first column, which sorts 10 before 9.
            Self::Transaction { tx, id } => sql(
                format!(
                    "SELECT n.tx::text, n.id, k.known IS NOT NULL, {} FROM ( \
                       SELECT * FROM facts WHERE (tx, id) > ($1::text::xid8, $2) \
                       AND tx < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY tx, id LIMIT {limit} \
                     ) n LEFT JOIN LATERAL (SELECT true AS known FROM leaves WHERE leaves.fact = n.id LIMIT 1) k ON true \
                     ORDER BY n.tx, n.id",
                    clear_columns!("n.")
                ),
                vec![tx.to_string().into(), (*id).into()],
            ),
        }
    }

    /// A row if there are facts behind this position, whether their time has come or not.
    pub(crate) fn behind(&self) -> Statement {
        match self {
            Self::Row(row) => {
                sql(format!("SELECT 1 FROM facts WHERE position > $1 AND {NEW} LIMIT 1"), vec![(*row).into()])
            }
            Self::Transaction { tx, id } => {
                let text = "SELECT 1 FROM facts f LEFT JOIN LATERAL ( \
                              SELECT true AS known FROM leaves WHERE leaves.fact = f.id LIMIT 1 \
                            ) k ON true WHERE (f.tx, f.id) > ($1::text::xid8, $2) AND k.known IS NULL \
                            ORDER BY f.tx, f.id LIMIT 1";
                sql(text, vec![tx.to_string().into(), (*id).into()])
            }
        }
    }

    /// A fact of the organization that was passed over: it stands before this position and has no leaf.
    pub(crate) fn passed_over(&self, org: Option<Uuid>) -> Statement {
        let (condition, mut params): (_, Vec<Value>) = match self {
            Self::Row(row) => ("position <= $1", vec![(*row).into()]),
            Self::Transaction { tx, id } => {
                ("(tx, id) <= ($1::text::xid8, $2)", vec![tx.to_string().into(), (*id).into()])
            }
        };
        let of_org = match org {
            Some(org) => {
                params.push(org.into());
                format!("AND org = ${}", params.len())
            }
            None => String::new(),
        };
        sql(format!("SELECT id FROM facts WHERE {condition} {of_org} AND {NEW} LIMIT 1"), params)
    }

    /// The position of a row that [`Position::after`] gave.
    pub(crate) fn read(&self, row: &mut Row) -> Result<Self, DbError> {
        match self {
            Self::Row(_) => Ok(Self::Row(row.next()?)),
            Self::Transaction { .. } => {
                let tx: String = row.next()?;
                let tx = tx.parse().map_err(|_| DbError::Internal(format!("transaction number {tx:?}")))?;
                Ok(Self::Transaction { tx, id: row.next()? })
            }
        }
    }
}
