//! Bundles that hold, and every way we could think of to make one that should not. Each is also read by the Python
//! verifier, which shares no line with ours.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod log;

use std::io::Write;
use std::process::Command;

use evidence::{BundleError, Problem, Report, Trust, verify_bundle};
use log::{Log, LoggedFact, org};
use merkle::Checkpoint;
use proptest::prelude::*;
use safeconduct_evidence as evidence;

fn check(log: &Log, bundle: &[u8]) -> Result<Report, BundleError> {
    verify_bundle(bundle, &Trust { key: log.signer.verifier(), origin: None, checkpoint: None })
}

/// The Python verifier's answer.
fn python(log: &Log, bundle: &[u8]) -> Result<serde_json::Value, String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bundle).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verify_bundle.py");
    let key = log.signer.verifier().to_string();
    let output = Command::new("python3").arg(script).arg(file.path()).arg(key).output().unwrap();
    if output.status.success() {
        Ok(serde_json::from_slice(&output.stdout).unwrap())
    } else {
        Err(String::from_utf8(output.stderr).unwrap())
    }
}

/// Neither verifier takes it; answers why ours did not.
fn refused(log: &Log, bundle: &[u8]) -> BundleError {
    let theirs = python(log, bundle);
    assert!(theirs.as_ref().is_err_and(|reason| reason.starts_with("refused: ")), "{theirs:?}");
    check(log, bundle).unwrap_err()
}

fn edit(bundle: &[u8], change: impl FnOnce(&mut Vec<String>)) -> Vec<u8> {
    let mut lines: Vec<String> = std::str::from_utf8(bundle).unwrap().lines().map(str::to_owned).collect();
    change(&mut lines);
    let end = lines.len() - 1;
    lines[end] = format!("end {end}");
    lines.join("\n").into_bytes().into_iter().chain(*b"\n").collect()
}

#[test]
fn a_whole_bundle_holds_and_python_reads_the_same() {
    let log = Log::new(100);
    for (first, last) in [(1, 67), (1, 1), (67, 67), (10, 40)] {
        let bundle = log.bundle(first, last);
        let report = check(&log, &bundle).unwrap();
        assert_eq!((report.first, report.last, report.records), (first, last, last - first + 1));
        assert_eq!((report.org, report.tree_size, report.grown_from), (org(true), 100, Some(50)));
        assert_eq!((report.withheld, report.erased), (0, 0));
        let theirs = python(&log, &bundle).unwrap();
        let ours = serde_json::json!({
            "org": report.org, "first": first, "last": last, "tree_size": 100, "root": hex::encode(report.root),
            "records": report.records, "withheld": 0, "erased": 0,
        });
        assert_eq!(theirs, ours);
    }
}

#[test]
fn an_edited_record_is_found() {
    let log = Log::new(30);
    let bundle = log.bundle(1, 20);
    let clear = edit(&bundle, |lines| lines[5] = lines[5].replace("\"success\"", "\"denied\""));
    assert!(matches!(refused(&log, &clear), BundleError::Root));
    let private = edit(&bundle, |lines| lines[6] = lines[6].replace("Ada", "Eve"));
    let found = refused(&log, &private);
    assert!(
        matches!(found, BundleError::Broken { line: 7, event: Some(_), problem: Problem::Private }),
        "{found}"
    );
}

#[test]
fn omission_is_found_wherever_it_is() {
    let log = Log::new(30);
    let whole = log.mine(1, 20);
    for gap in 1..19 {
        let mut run = whole.clone();
        run.remove(gap);
        let problem = refused(&log, &log.bundle_of(&run, &[], &[]));
        assert!(matches!(problem, BundleError::Broken { problem: Problem::Gap, .. }), "{gap}: {problem}");
    }
    // Hidden behind a stub that no purge explains.
    let stub = log.bundle_of(&whole, &[7], &[]);
    assert!(matches!(refused(&log, &stub), BundleError::Unexplained(7)));
    // Left out of the file, but not of the proof.
    let cut = edit(&log.bundle(1, 20), |lines| drop(lines.drain(lines.len() - 12..lines.len() - 10)));
    refused(&log, &cut);
}

#[test]
fn moved_inserted_and_foreign_records_are_found() {
    let log = Log::new(30);
    let mut swapped = log.mine(1, 20);
    swapped.swap(4, 5);
    refused(&log, &log.bundle_of(&swapped, &[], &[]));

    let mut inserted = log.mine(1, 19);
    inserted.push(LoggedFact { org_seq: 20, ..forged(&log) });
    assert!(matches!(refused(&log, &log.bundle_of(&inserted, &[], &[])), BundleError::Root));

    let mut foreign = log.mine(1, 2);
    foreign.push(log.facts[2].clone());
    let problem = refused(&log, &log.bundle_of(&foreign, &[], &[]));
    assert!(matches!(problem, BundleError::Broken { problem: Problem::Organization, .. }), "{problem}");
}

/// In the right place with the right number, but never logged.
fn forged(log: &Log) -> LoggedFact {
    let real = log.mine(20, 20).remove(0);
    let clear = String::from_utf8(real.clear.clone()).unwrap().replace("usr_1", "usr_2");
    LoggedFact { clear: clear.into_bytes(), ..real }
}

