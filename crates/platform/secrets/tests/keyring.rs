//! The keyring on both databases: first start, restart, wrong key, missing file, races for the first key.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::PathBuf;

use crypto::seal::Aad;
use db::Db;
use secrets::{KeySource, Keyring, Purpose, SecretsError};
use testing::{TestDatabase, on_both_databases};
use types::{OrgId, Secret, World};

use safeconduct_secrets as secrets;

fn file(database: &TestDatabase) -> PathBuf {
    database.directory().join("key")
}

async fn open(db: &Db, path: PathBuf) -> Result<Keyring, SecretsError> {
    Keyring::open(db.clone(), World::system(), &KeySource::File(path)).await
}

fn place(org: OrgId) -> Aad<'static> {
    Aad { table: "t", column: "c", org: Some(org), row: b"row" }
}

on_both_databases! {
    async fn what_was_sealed_opens_after_a_restart(database: TestDatabase) {
        let org: OrgId = World::system().id();
        let sealed = {
            let db = database.open().await;
            let keyring = open(&db, file(&database)).await.unwrap();
            let sealed = keyring.seal(Purpose::Ledger, &place(org), b"text").await.unwrap();
            db.close().await;
            sealed
        };
        let db = database.open().await;
        let keyring = open(&db, file(&database)).await.unwrap();
        assert_eq!(keyring.open_sealed(Purpose::Ledger, &place(org), &sealed).await.unwrap(), b"text");
        for wrong in [Purpose::Records, Purpose::Blobs, Purpose::Idempotency] {
            keyring.key(org, wrong).await.unwrap();
            assert!(keyring.open_sealed(wrong, &place(org), &sealed).await.is_err(), "{wrong:?}");
        }
    }

    async fn a_wrong_key_is_refused_by_its_id(database: TestDatabase) {
        let db = database.open().await;
        let right = open(&db, file(&database)).await.unwrap().id();
        let value = KeySource::Value(Secret::new("7".repeat(64)));
        let Err(SecretsError::WrongKey { needed, loaded }) = Keyring::open(db.clone(), World::system(), &value).await
        else {
            panic!("a wrong key was taken")
        };
        assert_eq!(needed, right);
        assert_ne!(loaded, right);
        assert_eq!(open(&db, file(&database)).await.unwrap().id(), right, "the right one still opens");
    }

    async fn a_missing_file_beside_a_sealed_database_is_refused(database: TestDatabase) {
        let db = database.open().await;
        let kept = open(&db, file(&database)).await.unwrap().id();
        std::fs::rename(file(&database), database.directory().join("elsewhere")).unwrap();
        let Err(refused) = open(&db, file(&database)).await else { panic!("a new key was made") };
        assert!(matches!(&refused, SecretsError::MissingFile(path) if *path == file(&database)));
        assert!(refused.to_string().contains("restore the file"), "{refused}");
        assert!(!file(&database).exists());
        std::fs::rename(database.directory().join("elsewhere"), file(&database)).unwrap();
        assert_eq!(open(&db, file(&database)).await.unwrap().id(), kept);
    }

    async fn a_removed_check_is_noticed(database: TestDatabase) {
        let db = database.open().await;
        open(&db, file(&database)).await.unwrap().key(None, Purpose::Records).await.unwrap();
        database.tamper().await.must("DELETE FROM key_check").await;
        assert!(matches!(open(&db, file(&database)).await, Err(SecretsError::MissingCheck)));
    }

    async fn racing_nodes_use_one_data_key(database: TestDatabase) {
        let db = database.open().await;
        let org: OrgId = World::system().id();
        // Each keyring is a node with a memory of its own.
        let nodes = futures::future::join_all((0..8).map(|_| open(&db, file(&database)))).await;
        let nodes: Vec<Keyring> = nodes.into_iter().map(Result::unwrap).collect();
        let seals = nodes.iter().map(|node| node.seal(Purpose::Records, &PLACE, b"text"));
        for sealed in futures::future::join_all(seals).await {
            for node in &nodes {
                assert_eq!(node.open_sealed(Purpose::Records, &PLACE, sealed.as_ref().unwrap()).await.unwrap(), b"text");
            }
        }
        let keys = "SELECT count(*) FROM data_keys";
        assert_eq!(database.tamper().await.number(keys).await, 1);
        nodes[0].key(org, Purpose::Records).await.unwrap();
        assert_eq!(database.tamper().await.number(keys).await, 2);
    }

    async fn a_swapped_key_does_not_open(database: TestDatabase) {
        let db = database.open().await;
        let (one, other): (OrgId, OrgId) = (World::system().id(), World::system().id());
        let keyring = open(&db, file(&database)).await.unwrap();
        keyring.key(one, Purpose::Ledger).await.unwrap();
        keyring.key(other, Purpose::Ledger).await.unwrap();
        let hand = database.tamper().await;
        let (from, to) = (hand.uuid(types::Id::uuid(one)), hand.uuid(types::Id::uuid(other)));
        hand.must(&format!(
            "UPDATE data_keys SET wrapped = (SELECT wrapped FROM data_keys WHERE org = {from}) WHERE org = {to}"
        ))
        .await;
        let fresh = open(&db, file(&database)).await.unwrap();
        fresh.key(one, Purpose::Ledger).await.unwrap();
        assert!(matches!(fresh.key(other, Purpose::Ledger).await, Err(SecretsError::Unwrap(_))));
    }
}

const PLACE: Aad<'static> = Aad { table: "t", column: "c", org: None, row: b"row" };
