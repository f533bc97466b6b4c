//! Whose record is believed: the key pinned in the profile at login, or one that is given – and what that key proves.

use std::time::Duration;

use client::{Client, FactProof, SignedCheckpoint};
use evidence::ClearHead;
use merkle::{Checkpoint, Hash, Note, VerifierKey, leaf_hash, verify_consistency, verify_inclusion};
use types::World;

use crate::desk::Desk;
use crate::failure::Failure;
use crate::profiles::Pinned;

/// A checkpoint follows its facts within a second; after this long something is wrong.
pub(crate) const PATIENCE: u32 = 30;
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// A verifier key and why it is believed.
pub(crate) struct Believed {
    pub(crate) key: VerifierKey,
    pub(crate) source: Source,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// `--key`.
    Given,
    Pinned {
        profile: String,
        since: String,
    },
    /// Seen at sign-in, by this command alone.
    SignIn {
        since: String,
    },
    /// Nothing better was at hand: the server vouches for itself.
    Server,
}

impl Believed {
    /// The key that was given, else the profile's.
    pub(crate) fn find(desk: &Desk<'_>, given: Option<&str>) -> Result<Option<Self>, Failure> {
        if let Some(text) = given {
            return Ok(Some(Self { key: key(text)?, source: Source::Given }));
        }
        let choice = desk.choice()?;
        let pinned = choice.known.and_then(|known| known.ledger);
        pinned.map(|pinned| Self::pinned(&pinned, &choice.profile)).transpose()
    }

    pub(crate) fn pinned(pinned: &Pinned, profile: &str) -> Result<Self, Failure> {
        let source = Source::Pinned { profile: profile.to_owned(), since: pinned.pinned_at.to_string() };
        Ok(Self { key: key(&pinned.key)?, source })
    }

    /// As [`Self::find`]; where nothing is known, the key that came along.
    pub(crate) fn or_of_server(desk: &Desk<'_>, given: Option<&str>, shown: &str) -> Result<Self, Failure> {
        match Self::find(desk, given)? {
            Some(believed) => Ok(believed),
            None => Ok(Self { key: key(shown)?, source: Source::Server }),
        }
    }

    /// As [`Self::pinned`], where no profile keeps it.
    pub(crate) fn at_sign_in(pinned: &Pinned) -> Result<Self, Failure> {
        Ok(Self { key: key(&pinned.key)?, source: Source::SignIn { since: pinned.pinned_at.to_string() } })
    }

    /// Size and root of a checkpoint that the key signed.
    pub(crate) fn open(&self, note: &str) -> Result<Checkpoint, Failure> {
        let note = Note::parse(note).map_err(|error| Failure::NotVerified(error.to_string()))?;
        let opened = Checkpoint::open(&note, self.key.name(), &self.key);
        opened.map(|(checkpoint, _)| checkpoint).map_err(|error| {
            let whose = self.source.words();
            Failure::NotVerified(format!("{error} (held against {whose})"))
        })
    }

    /// That a fact stands in the log, by the proof that came with it.
    pub(crate) fn check_fact(&self, id: &str, proof: &FactProof) -> Result<Checkpoint, Failure> {
        let entry = hash(&proof.entry)?;
        if let Some(clear) = &proof.clear {
            check_clear(id, clear, proof.private.as_deref(), &entry)?;
        }
        let checkpoint = self.open(&proof.checkpoint)?;
        if checkpoint.size != proof.tree_size {
            return Err(Failure::NotVerified("the proof is for another checkpoint".to_owned()));
        }
        let path = proof.path.iter().map(|text| hash(text)).collect::<Result<Vec<_>, _>>()?;
        verify_inclusion(&leaf_hash(&entry), proof.seq, checkpoint.size, &path, &checkpoint.root)
            .map_err(|error| Failure::NotVerified(format!("{id}: {error}")))?;
        Ok(checkpoint)
    }
}

impl Source {
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Given => "the key given with --key".to_owned(),
            Self::Pinned { profile, since } => format!("the key pinned in profile {profile} on {since}"),
            Self::SignIn { since } => format!("the key pinned at sign-in, {since}"),
            Self::Server => "the server's own key, which nobody pinned".to_owned(),
        }
    }
}

