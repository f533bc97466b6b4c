//! The same numbers from a third implementation: RFC 9162's definitions in Python, standard library only.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod grown;

use std::io::Write;
use std::process::{Command, Stdio};

use grown::Grown;
use merkle::{KeyKind, TileId, VerifierKey, consistency, encode_entries, entries_path, inclusion};
use safeconduct_merkle as merkle;
use serde_json::{Value, json};

fn python(question: &Value) -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle.py");
    let mut child =
        Command::new("python3").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(question.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn hexes(hashes: &[merkle::Hash]) -> Value {
    hashes.iter().map(hex::encode).collect()
}

#[test]
fn python_has_the_same_roots_proofs_and_tiles() {
    const SIZES: [u64; 14] = [0, 1, 2, 3, 7, 8, 255, 256, 257, 511, 513, 1_000, 2_048, 3_001];
    let ours = Grown::new(3_001);
    let pairs: Vec<(u64, u64)> = SIZES
        .iter()
        .flat_map(|size| [0, 1, size / 3, size / 2, size.saturating_sub(1)].map(|index| (index, *size)))
        .filter(|(index, size)| index < size)
        .collect();
    let answer = python(&json!({"sizes": SIZES, "pairs": pairs, "tiles": [0, 1, 256, 300, 1_000]}));

    let roots: Vec<_> = SIZES.iter().map(|size| *ours.root(*size)).collect();
    assert_eq!(answer["roots"], hexes(&roots));
    for (at, (index, size)) in pairs.into_iter().enumerate() {
        let proof = inclusion(&ours, index, size).unwrap();
        assert_eq!(answer["inclusion"][at], hexes(&proof), "leaf {index} of {size}");
        let proof = consistency(&ours, index + 1, size).unwrap();
        assert_eq!(answer["consistency"][at], hexes(&proof), "{} to {size}", index + 1);
    }
    for (size, files) in answer["tiles"].as_object().unwrap() {
        assert_eq!(&tiles_of(&ours, size.parse().unwrap()), files, "tiles of {size}");
    }
}

/// Path and digest of every file that a log of this size serves.
fn tiles_of(ours: &Grown, size: u64) -> Value {
    let mut files = serde_json::Map::new();
    for (level, index) in ours.tiles.keys() {
        let Some(id) = TileId::at(*level, *index, size) else { continue };
        let hashes = &ours.tiles[&(*level, *index)][..id.width()];
        files.insert(id.path(), json!(hex::encode(crypto::hash::sha256(&hashes.concat()))));
        if *level == 0 {
            let first = index * 256;
            let entries: Vec<_> = (first..first + id.width() as u64).map(grown::entry).collect();
            let digest = crypto::hash::sha256(&encode_entries(&entries));
            files.insert(entries_path(id), json!(hex::encode(digest)));
        }
    }
    Value::Object(files)
}

#[test]
fn python_has_the_same_verifier_keys() {
    let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let answer = python(&json!({"keys": [["log.example/a", 1, public], ["witness.example/ü", 4, public]]}));
    let key = |name, kind| {
        let public = hex::decode(public).unwrap().try_into().unwrap();
        VerifierKey::new(name, kind, public).unwrap().to_string()
    };
    let ours = [key("log.example/a", KeyKind::Ed25519), key("witness.example/ü", KeyKind::Cosignature)];
    assert_eq!(answer["keys"], json!(ours));
}
