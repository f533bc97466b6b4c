//! Checkpoints and signed notes: ours read by signed_note and tlog_tiles, theirs by us, and forgeries by nobody.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crypto::jws::{Algorithm, SigningKey};
use merkle::{
    Checkpoint, CheckpointError, KeyKind, Note, NoteError, NoteSignature, NoteSigner, VerifierKey,
    VerifierKeyError,
};
use proptest::prelude::*;
use safeconduct_merkle as merkle;
use signed_note::{Signer, StandardSigner, StandardVerifier, Verifier, VerifierList};

const ORIGIN: &str = "safeconduct.example/log";
/// RFC 8032 §7.1, test 1.
const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";

fn key(seed: &str) -> SigningKey {
    let der = hex::decode(format!("302e020100300506032b657004220420{seed}")).unwrap();
    SigningKey::from_pkcs8(Algorithm::EdDSA, &der).unwrap()
}

fn signer(name: &str) -> NoteSigner {
    NoteSigner::new(name, key(SEED)).unwrap()
}

fn checkpoint() -> Checkpoint {
    Checkpoint { origin: ORIGIN.to_owned(), size: 20_852_163, root: merkle::leaf_hash(b"root") }
}

/// The same private key in the form of signed_note.
fn their_signer(name: &str) -> StandardSigner {
    let id = u32::from_be_bytes(signer(name).verifier().id());
    let key = [&[1][..], &hex::decode(SEED).unwrap()].concat();
    StandardSigner::new(&format!("PRIVATE+KEY+{name}+{id:08x}+{}", STANDARD.encode(key))).unwrap()
}

/// A witness's line over the text, as C2SP tlog-cosignature has it.
fn cosigned(note: &Note, seconds: u64) -> (VerifierKey, NoteSignature) {
    let witness = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let crypto::jwk::PublicKey::Ed25519 { x } = witness.public().key else { unreachable!("an Ed25519 key") };
    let key = VerifierKey::new("witness.example/w1", KeyKind::Cosignature, x).unwrap();
    let signature = witness.sign(format!("cosignature/v1\ntime {seconds}\n{}", note.text()).as_bytes());
    let signature = [&seconds.to_be_bytes()[..], &signature].concat();
    (key.clone(), NoteSignature { name: key.name().to_owned(), key_id: key.id(), signature })
}

#[test]
fn a_signed_checkpoint_reads_back() {
    let signer = signer(ORIGIN);
    let note = checkpoint().sign(&signer).unwrap().to_string();
    let parsed = Note::parse(&note).unwrap();
    assert_eq!(parsed.to_string(), note);
    let (opened, verified) = Checkpoint::open(&parsed, ORIGIN, signer.verifier()).unwrap();
    assert_eq!((opened, verified.at), (checkpoint(), None));
    let other = Checkpoint::open(&parsed, "other.example/log", signer.verifier());
    assert!(matches!(other, Err(CheckpointError::Origin { .. })));
    let stranger = merkle::NoteSigner::new(ORIGIN, SigningKey::generate(Algorithm::EdDSA).unwrap()).unwrap();
    let unsigned = CheckpointError::Note(NoteError::Unsigned(ORIGIN.to_owned()));
    assert_eq!(Checkpoint::open(&parsed, ORIGIN, stranger.verifier()), Err(unsigned));
}

#[test]
fn signed_note_and_tlog_tiles_read_our_checkpoints() {
    let signer = signer(ORIGIN);
    let bytes = checkpoint().sign(&signer).unwrap().to_string();
    let note = signed_note::Note::from_bytes(bytes.as_bytes()).unwrap();
    let verifier = StandardVerifier::new(&signer.verifier().to_string()).unwrap();
    assert_eq!(verifier.key_id().to_be_bytes(), signer.verifier().id());
    let (verified, _) = note.verify(&VerifierList::new(vec![Box::new(verifier)])).unwrap();
    assert_eq!(verified.len(), 1);
    let read = tlog_tiles::Checkpoint::from_bytes(note.text()).unwrap();
    assert_eq!((read.origin(), read.size(), read.hash().0), (ORIGIN, checkpoint().size, checkpoint().root));
}