/// The texts are those that were hashed, and they are about this fact.
fn check_clear(id: &str, clear: &str, private: Option<&str>, entry: &Hash) -> Result<(), Failure> {
    let broken = |what: &str| Failure::NotVerified(format!("{id}: {what}"));
    if evidence::entry(clear.as_bytes()) != *entry {
        return Err(broken("the clear part is not what was recorded"));
    }
    let head: ClearHead<'_> =
        serde_json::from_str(clear).map_err(|_| broken("the clear part is not one of ours"))?;
    if head.id != id {
        return Err(broken("the proof is about another fact"));
    }
    match private {
        Some(private) if hex::encode(crypto::hash::sha256(private.as_bytes())) != head.private_hash => {
            Err(broken("the private part is not what was recorded"))
        }
        _ => Ok(()),
    }
}

/// The server's key and newest checkpoint, as soon as there is one.
pub(crate) async fn newest_checkpoint(client: &Client) -> Result<SignedCheckpoint, Failure> {
    let mut left = PATIENCE;
    loop {
        match client.audit().checkpoint().await {
            Err(error) if left > 0 && !error.is_unreachable() && is_not_yet(&error) => {
                tokio::time::sleep(LOOK_AGAIN).await;
                left -= 1;
            }
            answer => return Ok(answer?),
        }
    }
}

/// The proof of a fact, as soon as a checkpoint covers it.
pub(crate) async fn proof_of(client: &Client, fact: &str) -> Result<FactProof, Failure> {
    let mut left = PATIENCE;
    loop {
        match client.audit().get(fact).await?.proof {
            Some(proof) => return Ok(proof),
            None if left == 0 => {
                return Err(Failure::NotVerified(format!(
                    "{fact} is under no checkpoint yet; ask again in a moment"
                )));
            }
            None => tokio::time::sleep(LOOK_AGAIN).await,
        }
        left -= 1;
    }
}

fn is_not_yet(error: &client::Error) -> bool {
    matches!(error.status(), Some(404 | 409 | 503))
}

/// What a profile believes from now on. The checkpoint must be signed by the key that came with it.
pub(crate) fn pin(shown: &SignedCheckpoint, world: &World) -> Result<Pinned, Failure> {
    let believed = Believed { key: key(&shown.key)?, source: Source::Server };
    believed.open(&shown.note)?;
    Ok(Pinned { key: shown.key.clone(), pinned_at: world.now(), checkpoint: shown.note.clone() })
}

/// That the log only grew since the checkpoint that the profile kept; gives the newest one.
pub(crate) async fn check_growth(
    client: &Client,
    believed: &Believed,
    kept: &str,
) -> Result<Growth, Failure> {
    let (old, newest) = (believed.open(kept)?, newest_checkpoint(client).await?);
    let new = believed.open(&newest.note)?;
    let path = if (1..new.size).contains(&old.size) {
        let proof = client.audit().prove_consistency(old.size, new.size).await?;
        proof.path.iter().map(|text| hash(text)).collect::<Result<Vec<_>, _>>()?
    } else {
        Vec::new()
    };
    continues(&old, &new, &path)?;
    Ok(Growth { from: old.size, to: new.size, note: newest.note })
}

fn continues(old: &Checkpoint, new: &Checkpoint, path: &[Hash]) -> Result<(), Failure> {
    if old.size > new.size {
        let text =
            format!("the log was {} facts long, and is {} now: its end was cut off", old.size, new.size);
        return Err(Failure::NotVerified(text));
    }
    verify_consistency(old.size, &old.root, new.size, &new.root, path).map_err(|_| {
        let text = format!("the log was rewritten since this profile saw its first {} facts", old.size);
        Failure::NotVerified(text)
    })
}

/// From one checkpoint to the next.
pub(crate) struct Growth {
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) note: String,
}

pub(crate) fn key(text: &str) -> Result<VerifierKey, Failure> {
    text.trim().parse().map_err(|error| Failure::usage(format!("The verifier key cannot be used: {error}.")))
}

fn hash(text: &str) -> Result<Hash, Failure> {
    let mut hash = [0; 32];
    hex::decode_to_slice(text, &mut hash)
        .map_err(|_| Failure::NotVerified("the proof holds something that is no hash".to_owned()))?;
    Ok(hash)
}

#[cfg(test)]
mod tests {
    use crypto::hash::sha256;
    use crypto::jws::{Algorithm, SigningKey};
    use merkle::{NoteSigner, node_hash};

    use super::*;

    const CLEAR: &str = r#"{"actor_kind":"user","id":"evt_00000000000000000000000007","kind":"agent.created","occurred_at":"2025-11-01T12:26:40.007Z","org":"org_00000000000000000000000008","org_seq":1,"outcome":"success","private_hash":"PRIVATE","severity":"notice","v":1}"#;
    const ID: &str = "evt_00000000000000000000000007";
    const PRIVATE: &str = r#"{"actor":"Owner","salt":"00"}"#;

