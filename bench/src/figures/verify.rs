//! Offline verification of a bundle: every hash, the whole chain, the proof, the signature.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use crypto::hash::sha256;
use crypto::jws::{Algorithm, SigningKey};
use evidence::{BundleWriter, Clear, Trust, entry, verify_reader};
use merkle::{Checkpoint, Hash, NoteSigner, TileId, Tree, batch_inclusion, leaf_hash};
use types::{AgentId, OrgId, World};

use crate::Settings;
use crate::cpu;
use crate::row::{Row, whole};
use crate::spread::Spread;

const EVENTS: u64 = 1_000_000;
const ORIGIN: &str = "bench";

pub(crate) fn measure(settings: &Settings) -> Result<()> {
    let directory = settings.directory()?;
    let path = directory.path().join("bundle");
    let events = settings.count.unwrap_or(EVENTS);
    let key = SigningKey::generate(Algorithm::EdDSA)?;
    let signer = NoteSigner::new(ORIGIN, key)?;
    write(&path, events, &signer)?;
    let trust = Trust { key: signer.verifier(), origin: None, checkpoint: None };
    let bytes = std::fs::metadata(&path)?.len();
    let (mut took, mut processor, mut hashing) = (Spread::default(), Spread::default(), Spread::default());
    for _ in 0..settings.runs {
        let (begun, before) = (Instant::now(), cpu::used(std::process::id())?);
        let report = verify_reader(BufReader::with_capacity(1 << 20, File::open(&path)?), &trust)?;
        took.add(begun.elapsed().as_secs_f64());
        processor.add(cpu::used(std::process::id())? - before);
        anyhow::ensure!(report.records == events, "verified {} records", report.records);
        let begun = Instant::now();
        hash(&path)?;
        hashing.add(begun.elapsed().as_secs_f64());
    }
    let seconds = |seconds: f64| format!("{seconds:.2} s");
    let row = Row {
        figure: format!("verify {} events offline", whole(events as f64)),
        goal: "1 M < 3 s",
        measured: format!("{}; {} of processor", took.text_with(seconds), processor.text_with(seconds)),
        floor: format!("SHA-256 over the same file {}", hashing.text_with(seconds)),
        beside: format!("{:.0} MB; {} events/s", bytes as f64 / 1e6, whole(events as f64 / took.median())),
    };
    row.print();
    Ok(())
}

/// A bundle of facts as the token endpoint leaves them, of one organization.
fn write(path: &Path, events: u64, signer: &NoteSigner) -> Result<()> {
    let world = World::system();
    let (org, agent): (OrgId, AgentId) = (world.id(), world.id());
    let agent = agent.to_string();
    let mut writer = BundleWriter::new(BufWriter::new(File::create(path)?), org, 1)?;
    let mut tree = Tree::new();
    let mut tiles: HashMap<(u8, u64), Vec<Hash>> = HashMap::new();
    for seq in 0..events {
        let jti: types::TokenId = world.id();
        let private = private(&world);
        let clear = Clear {
            id: world.id(),
            org,
            occurred_at: world.now(),
            kind: "token.issued",
            outcome: "success",
            severity: "info",
            actor_kind: "agent",
            actor_id: Some(&agent),
            target_type: Some("token"),
            target_id: Some(&jti.to_string()),
            jti: Some(jti),
            txn: Some(world.id()),
            credential: Some(world.id()),
            run: None,
            request: Some(world.id()),
            cause: None,
            private_hash: sha256(private.as_bytes()),
        };
        let clear = clear.canonical(seq + 1);
        writer.record(seq, &clear, Some(private.as_bytes()))?;
        for tile in tree.append(&[leaf_hash(&entry(&clear))]).tiles {
            tiles.insert((tile.level, tile.index), tile.hashes);
        }
    }
    let seqs: Vec<u64> = (0..events).collect();
    let reader = |tile: TileId| tiles.get(&(tile.level(), tile.index())).cloned();
    writer.proof(&batch_inclusion(&reader, &seqs, events)?)?;
    let checkpoint = Checkpoint { origin: ORIGIN.into(), size: events, root: tree.root() };
    writer.checkpoint(&checkpoint.sign(signer)?.to_string())?;
    writer.finish()?.flush().context("the bundle")?;
    Ok(())
}

fn private(world: &World) -> String {
    let salt: String = world.bytes::<32>().iter().map(|byte| format!("{byte:02x}")).collect();
    let expires = world.now();
    format!(
        "{{\"actor\":\"agent-1\",\"data\":{{\"audience\":\"http://127.0.0.1:7717/api\",\"authority_revision\":7,\
         \"expires_at\":\"{expires}\",\"grant\":\"client_credentials\",\"method\":\"client_secret_basic\",\
         \"narrowed\":false,\"scope\":\"agents:read runs:read\"}},\"ip\":\"127.0.0.1\",\"salt\":\"{salt}\",\
         \"target\":\"\",\"user_agent\":\"safeconduct-bench\",\"v\":1}}"
    )
}

fn hash(path: &Path) -> Result<Hash> {
    let mut bytes = Vec::new();
    File::open(path)?.read_to_end(&mut bytes)?;
    Ok(sha256(&bytes))
}