#[test]
fn erased_records_need_a_purge_that_names_them() {
    let mut log = Log::new(30);
    log.purge(3, 6);
    let whole = log.mine(1, 21);
    let report = check(&log, &log.bundle_of(&whole, &[3, 4, 5, 6], &[])).unwrap();
    assert_eq!((report.records, report.erased), (17, 4));
    assert!(matches!(refused(&log, &log.bundle_of(&whole, &[3, 7], &[])), BundleError::Unexplained(7)));

    // The purge stands behind the run.
    let (run, purge) = (log.mine(1, 10), log.mine(21, 21));
    let beside = log.bundle_of(&run, &[3, 4, 5, 6], &purge);
    assert_eq!(check(&log, &beside).unwrap().erased, 4);
    assert_eq!(python(&log, &beside).unwrap()["erased"], 4);
    assert!(matches!(refused(&log, &log.bundle_of(&run, &[3], &[])), BundleError::Unexplained(3)));
    let widened = edit(&beside, |lines| {
        let line = lines.iter_mut().find(|line| line.contains("\"last\":6")).unwrap();
        *line = line.replace("\"last\":6", "\"last\":9");
    });
    refused(&log, &widened);
    // Any other record outside the run is refused.
    let stranger = log.bundle_of(&run, &[], &log.mine(12, 12));
    refused(&log, &stranger);
}

#[test]
fn a_withheld_private_part_still_proves_the_rest() {
    let log = Log::new(9);
    let bundle = edit(&log.bundle(1, 6), |lines| drop(lines.remove(6)));
    let report = check(&log, &bundle).unwrap();
    assert_eq!((report.records, report.withheld), (5, 1));
    assert_eq!(python(&log, &bundle).unwrap()["withheld"], 1);
}

#[test]
fn a_rewritten_log_does_not_fit_the_checkpoint_that_was_kept() {
    let log = Log::new(40);
    let against = |log: &Log, bundle: &[u8], kept: &Checkpoint| {
        verify_bundle(bundle, &Trust { key: log.signer.verifier(), origin: None, checkpoint: Some(kept) })
    };
    let (bundle, kept) = (log.bundle(1, 20), log.checkpoint(20));
    assert_eq!(against(&log, &bundle, &kept).unwrap().grown_from, Some(20));
    assert!(against(&log, &bundle, &log.checkpoint(40)).is_ok());
    // A kept checkpoint that the bundle does not speak of is not vouched for.
    assert!(matches!(against(&log, &bundle, &log.checkpoint(21)), Err(BundleError::Rewritten(21))));

    // Another history of the same length, signed all the same.
    let mut rewritten = Log::new(5);
    for index in 5..40 {
        rewritten.add(index % 3 != 2, "agent.deleted", "{}");
    }
    let forged = rewritten.bundle(1, 20);
    assert!(check(&rewritten, &forged).is_ok());
    assert!(matches!(against(&rewritten, &forged, &kept), Err(BundleError::Rewritten(20))));

    // An earlier checkpoint that is not the beginning of the newest.
    let mixed = edit(&bundle, |lines| {
        let earlier = lines.iter_mut().find(|line| line.starts_with("earlier ")).unwrap();
        let note = log.checkpoint(19).sign(&log.signer).unwrap().to_string();
        *earlier = format!("earlier {}", serde_json::Value::from(note));
    });
    assert!(matches!(refused(&log, &mixed), BundleError::Rewritten(19)));
}

#[test]
fn another_log_s_key_opens_nothing() {
    let (log, other) = (Log::new(9), Log::new(9));
    assert!(matches!(refused(&other, &log.bundle(1, 6)), BundleError::Checkpoint(_)));
}

#[test]
fn a_cut_bundle_is_refused_at_every_line() {
    let log = Log::new(9);
    let bundle = log.bundle(1, 6);
    for end in (0..bundle.len()).filter(|end| *end == 0 || bundle[end - 1] == b'\n') {
        let cut = check(&log, &bundle[..end]);
        assert!(matches!(cut, Err(BundleError::Cut)), "{end}: {cut:?}");
    }
}

#[test]
fn no_changed_bit_passes() {
    let log = Log::new(6);
    let bundle = log.bundle(1, 4);
    assert!(check(&log, &bundle).is_ok());
    for bit in 0..bundle.len() * 8 {
        let mut changed = bundle.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        if let Ok(report) = check(&log, &changed) {
            panic!("bit {bit} of {:?} makes no difference: {report:?}", bundle[bit / 8] as char);
        }
    }
}

proptest! {
    #[test]
    fn reading_foreign_bytes_is_total(
        lines in prop::collection::vec((any::<prop::sample::Index>(), ".{0,40}"), 0..20),
    ) {
        const WORDS: [&str; 11] = [
            "safeconduct-bundle/1", "org", "first", "record", "private", "erased", "purge", "node", "checkpoint",
            "earlier", "end",
        ];
        let log = Log::new(3);
        let text: String =
            lines.iter().map(|(word, rest)| format!("{} {rest}\n", WORDS[word.index(WORDS.len())])).collect();
        prop_assert!(check(&log, text.as_bytes()).is_err());
    }
}