#[test]
fn we_read_what_signed_note_signs() {
    let theirs = their_signer(ORIGIN);
    let text =
        tlog_tiles::Checkpoint::new(ORIGIN, 7, tlog_tiles::Hash([3; 32]), "extension\n").unwrap().to_bytes();
    let mut note = signed_note::Note::new(&text, &[]).unwrap();
    note.add_sigs(&[&theirs]).unwrap();
    let bytes = String::from_utf8(note.to_bytes()).unwrap();
    let parsed = Note::parse(&bytes).unwrap();
    let (opened, _) = Checkpoint::open(&parsed, ORIGIN, signer(ORIGIN).verifier()).unwrap();
    assert_eq!(opened, Checkpoint { origin: ORIGIN.to_owned(), size: 7, root: [3; 32] });
    assert_eq!(parsed.to_string(), bytes);
    assert_eq!(theirs.key_id().to_be_bytes(), signer(ORIGIN).verifier().id());
}

#[test]
fn a_cosignature_is_kept_and_verifies_with_its_time() {
    let mut note = checkpoint().sign(&signer(ORIGIN)).unwrap();
    let (witness, line) = cosigned(&note, 1_679_315_147);
    note.add(line.clone());
    note.add(line.clone());
    let parsed = Note::parse(&note.to_string()).unwrap();
    assert_eq!(parsed.signatures().len(), 2, "one line per key");
    let (_, verified) = Checkpoint::open(&parsed, ORIGIN, &witness).unwrap();
    assert_eq!(verified.at.unwrap().to_string(), "2023-03-20T12:25:47.000Z");
    assert!(parsed.verify(signer(ORIGIN).verifier()).is_ok());
    assert_eq!(line.to_string().parse::<NoteSignature>(), Ok(line.clone()));

    let mut shifted = line;
    shifted.signature[7] ^= 1;
    note.add(shifted);
    assert_eq!(note.verify(&witness), Err(NoteError::Forged("witness.example/w1".to_owned())));
    // A log's signature is no cosignature, though key and name be the same.
    let public = hex::decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a").unwrap();
    let same = VerifierKey::new(ORIGIN, KeyKind::Cosignature, public.try_into().unwrap()).unwrap();
    assert_eq!(note.verify(&same), Err(NoteError::Unsigned(ORIGIN.to_owned())));
}

#[test]
fn one_forged_line_under_a_known_key_spoils_the_note() {
    let signer = signer(ORIGIN);
    let good = checkpoint().sign(&signer).unwrap();
    let mut forged = good.signatures()[0].clone();
    forged.signature[0] ^= 1;
    for lines in
        [format!("{good}{forged}\n"), format!("{}\n{forged}\n{}\n", good.text(), good.signatures()[0])]
    {
        let note = Note::parse(&lines).unwrap();
        assert_eq!(note.verify(signer.verifier()), Err(NoteError::Forged(ORIGIN.to_owned())));
    }
}

#[test]
fn verifier_keys_have_one_form() {
    let key = signer(ORIGIN).verifier().clone();
    let text = key.to_string();
    assert_eq!(text.parse::<VerifierKey>().unwrap().to_string(), text);
    let refused = |text: &str| text.parse::<VerifierKey>().err();
    let (name, rest) = text.split_once('+').unwrap();
    let (id, public) = rest.split_once('+').unwrap();
    assert_eq!(refused(&format!("{name}x+{id}+{public}")), Some(VerifierKeyError::Id));
    assert_eq!(refused(&format!("{name}+{}+{public}", id.to_uppercase())), Some(VerifierKeyError::Id));
    assert_eq!(refused(&format!("{name}+0+{public}")), Some(VerifierKeyError::Id));
    assert_eq!(refused(&format!("+{id}+{public}")), Some(VerifierKeyError::Name));
    assert_eq!(refused(&format!("{name}+{id}+{}", &public[4..])), Some(VerifierKeyError::Kind));
    assert_eq!(refused(&format!("{name}+{id}+{}", &public[..40])), Some(VerifierKeyError::Form));
    assert_eq!(refused(name), Some(VerifierKeyError::Form));
    assert_eq!(NoteSigner::new("a b", self::key(SEED)).err(), Some(VerifierKeyError::Name));
    let wrong = SigningKey::generate(Algorithm::ES256).unwrap();
    assert_eq!(NoteSigner::new(ORIGIN, wrong).err(), Some(VerifierKeyError::Kind));
    assert_eq!(VerifierKey::new("x", KeyKind::Ed25519, [0; 32]).err(), Some(VerifierKeyError::Point));
}

