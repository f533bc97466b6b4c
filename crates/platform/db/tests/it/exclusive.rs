//! Many changes in one transaction: each reads what the one before wrote, and all of them are kept or none.

use std::time::Duration;

use db::{AuthorityEntry, Bookkeeping, Change, CommitError, DbError, OrgScope, SystemScope, sql};
use testing::on_both_databases;
use types::{Id, OrgId, RoleId, Uuid, World};

use crate::db;
use crate::shelf::{EXISTS, Shelf};

impl Shelf {
    fn putting(&self, name: &str) -> Change {
        Change::new(self.scope(), self.fact()).statement(self.insert(name))
    }

    /// As the present task sees it: within its own transaction, if it is in one.
    async fn seen(&self) -> Vec<String> {
        let rows = self.db.read(self.scope(), sql("SELECT name FROM things ORDER BY name", vec![])).await;
        rows.unwrap().into_iter().map(|mut row| row.next().unwrap()).collect()
    }
}

on_both_databases! {
    async fn later_decisions_read_what_earlier_ones_wrote(database: TestDatabase) {
        let shelf = Shelf::new(&database).await;
        let work = async {
            shelf.db.commit(shelf.putting("a")).await?;
            assert_eq!(shelf.seen().await, ["a"]);
            assert_eq!(shelf.names().await, Vec::<String>::new(), "nobody else sees it yet");
            shelf.db.commit(shelf.putting("b")).await?;
            let renamed = sql("UPDATE things SET name = 'c' WHERE name = 'a'", vec![]).fresh();
            shelf.db.commit(Change::new(shelf.scope(), shelf.fact()).statement(renamed)).await?;
            Ok::<_, CommitError>(shelf.seen().await)
        };
        assert_eq!(shelf.db.exclusive(shelf.scope(), work).await.unwrap(), ["b", "c"]);
        assert_eq!((shelf.names().await, shelf.facts().await), (vec!["b".to_owned(), "c".to_owned()], 3));
    }

    /// Whether the work says no or a statement does, nothing is left, and the database goes on.
    async fn all_of_it_is_taken_back(database: TestDatabase) {
        let shelf = Shelf::new(&database).await;
        shelf.db.commit(shelf.putting("taken")).await.unwrap();
        let gives_up = async {
            shelf.db.commit(shelf.putting("a")).await?;
            Err::<(), CommitError>(CommitError::Stale)
        };
        assert!(matches!(shelf.db.exclusive(shelf.scope(), gives_up).await, Err(CommitError::Stale)));
        let is_refused = async {
            shelf.db.commit(shelf.putting("b")).await?;
            shelf.db.commit(shelf.putting("taken")).await.map(drop)
        };
        let refused = shelf.db.exclusive(shelf.scope(), is_refused).await.unwrap_err();
        assert!(matches!(refused, CommitError::Refused(code) if *code == EXISTS), "{refused}");
        // Whoever overlooks a refusal keeps nothing all the same.
        let overlooks = async {
            shelf.db.commit(shelf.putting("c")).await?;
            let _ = shelf.db.commit(shelf.putting("taken")).await;
            Ok::<_, CommitError>(())
        };
        assert!(shelf.db.exclusive(shelf.scope(), overlooks).await.is_err());
        assert_eq!((shelf.names().await, shelf.facts().await), (vec!["taken".to_owned()], 1));
        shelf.db.commit(shelf.putting("after")).await.unwrap();
        assert_eq!(shelf.names().await, ["after", "taken"]);
    }

    /// A caller that hangs up in the middle leaves nothing and holds nobody up.
    async fn work_that_is_dropped_is_taken_back(database: TestDatabase) {
        let shelf = Shelf::new(&database).await;
        let (reached, halfway) = tokio::sync::oneshot::channel();
        let endless = shelf.db.exclusive(shelf.scope(), async {
            shelf.db.commit(shelf.putting("half")).await?;
            let _ = reached.send(());
            std::future::pending::<Result<(), CommitError>>().await
        });
        tokio::select! {
            _ = endless => panic!("it cannot end"),
            met = halfway => met.unwrap(),
        }
        shelf.db.commit(shelf.putting("whole")).await.unwrap();
        assert_eq!(shelf.names().await, ["whole"]);
    }

    /// The head of the authority log belongs to all organizations: it is taken for the end alone, so that a kill elsewhere does
    /// not wait for a long transaction, and what is said twice about authority is said once.
    async fn revocations_of_others_do_not_wait(database: TestDatabase) {
        let shelf = Shelf::new(&database).await;
        let world = World::system();
        let (role, group, elsewhere) = (world.id::<RoleId>().uuid(), world.id::<RoleId>().uuid(), world.id::<OrgId>());
        let changed = |key| AuthorityEntry::changed(shelf.scope().org(), "role", key);
        let kill = Change::new(OrgScope::proven(elsewhere), crate::shelf::fact(elsewhere))
            .authority(AuthorityEntry::changed(elsewhere, "agent", role).died());
        let work = async {
            shelf.db.commit(shelf.putting("a").authority(changed(role))).await?;
            if shelf.db.is_postgres() {
                let another_node = database.open().await;
                let killed = tokio::time::timeout(Duration::from_secs(10), another_node.commit(kill)).await;
                assert_eq!(killed.unwrap().unwrap().authority_revision, Some(1));
            }
            shelf.db.commit(shelf.putting("b").authority(changed(role)).authority(changed(group))).await.map(drop)
        };
        shelf.db.exclusive(shelf.scope(), work).await.unwrap();
        let text = "SELECT revision, key FROM authority_log WHERE org = $1 ORDER BY revision, ordinal";
        let org = vec![shelf.scope().org().uuid().into()];
        let log = shelf.db.read(SystemScope::new("test"), sql(text, org)).await.unwrap();
        let log: Vec<(i64, Uuid)> =
            log.into_iter().map(|mut row| (row.next().unwrap(), row.next().unwrap())).collect();
        let revision = if shelf.db.is_postgres() { 2 } else { 1 };
        assert_eq!(log, [(revision, role), (revision, group)]);
    }

    /// What would wait for the transaction that waits for it is refused instead.
    async fn only_its_own_organization_is_written(database: TestDatabase) {
        let shelf = Shelf::new(&database).await;
        let other = OrgScope::proven(World::system().id());
        let work = async {
            let foreign = Change::new(other, shelf.fact()).statement(shelf.insert("a"));
            assert!(matches!(shelf.db.commit(foreign).await, Err(CommitError::Db(DbError::Internal(_)))));
            assert!(matches!(shelf.db.append(shelf.fact()).await, Err(CommitError::Db(DbError::Internal(_)))));
            let books = Bookkeeping::new(SystemScope::new("test"));
            assert!(matches!(shelf.db.keep(books).await, Err(CommitError::Db(DbError::Internal(_)))));
            assert!(shelf.db.read(other, sql("SELECT 1", vec![])).await.is_err());
            shelf.db.commit(shelf.putting("own")).await.map(drop)
        };
        shelf.db.exclusive(shelf.scope(), work).await.unwrap();
        assert_eq!(shelf.names().await, ["own"]);
    }
}