    fn signer() -> NoteSigner {
        NoteSigner::new("safeconduct/test", SigningKey::generate(Algorithm::EdDSA).unwrap()).unwrap()
    }

    /// A log of two leaves, the second of which is the fact.
    fn proof(signer: &NoteSigner) -> FactProof {
        let clear = CLEAR.replace("PRIVATE", &hex::encode(sha256(PRIVATE.as_bytes())));
        let entry = evidence::entry(clear.as_bytes());
        let (first, second) = (leaf_hash(b"first"), leaf_hash(&entry));
        let origin = signer.verifier().name().to_owned();
        let checkpoint = Checkpoint { origin, size: 2, root: node_hash(&first, &second) };
        FactProof {
            seq: 1,
            clear: Some(clear),
            private: Some(PRIVATE.to_owned()),
            entry: hex::encode(entry),
            leaf_hash: hex::encode(second),
            tree_size: 2,
            path: vec![hex::encode(first)],
            checkpoint: checkpoint.sign(signer).unwrap().to_string(),
            key: signer.verifier().to_string(),
        }
    }

    fn check(believed: &Believed, proof: &FactProof) -> Result<u64, String> {
        believed.check_fact(ID, proof).map(|checkpoint| checkpoint.size).map_err(|failure| failure.lines().0)
    }

    #[test]
    fn a_proof_holds_only_as_it_is_and_only_under_the_key_that_is_believed() {
        let signer = signer();
        let believed = Believed { key: signer.verifier().clone(), source: Source::Given };
        let proof = proof(&signer);
        assert_eq!(check(&believed, &proof), Ok(2));

        type Tamper = fn(&mut FactProof);
        let tampers: [(&str, Tamper); 7] = [
            ("clear part is not", |proof| {
                *proof.clear.as_mut().unwrap() = CLEAR.replace("success", "failure")
            }),
            ("private part is not", |proof| proof.private = Some(PRIVATE.replace("Owner", "Nobody"))),
            ("does not lead to the root", |proof| proof.path[0] = "00".repeat(32)),
            ("does not lead to the root", |proof| {
                proof.clear = None;
                proof.entry = "11".repeat(32);
            }),
            ("another checkpoint", |proof| proof.tree_size = 3),
            ("no hash", |proof| proof.path[0] = "short".into()),
            ("was changed", |proof| proof.checkpoint = proof.checkpoint.replacen("\n2\n", "\n3\n", 1)),
        ];
        for (reason, tamper) in tampers {
            let mut changed = proof.clone();
            tamper(&mut changed);
            let failure = check(&believed, &changed).unwrap_err();
            assert!(failure.contains(reason), "{reason}: {failure}");
        }
        assert!(
            believed.check_fact("evt_00000000000000000000000008", &proof).is_err(),
            "another fact's proof"
        );
        let stranger = Believed { key: self::signer().verifier().clone(), source: Source::Given };
        assert!(
            check(&stranger, &proof).unwrap_err().contains("--key"),
            "a key of the same name is not the same key"
        );
    }

    #[test]
    fn only_a_checkpoint_of_the_shown_key_is_pinned() {
        let signer = signer();
        let proof = proof(&signer);
        let shown = SignedCheckpoint { note: proof.checkpoint.clone(), key: proof.key.clone() };
        assert_eq!(pin(&shown, &World::system()).ok().unwrap().key, proof.key);
        let other = SignedCheckpoint { key: self::signer().verifier().to_string(), ..shown };
        assert!(pin(&other, &World::system()).is_err());
    }

    #[test]
    fn a_log_may_grow_and_nothing_else() {
        let leaves = [leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"x")];
        let log = |size, root| Checkpoint { origin: "safeconduct/test".into(), size, root };
        let (one, two) = (log(1, leaves[0]), log(2, node_hash(&leaves[0], &leaves[1])));
        let rewritten = log(2, node_hash(&leaves[2], &leaves[1]));
        let outcome =
            |old, new, path: &[Hash]| continues(old, new, path).map_err(|failure| failure.lines().0);
        assert_eq!(outcome(&one, &two, &leaves[1..2]), Ok(()));
        assert_eq!(outcome(&two, &two, &[]), Ok(()));
        assert!(outcome(&two, &one, &[]).unwrap_err().contains("cut off"));
        for (new, path) in [(&rewritten, &leaves[1..2]), (&two, &leaves[2..]), (&two, &[])] {
            assert!(outcome(&one, new, path).unwrap_err().contains("rewritten"));
        }
        assert!(outcome(&two, &rewritten, &[]).unwrap_err().contains("rewritten"));
    }
}
