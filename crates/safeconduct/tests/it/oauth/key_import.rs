//! `safeconduct keys import`: the real program, beside a running server and without one.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crypto::jws::{Algorithm, SigningKey};
use serde_json::json;
use testing::{Engine as Database, TestDatabase};

use super::papers::{Papers, parts, text};
use crate::support::{PROGRAM, Process, Start};

/// 1024 bits, PKCS#8.
const WEAK: &str = include_str!("weak_rsa.pem");
/// RFC 7518, appendix C: a curve that nobody signs with here.
const OTHER_CURVE: &str = r#"{"kty":"EC","crv":"P-384","x":"AA","y":"AA","d":"AA"}"#;

fn start(database: &TestDatabase) -> Start {
    let mut start = Start::in_directory(database.directory());
    if database.engine() == Database::Postgres {
        for (key, role) in [("url", "app"), ("system_url", "system"), ("owner_url", "owner")] {
            let url = database.url(&format!("safeconduct_{role}")).unwrap();
            start = start.set(&format!("database.{key}"), url);
        }
    }
    start
}

fn file(directory: &Path, name: &str, contents: impl AsRef<[u8]>, mode: u32) -> PathBuf {
    let path = directory.join(name);
    std::fs::write(&path, contents).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path
}

fn pem(key: &SigningKey) -> String {
    let digits = STANDARD.encode(key.to_pkcs8().reveal());
    format!("-----BEGIN PRIVATE KEY-----\n{digits}\n-----END PRIVATE KEY-----\n")
}

fn import(start: &Start, file: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.env_clear().args(["keys", "import"]).arg(file).arg("--data-dir").arg(&start.directory).args(more);
    for (key, value) in &start.settings {
        command.arg("--set").arg(format!("{key}={value}"));
    }
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

async fn signs(process: &Process, papers: &Papers) -> String {
    let token = text(&papers.ask(&process.anonymous(), &[]).await.ok(200), "access_token");
    text(&parts(&token).0, "kid")
}

testing::on_both_databases! {
    async fn a_key_of_ones_own_signs_at_once_and_after_a_restart(database: TestDatabase) {
        let (start, keys) = (start(&database), tempfile::tempdir().unwrap());
        let process = start.run().unwrap();
        let owner = process.owner(&start.directory).await;
        let papers = Papers::of(&owner, "worker", &[]).await;
        let before = signs(&process, &papers).await;
        let first = SigningKey::generate(Algorithm::ES256).unwrap();
        let path = file(keys.path(), "first.pem", pem(&first), 0o600);
        let answer = said(&import(&start, &path, &[]));
        assert!(answer.contains(first.kid()) && answer.contains("from now on"), "{answer}");
        assert_eq!(signs(&process, &papers).await, first.kid());
        let published = process.anonymous().get("/.well-known/jwks.json").await.ok(200).to_string();
        assert!(published.contains(&before), "the key before it is still believed");
        let again = said(&import(&start, &path, &[]));
        assert!(again.contains("is here already, and active"), "{again}");
        let listed = owner.get("/api/v1/signing-keys").await.ok(200);
        let own = listed["items"].as_array().unwrap().iter().find(|key| key["kid"] == first.kid()).unwrap();
        assert_eq!((&own["source"], &own["status"]), (&json!("imported"), &json!("active")));
        let facts = database.tamper().await.number("SELECT count(*) FROM facts WHERE kind = 'key.created'").await;
        assert_eq!(facts, 3, "two of the server's own, one imported");
        assert_eq!(process.stop(), Some(0));
        // With no server there the program does it itself.
        let second = SigningKey::generate(Algorithm::ES256).unwrap();
        let path = file(keys.path(), "second.der", second.to_pkcs8().reveal(), 0o400);
        said(&import(&start, &path, &[]));
        let process = start.run().unwrap();
        assert_eq!(signs(&process, &papers).await, second.kid());
        assert_eq!(process.stop(), Some(0));
    }

    async fn what_cannot_sign_is_refused_and_changes_nothing(database: TestDatabase) {
        let (start, keys) = (start(&database), tempfile::tempdir().unwrap());
        let process = start.run().unwrap();
        let papers = Papers::of(&process.owner(&start.directory).await, "worker", &[]).await;
        let before = signs(&process, &papers).await;
        let good = SigningKey::generate(Algorithm::ES256).unwrap();
        let edwards = SigningKey::generate(Algorithm::EdDSA).unwrap();
        let path = |name: &str, contents: &str, mode| file(keys.path(), name, contents, mode);
        let good_path = path("good.pem", &pem(&good), 0o600);
        for (file, more, reason) in [
            (path("weak.pem", WEAK, 0o600), &[][..], "2048"),
            (path("curve.jwk", OTHER_CURVE, 0o600), &[], "only EC P-256"),
            (path("public.jwk", &serde_json::to_string(good.public()).unwrap(), 0o600), &[], "lacks `d`"),
            (path("open.pem", &pem(&good), 0o644), &[], "chmod 600"),
            (path("other.pem", &pem(&edwards), 0o600), &[], "tokens.signing_algorithm is ES256"),
            (keys.path().join("none"), &[], "No such file"),
            (good_path, &["--org", "nowhere"], "no organization"),
        ] {
            let output = import(&start, &file, more);
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(!output.status.success() && errors.contains(reason), "{}: {errors}", file.display());
        }
        assert_eq!(signs(&process, &papers).await, before);
        let keys = database.tamper().await.number("SELECT count(*) FROM signing_keys").await;
        assert_eq!(keys, 2);
        assert_eq!(process.stop(), Some(0));
    }
}

/// Of every kind that may sign, by JWK or PKCS#8.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_algorithm_can_be_brought_along() {
    for algorithm in Algorithm::ALL {
        let database = TestDatabase::sqlite();
        let start = start(&database).set("tokens.signing_algorithm", algorithm.name());
        let keys = tempfile::tempdir().unwrap();
        let key = SigningKey::generate(algorithm).unwrap();
        said(&import(&start, &file(keys.path(), "key.pem", pem(&key), 0o600), &[]));
        let process = start.run().unwrap();
        let papers = Papers::of(&process.owner(&start.directory).await, "worker", &[]).await;
        assert_eq!(signs(&process, &papers).await, key.kid());
        assert_eq!(process.stop(), Some(0));
    }
}
