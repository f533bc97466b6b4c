//! Row-level security is the last wall (PostgreSQL): a statement that forgot its organization sees nothing of others.

use db::{Change, CommitError, OrgScope, SystemScope, sql};
use testing::TestDatabase;
use types::{Id, OrgId, World};

use crate::db;
use crate::shelf::{Shelf, fact};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scope_sees_its_own_organization_only() {
    let database = TestDatabase::postgres().await;
    let shelf = Shelf::new(&database).await;
    let other: OrgId = World::system().id();
    shelf.db.commit(Change::new(shelf.scope(), shelf.fact()).statement(shelf.insert("mine"))).await.unwrap();
    let everything = || sql("SELECT name FROM things", vec![]);
    let seen = async |scope: db::Scope| shelf.db.read(scope, everything()).await.unwrap().len();
    assert_eq!(seen(shelf.scope().into()).await, 1);
    assert_eq!(seen(OrgScope::proven(other).into()).await, 0);
    assert_eq!(seen(SystemScope::new("test").into()).await, 1);

    // Writing under another organization's scope: rows of ours, its facts, our facts.
    let foreign = OrgScope::proven(other);
    for change in [
        Change::new(foreign, fact(other)).statement(shelf.insert("stolen")),
        Change::new(foreign, shelf.fact()),
        Change::new(shelf.scope(), shelf.fact()).fact(fact(other)),
    ] {
        assert!(matches!(shelf.db.commit(change).await, Err(CommitError::Db(_))));
    }
    let erase = sql("DELETE FROM things", vec![]);
    shelf.db.commit(Change::new(foreign, fact(other)).statement(erase)).await.unwrap();
    assert_eq!(shelf.names().await, ["mine"]);
    // The organization of one flight does not stay on its connection.
    let bare = database.as_role("safeconduct_app").await.unwrap();
    assert_eq!(bare.number("SELECT count(*) FROM things").await, 0);
    let org = shelf.hand.uuid(shelf.org.uuid());
    assert_eq!(shelf.hand.number(&format!("SELECT count(*) FROM facts WHERE org = {org}")).await, 1);
}

/// A hundred flights of two organizations over a few connections: none sees the other's rows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_do_not_carry_a_scope_over() {
    let database = TestDatabase::postgres().await;
    let shelf = Shelf::new(&database).await;
    shelf.db.commit(Change::new(shelf.scope(), shelf.fact()).statement(shelf.insert("mine"))).await.unwrap();
    let nobody = OrgScope::proven(World::system().id());
    let reads = (0..200).map(|number| {
        let scope = if number % 2 == 0 { shelf.scope() } else { nobody };
        shelf.db.read(scope, sql("SELECT name FROM things", vec![]))
    });
    for (number, rows) in futures::future::join_all(reads).await.into_iter().enumerate() {
        assert_eq!(rows.unwrap().len(), 1 - number % 2);
    }
}
