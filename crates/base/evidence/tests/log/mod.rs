//! A log of two organizations in memory, and bundles out of it.

use std::collections::BTreeMap;

use crypto::hash::sha256;
use crypto::jws::{Algorithm, SigningKey};
use evidence::{BundleWriter, Clear, PURGED};
use merkle::{
    Checkpoint, Hash, NoteSigner, TileId, TileReader, Tree, batch_inclusion, consistency, leaf_hash,
};
use safeconduct_evidence as evidence;
use types::{FactId, Id, OrgId, Timestamp, Uuid};

pub(crate) struct Log {
    pub(crate) signer: NoteSigner,
    tree: Tree,
    tiles: BTreeMap<(u8, u64), Vec<Hash>>,
    roots: Vec<Hash>,
    pub(crate) facts: Vec<LoggedFact>,
}

#[derive(Clone)]
pub(crate) struct LoggedFact {
    pub(crate) seq: u64,
    pub(crate) org_seq: u64,
    pub(crate) mine: bool,
    pub(crate) clear: Vec<u8>,
    pub(crate) private: Vec<u8>,
}

pub(crate) fn org(mine: bool) -> OrgId {
    OrgId::from_uuid(Uuid::from_u128(if mine { 1 } else { 2 }))
}

impl Log {
    /// Every third fact belongs to another organization.
    pub(crate) fn new(facts: u64) -> Self {
        let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
        let mut log = Self {
            signer: NoteSigner::new("log.example", key).unwrap(),
            tree: Tree::new(),
            tiles: BTreeMap::new(),
            roots: vec![merkle::empty_root()],
            facts: Vec::new(),
        };
        for index in 0..facts {
            log.add(
                index % 3 != 2,
                "agent.created",
                &format!(r#"{{"actor":"Ada \"é\" {index}","salt":"00","v":1}}"#),
            );
        }
        log
    }

    pub(crate) fn purge(&mut self, first: u64, last: u64) {
        self.add(
            true,
            PURGED,
            &format!(r#"{{"actor":"retention","data":{{"first":{first},"last":{last}}},"v":1}}"#),
        );
    }

    pub(crate) fn add(&mut self, mine: bool, kind: &str, private: &str) {
        let seq = self.facts.len() as u64;
        let org_seq = self.facts.iter().filter(|fact| fact.mine == mine).count() as u64 + 1;
        let clear = Clear {
            id: FactId::from_uuid(Uuid::from_u128(100 + u128::from(seq))),
            org: org(mine),
            occurred_at: Timestamp::from_millis(1_762_000_000_000 + i64::try_from(seq).unwrap()),
            kind,
            outcome: "success",
            severity: "info",
            actor_kind: "user",
            actor_id: Some("usr_1"),
            target_type: None,
            target_id: None,
            jti: None,
            txn: None,
            credential: None,
            run: None,
            request: None,
            cause: None,
            private_hash: sha256(private.as_bytes()),
        };
        let clear = clear.canonical(org_seq);
        let appended = self.tree.append(&[leaf_hash(&evidence::entry(&clear))]);
        for tile in appended.tiles {
            self.tiles.insert((tile.level, tile.index), tile.hashes);
        }
        self.roots.push(appended.root);
        let private = private.as_bytes().to_vec();
        self.facts.push(LoggedFact { seq, org_seq, mine, clear, private });
    }

    pub(crate) fn note(&self, size: u64) -> String {
        self.checkpoint(size).sign(&self.signer).unwrap().to_string()
    }

    pub(crate) fn checkpoint(&self, size: u64) -> Checkpoint {
        let root = self.roots[usize::try_from(size).unwrap()];
        Checkpoint { origin: "log.example".into(), size, root }
    }

    pub(crate) fn mine(&self, first: u64, last: u64) -> Vec<LoggedFact> {
        self.facts
            .iter()
            .filter(|fact| fact.mine && (first..=last).contains(&fact.org_seq))
            .cloned()
            .collect()
    }

    pub(crate) fn bundle(&self, first: u64, last: u64) -> Vec<u8> {
        self.bundle_of(&self.mine(first, last), &[], &[])
    }

    /// `run` as it is, without the facts numbered `erased`; `outside`: purge records shown beside it.
    pub(crate) fn bundle_of(&self, run: &[LoggedFact], erased: &[u64], outside: &[LoggedFact]) -> Vec<u8> {
        let size = self.facts.len() as u64;
        let mut writer = BundleWriter::new(Vec::new(), org(true), run[0].org_seq).unwrap();
        for fact in run {
            if erased.contains(&fact.org_seq) {
                writer.erased(fact.seq, &evidence::entry(&fact.clear)).unwrap();
            } else {
                writer.record(fact.seq, &fact.clear, Some(&fact.private)).unwrap();
            }
        }
        for fact in outside {
            writer.purge(fact.seq, &fact.clear, &fact.private).unwrap();
        }
        let mut seqs: Vec<u64> = run.iter().chain(outside).map(|fact| fact.seq).collect();
        seqs.sort_unstable();
        writer.proof(&batch_inclusion(self, &seqs, size).unwrap()).unwrap();
        writer.checkpoint(&self.note(size)).unwrap();
        writer.earlier(&self.note(size / 2), &consistency(self, size / 2, size).unwrap()).unwrap();
        writer.finish().unwrap()
    }
}

impl TileReader for Log {
    fn read(&self, tile: TileId) -> Option<Vec<Hash>> {
        self.tiles.get(&(tile.level(), tile.index())).cloned()
    }
}
