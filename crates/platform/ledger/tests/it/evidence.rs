//! Proofs and bundles out of a real ledger, checked by code that never saw the database.

use std::path::Path;
use std::process::Command;

use evidence::{Trust, verify_bundle};
use merkle::{
    Checkpoint, Hash, Note, TileId, VerifierKey, decode_entries, leaf_hash, verify_consistency,
    verify_inclusion,
};
use testing::on_both_databases;

use crate::ledger::{Actor, BundleRange, Erasure, Ledger, LedgerError};
use crate::node::{Node, new_org, scope};

async fn checkpoint(ledger: &Ledger, key: &VerifierKey) -> Checkpoint {
    let note = Note::parse(&ledger.checkpoint().await.unwrap().unwrap()).unwrap();
    Checkpoint::open(&note, "log.example", key).unwrap().0
}

/// In a namespace without a network: nothing but the bundle and the key. `unshare` is part of util-linux, without which
/// no Debian is; where a machine forbids such namespaces, this fails.
fn python(directory: &Path, bundle: &[u8], key: &VerifierKey) -> serde_json::Value {
    let file = directory.join("bundle");
    std::fs::write(&file, bundle).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../base/evidence/tests/verify_bundle.py");
    let mut command = Command::new("unshare");
    let output = command.args(["-rn", "python3", script]).arg(file).arg(key.to_string()).output();
    let output = output.expect("unshare of util-linux starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

on_both_databases! {
    async fn a_proof_needs_no_server(database: TestDatabase) {
        let node = Node::start(&database).await;
        let (org, other) = (new_org(), new_org());
        let mut facts = node.record(org, 300).await;
        node.record(other, 5).await;
        facts.extend(node.record(org, 10).await);
        let key = node.ledger.verifier_key().await.unwrap();
        for index in [0, 1, 255, 256, 299, 309] {
            let proof = node.ledger.prove(&scope(org), facts[index]).await.unwrap();
            let clear = proof.clear.unwrap();
            assert_eq!(crypto::hash::sha256(clear.as_bytes()), proof.entry);
            let clear: serde_json::Value = serde_json::from_str(&clear).unwrap();
            assert_eq!(clear["id"], facts[index].to_string());
            assert_eq!(clear["org_seq"], index + 1);
            let private_hash = hex::encode(crypto::hash::sha256(proof.private.unwrap().as_bytes()));
            assert_eq!(clear["private_hash"], private_hash);
            let (signed, _) = Checkpoint::open(&Note::parse(&proof.checkpoint).unwrap(), "log.example", &key).unwrap();
            assert_eq!((proof.leaf_hash, proof.tree_size), (leaf_hash(&proof.entry), signed.size));
            verify_inclusion(&proof.leaf_hash, proof.seq, proof.tree_size, &proof.path, &signed.root).unwrap();
        }
        let foreign = node.ledger.prove(&scope(other), facts[0]).await;
        assert!(matches!(foreign, Err(LedgerError::Unknown)), "another organization's fact is unknown");
        node.stop().await;
    }

    async fn growth_is_proven_between_checkpoints(database: TestDatabase) {
        let node = Node::start(&database).await;
        let org = new_org();
        let key = node.ledger.verifier_key().await.unwrap();
        node.record(org, 7).await;
        let first = checkpoint(&node.ledger, &key).await;
        node.record(org, 300).await;
        let second = checkpoint(&node.ledger, &key).await;
        let proof = node.ledger.prove_growth(first.size, second.size).await.unwrap();
        verify_consistency(first.size, &first.root, second.size, &second.root, &proof.path).unwrap();
        for unfit in [(first.size, second.size + 1), (second.size, first.size)] {
            assert!(matches!(node.ledger.prove_growth(unfit.0, unfit.1).await, Err(LedgerError::Unknown)));
        }
        node.stop().await;
    }

    /// Whoever mirrors the tiles finds the same root.
    async fn tiles_lead_to_the_checkpoint(database: TestDatabase) {
        let node = Node::start(&database).await;
        node.record(new_org(), 600).await;
        let key = node.ledger.verifier_key().await.unwrap();
        let signed = checkpoint(&node.ledger, &key).await;
        let mut leaves: Vec<Hash> = Vec::new();
        for index in 0..3 {
            let id = TileId::at(0, index, signed.size).unwrap();
            let tile = node.ledger.tile(id).await.unwrap().unwrap();
            let entries = decode_entries(&node.ledger.entries(id).await.unwrap().unwrap()).unwrap();
            let hashes: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
            assert_eq!(tile, hashes.concat());
            leaves.extend(hashes);
        }
        assert_eq!(merkle::Tree::new().append(&leaves).root, signed.root);
        let beyond = TileId::new(0, 2, 256).unwrap();
        assert!(node.ledger.tile(beyond).await.unwrap().is_none());
        assert!(node.ledger.entries(beyond).await.unwrap().is_none());
        node.stop().await;
    }

    async fn a_bundle_is_verified_offline_by_us_and_by_others(database: TestDatabase) {
        let node = Node::start(&database).await;
        let (org, other) = (new_org(), new_org());
        node.record(org, 400).await;
        let key = node.ledger.verifier_key().await.unwrap();
        let kept = checkpoint(&node.ledger, &key).await;
        for _ in 0..5 {
            node.record(other, 3).await;
            node.record(org, 4).await;
        }
        let range = BundleRange { since: Some(kept.size), ..BundleRange::default() };
        let bundle = node.ledger.bundle(&scope(org), range).await.unwrap().collect().await.unwrap();
        let report =
            verify_bundle(&bundle, &Trust { key: &key, origin: None, checkpoint: Some(&kept) }).unwrap();
        assert_eq!((report.org, report.first, report.last, report.records), (org, 1, 420, 420));
        assert_eq!((report.tree_size, report.grown_from), (435, Some(kept.size)));
        let theirs = python(database.directory(), &bundle, &key);
        assert_eq!(theirs["records"], 420);
        assert_eq!(theirs["root"], hex::encode(report.root));
        // The other organization's record is not in it, not even by name.
        let text = String::from_utf8(bundle).unwrap();
        assert!(!text.contains(&other.to_string()));

        // A line left out.
        let mut lines: Vec<&str> = text.lines().collect();
        lines.drain(101..103);
        let end = format!("end {}", lines.len() - 1);
        lines.pop();
        lines.push(&end);
        let shortened = lines.join("\n") + "\n";
        assert!(verify_bundle(shortened.as_bytes(), &Trust { key: &key, origin: None, checkpoint: None }).is_err());
        node.stop().await;
    }

    async fn parts_of_a_record_can_be_shown(database: TestDatabase) {
        let node = Node::start(&database).await;
        let org = new_org();
        node.record(org, 50).await;
        let key = node.ledger.verifier_key().await.unwrap();
        let trust = Trust { key: &key, origin: None, checkpoint: None };
        let export = async |first, last, withhold_private| {
            let range = BundleRange { first, last, since: None, withhold_private };
            node.ledger.bundle(&scope(org), range).await.unwrap().collect().await.unwrap()
        };
        let report = verify_bundle(&export(Some(10), Some(20), false).await, &trust).unwrap();
        assert_eq!((report.first, report.last, report.records), (10, 20, 11));
        let withheld = export(None, None, true).await;
        let report = verify_bundle(&withheld, &trust).unwrap();
        assert_eq!((report.records, report.withheld), (0, 50));
        let text = String::from_utf8(withheld).unwrap();
        assert!(!text.contains("Ada Lovelace") && !text.contains("192.0.2.7"));

        // What was erased stays proven, and the bundle carries the reason, also from behind its end.
        let range = Erasure { first: 3, last: 12 };
        node.ledger.purge(&scope(org), range, Actor::system("retention"), "test").await.unwrap();
        node.ledger.drain().await.unwrap();
        for (first, last) in [(None, None), (Some(10), Some(20)), (Some(12), Some(12))] {
            let bundle = export(first, last, false).await;
            let report = verify_bundle(&bundle, &trust).unwrap();
            let erased = 12 - first.unwrap_or(1).max(3) + 1;
            assert_eq!(report.erased, erased);
            assert_eq!(python(database.directory(), &bundle, &key)["erased"], erased);
        }
        for unfit in [(Some(52), None), (None, Some(52)), (Some(9), Some(8))] {
            let range = BundleRange { first: unfit.0, last: unfit.1, ..BundleRange::default() };
            assert!(node.ledger.bundle(&scope(org), range).await.is_err(), "{unfit:?}");
        }
        assert!(node.ledger.bundle(&scope(new_org()), BundleRange::default()).await.is_err());
        node.stop().await;
    }

    /// The file is the newest checkpoint, whole, and signed by the key that is told to verifiers.
    async fn the_exported_checkpoint_is_the_newest(database: TestDatabase) {
        let node = Node::start(&database).await;
        node.record(new_org(), 5).await;
        let key = node.ledger.verifier_key().await.unwrap();
        let file = std::fs::read_to_string(database.directory().join("checkpoint")).unwrap();
        assert_eq!(Some(file), node.ledger.checkpoint().await.unwrap());
        assert_eq!(checkpoint(&node.ledger, &key).await.size, 5);
        let text = key.to_string();
        assert_eq!(text.parse::<VerifierKey>().unwrap().to_string(), text);
        node.stop().await;
    }
}
