//! Values go in and come out the same on both engines, also in lists that are filtered.

use db::{Bookkeeping, Row, Select, SystemScope, Value, sql};
use testing::on_both_databases;
use types::{Timestamp, Uuid};

use crate::db;
use crate::shelf::Shelf;

const SYSTEM: SystemScope = SystemScope::new("test");

on_both_databases! {
    async fn every_kind_of_value_reads_back(database: TestDatabase) {
        let shelf = Shelf::new(&database).await;
        shelf
            .hand
            .must("CREATE TABLE kinds (a boolean, b bigint, c text, d bytea, e uuid, f bigint, g text, h integer)")
            .await;
        if shelf.db.is_postgres() {
            shelf.hand.must("GRANT ALL ON kinds TO safeconduct_system").await;
        }
        let text = "naïve 'quoted' \"text\" \u{1f600}\n\0".replace('\0', "");
        let (id, at) = (Uuid::from_u128(u128::MAX - 5), Timestamp::from_millis(-1));
        let params: Vec<Value> = vec![
            true.into(), i64::MIN.into(), text.as_str().into(), vec![0_u8, 255, 39].into(), id.into(), at.into(),
            None::<&str>.into(), 7_i32.into(),
        ];
        let write = sql("INSERT INTO kinds VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", params);
        shelf.db.keep(Bookkeeping::new(SYSTEM).statement(write)).await.unwrap();
        let mut row: Row = shelf.db.read_one(SYSTEM, sql("SELECT * FROM kinds", vec![])).await.unwrap().unwrap();
        assert!(row.next::<bool>().unwrap());
        assert_eq!(row.next::<i64>().unwrap(), i64::MIN);
        assert_eq!(row.next::<String>().unwrap(), text);
        assert_eq!(row.next::<Vec<u8>>().unwrap(), [0, 255, 39]);
        assert_eq!(row.next::<Uuid>().unwrap(), id);
        assert_eq!(row.next::<Timestamp>().unwrap(), at);
        assert_eq!(row.next::<Option<String>>().unwrap(), None);
        assert_eq!(row.next::<i64>().unwrap(), 7);
        assert!(row.next::<i64>().is_err(), "the row has no further column");
    }

    async fn filters_and_pages_are_the_same(database: TestDatabase) {
        let shelf = Shelf::new(&database).await;
        for name in ["a", "b", "c", "d"] {
            let change = db::Change::new(shelf.scope(), shelf.fact()).statement(shelf.insert(name));
            shelf.db.commit(change).await.unwrap();
        }
        let org = types::Id::uuid(shelf.org);
        let page = |after: Option<&str>, limit| {
            Select::new("SELECT name FROM things")
                .and("org = {}", org)
                .and_some("name > {}", after)
                .and_all("revision >= {} AND revision <= {}", [Value::Int(1), Value::Int(1)])
                .order("name")
                .limit(limit)
        };
        let names = async |select: Select| -> Vec<String> {
            let rows = shelf.db.read(shelf.scope(), select).await.unwrap();
            rows.into_iter().map(|mut row| row.next().unwrap()).collect()
        };
        assert_eq!(names(page(None, 3)).await, ["a", "b", "c"]);
        assert_eq!(names(page(Some("c"), 3)).await, ["d"]);
    }

    /// Readers see what a commit answered, at once.
    async fn a_reader_sees_what_was_answered(database: TestDatabase) {
        let shelf = Shelf::new(&database).await;
        for number in 0..200 {
            let change = db::Change::new(shelf.scope(), shelf.fact()).statement(shelf.insert(&format!("{number}")));
            shelf.db.commit(change).await.unwrap();
            let count = sql("SELECT count(*) FROM things", vec![]);
            let count: i64 = shelf.db.read_one(shelf.scope(), count).await.unwrap().unwrap().next().unwrap();
            assert_eq!(count, number + 1);
        }
    }
}