#[test]
fn checkpoints_have_one_form() {
    let root = STANDARD.encode([7; 32]);
    assert!(Checkpoint::parse(&format!("a b+c\n0\n{root}\n")).is_ok());
    for text in [
        format!("a\n07\n{root}\n"),
        format!("a\n+7\n{root}\n"),
        format!("a\n18446744073709551616\n{root}\n"),
        format!("\n7\n{root}\n"),
        format!("a\n7\n{root}"),
        format!("a\n7\n{root}\n\n"),
        format!("a\n7\n{}\n", &root[4..]),
        "a\n7\n".to_owned(),
        String::new(),
    ] {
        assert_eq!(Checkpoint::parse(&text), Err(CheckpointError::Form), "{text:?}");
    }
}

#[test]
fn notes_have_one_form() {
    let line = "— a AAAAAAA=";
    assert!(Note::parse(&format!("text\n\nwith an empty line\n\n{line}\n")).is_ok());
    for note in [
        format!("text\n{line}\n"),
        format!("text\n\n{line}"),
        format!("text\n\n{line}\n\n"),
        format!("te\txt\n\n{line}\n"),
        format!("text\r\n\n{line}\n"),
        "text\n\n".to_owned(),
        "text\n\n\n".to_owned(),
        "text\n\n- a AAAAAAA=\n".to_owned(),
        "text\n\n— a+b AAAAAAA=\n".to_owned(),
        "text\n\n— a AAAA\n".to_owned(),
        "text\n\n— a  AAAAAAA=\n".to_owned(),
        format!("text\n\n{}", format!("{line}\n").repeat(65)),
        format!("{}\n\n{line}\n", "x".repeat(300_000)),
    ] {
        assert_eq!(Note::parse(&note).err(), Some(NoteError::Form), "{note:.60}");
    }
    assert_eq!(Note::new("no newline").err(), Some(NoteError::Form));
}

proptest! {
    #[test]
    fn any_flipped_byte_of_a_signed_checkpoint_is_refused(at: prop::sample::Index, mask in 1_u8..=255) {
        let signer = signer(ORIGIN);
        let mut bytes = checkpoint().sign(&signer).unwrap().to_string().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= mask;
        let note = String::from_utf8(bytes).ok().and_then(|text| Note::parse(&text).ok());
        let opened = note.and_then(|note| Checkpoint::open(&note, ORIGIN, signer.verifier()).ok());
        prop_assert_eq!(opened, None);
    }

    #[test]
    fn parsing_foreign_text_is_total(text in "\\PC{0,80}", lines in "(a\n|\n|— a AAAAAAA=\n|[0-9]{1,21}\n|[A-Za-z+/=]{0,44}\n){0,8}") {
        for text in [&text, &lines] {
            if let Ok(note) = Note::parse(text) {
                prop_assert_eq!(&note.to_string(), text);
            }
            let _ = Checkpoint::parse(text);
            let _ = text.parse::<NoteSignature>();
            let _ = text.parse::<VerifierKey>();
        }
    }

    #[test]
    fn we_and_signed_note_take_the_same_notes(text in "([a-z +—]{0,4}\n){0,4}", line in "— [a+ ]{0,2} [A-Za-z0-9+/=]{0,12}\n") {
        let note = format!("{text}\n{line}");
        let theirs = signed_note::Note::from_bytes(note.as_bytes());
        prop_assert_eq!(Note::parse(&note).is_ok(), theirs.is_ok());
    }
}
