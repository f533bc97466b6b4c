//! Passkeys, with an authenticator of the test's own.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto::hash::sha256;
use serde_json::{Value, json};
use testing::TestDatabase;

use super::{Desk, with_cookie};
use crate::support::{Answer, Caller};

/// Holds one passkey; counts.
pub(crate) struct Authenticator {
    key: EcdsaKeyPair,
    id: Vec<u8>,
    user: Vec<u8>,
    pub(crate) counter: u32,
    /// Present and verified, as a rule.
    flags: u8,
}

impl Authenticator {
    pub(crate) fn new() -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
        let id = sha256(key.public_key().as_ref())[..16].to_vec();
        Self { key, id, user: Vec::new(), counter: 0, flags: 0b101 }
    }

    /// What a browser at this origin answers to creation options.
    pub(crate) fn create(&mut self, origin: &str, options: &Value) -> Value {
        self.user = decode(&options["user"]["id"]);
        let client = client_data("webauthn.create", origin, &options["challenge"]);
        let mut data = self.data(&options["rp"]["id"], self.flags | 0b100_0000);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        data.extend(self.cose());
        let length = u8::try_from(data.len()).expect("the short form");
        // {"fmt": "none", "attStmt": {}, "authData": bytes}
        let mut object = vec![0xa3, 0x63, b'f', b'm', b't', 0x64, b'n', b'o', b'n', b'e'];
        object.extend([0x67, b'a', b't', b't', b'S', b't', b'm', b't', 0xa0]);
        object.extend([0x68, b'a', b'u', b't', b'h', b'D', b'a', b't', b'a', 0x58, length]);
        object.extend(data);
        json!({ "id": encode(&self.id), "type": "public-key",
            "response": { "clientDataJSON": encode(&client), "attestationObject": encode(&object) } })
    }

    /// What it answers to request options.
    pub(crate) fn get(&mut self, origin: &str, options: &Value) -> Value {
        self.counter += 1;
        let client = client_data("webauthn.get", origin, &options["challenge"]);
        let data = self.data(&options["rpId"], self.flags);
        let signed = [data.as_slice(), &sha256(&client)].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).expect("a signature");
        json!({ "id": encode(&self.id), "type": "public-key", "response": {
            "clientDataJSON": encode(&client),
            "authenticatorData": encode(&data),
            "signature": encode(signature.as_ref()),
            "userHandle": encode(&self.user),
        } })
    }

    fn data(&self, party: &Value, flags: u8) -> Vec<u8> {
        let mut data = sha256(party.as_str().expect("an id").as_bytes()).to_vec();
        data.push(flags);
        data.extend(self.counter.to_be_bytes());
        data
    }

    /// {1: 2, 3: -7, -1: 1, -2: x, -3: y}
    fn cose(&self) -> Vec<u8> {
        let point = self.key.public_key().as_ref();
        let mut key = vec![0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
        key.extend(&point[1..33]);
        key.extend([0x22, 0x58, 0x20]);
        key.extend(&point[33..]);
        key
    }
}

fn client_data(kind: &str, origin: &str, challenge: &Value) -> Vec<u8> {
    json!({ "type": kind, "challenge": challenge, "origin": origin, "crossOrigin": false })
        .to_string()
        .into_bytes()
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text.as_str().expect("text")).expect("base64url")
}

async fn enrol(desk: &Desk, caller: &Caller) -> (Authenticator, Value) {
    let begun = caller.post("/api/v1/auth/factors/passkey", json!({})).await.ok(200);
    assert_eq!(begun["options"]["authenticatorSelection"]["userVerification"], "required");
    let mut authenticator = Authenticator::new();
    let credential = authenticator.create(&desk.server.url(), &begun["options"]);
    let body = json!({ "state": begun["state"], "credential": credential, "label": "Key ring" });
    let made = caller.post("/api/v1/auth/factors/passkey/confirm", body.clone()).await.ok(201);
    caller.post("/api/v1/auth/factors/passkey/confirm", body).await.refused(401, "sign_in_refused");
    (authenticator, made)
}

async fn begin(desk: &Desk) -> Value {
    desk.browser().post("/api/v1/auth/passkey/begin", json!({})).await.ok(200)
}

async fn login(desk: &Desk, begun: &Value, credential: Value) -> Answer {
    let body = json!({ "state": begun["state"], "input": { "credential": credential } });
    desk.browser().post("/api/v1/auth/passkey/login", body).await
}

testing::on_both_databases! {
    async fn a_passkey_signs_in_by_itself_as_two_factors(database: TestDatabase) {
        let desk = Desk::open(database).await;
        desk.provider(json!({ "name": "passkey", "kind": "passkey" })).await;
        let ada = desk.member("ada@example.com").await;
        let caller = desk.signed_in(&ada).await;
        let (mut authenticator, made) = enrol(&desk, &caller).await;
        assert_eq!((&made["factor"]["kind"], made["recovery_codes"].as_array().unwrap().len()), (&json!("passkey"), 10));
        let begun = begin(&desk).await;
        assert_eq!((&begun["next"]["do"], &begun["next"]["options"]["allowCredentials"]), (&json!("webauthn"), &json!([])));
        let credential = authenticator.get(&desk.server.url(), &begun["next"]["options"]);
        let answer = login(&desk, &begun, credential.clone()).await;
        assert_eq!(answer.ok(200)["user"]["id"], ada.id.to_string());
        // Used once.
        login(&desk, &begun, credential).await.refused(401, "sign_in_refused");
        let browser = with_cookie(&desk.server, &answer);
        let sessions = browser.get("/api/v1/auth/sessions").await.ok(200);
        assert_eq!(sessions["items"][0]["factors"], "passkey");
        browser.post("/api/v1/auth/recovery-codes", json!({})).await.ok(201);
        desk.server.finish().await;
    }
}

#[tokio::test]
async fn what_is_not_exactly_right_is_refused() {
    let desk = Desk::open(TestDatabase::sqlite()).await;
    desk.provider(json!({ "name": "passkey", "kind": "passkey" })).await;
    let ada = desk.member("ada@example.com").await;
    let caller = desk.signed_in(&ada).await;
    let (mut authenticator, _) = enrol(&desk, &caller).await;
    let url = desk.server.url();
    // Another site; another challenge; nobody verified; another key; another's handle; a copied counter; nothing at all.
    let begun = begin(&desk).await;
    let phished = authenticator.get("https://evil.example", &begun["next"]["options"]);
    login(&desk, &begun, phished).await.refused(401, "sign_in_refused");
    let (first, second) = (begin(&desk).await, begin(&desk).await);
    let crossed = authenticator.get(&url, &first["next"]["options"]);
    login(&desk, &second, crossed).await.refused(401, "sign_in_refused");
    let begun = begin(&desk).await;
    authenticator.flags = 0b001;
    let unverified = authenticator.get(&url, &begun["next"]["options"]);
    authenticator.flags = 0b101;
    login(&desk, &begun, unverified).await.refused(401, "sign_in_refused");
    let begun = begin(&desk).await;
    let mut other = Authenticator::new();
    (other.id, other.user) = (authenticator.id.clone(), authenticator.user.clone());
    let forged = other.get(&url, &begun["next"]["options"]);
    login(&desk, &begun, forged).await.refused(401, "sign_in_refused");
    let begun = begin(&desk).await;
    let mut strange = authenticator.get(&url, &begun["next"]["options"]);
    strange["response"]["userHandle"] = json!(encode(&[7; 16]));
    login(&desk, &begun, strange).await.refused(401, "sign_in_refused");
    let begun = begin(&desk).await;
    let right = authenticator.get(&url, &begun["next"]["options"]);
    login(&desk, &begun, right).await.ok(200);
    authenticator.counter -= 1;
    let begun = begin(&desk).await;
    let copied = authenticator.get(&url, &begun["next"]["options"]);
    login(&desk, &begun, copied).await.refused(401, "sign_in_refused");
    let begun = begin(&desk).await;
    login(&desk, &begun, json!({ "id": "AQ", "response": {} })).await.refused(401, "sign_in_refused");
    desk.server.finish().await;
}

#[tokio::test]
async fn a_passkey_confirms_and_is_set_up_at_our_own_origin_only() {
    let desk = Desk::open(TestDatabase::sqlite()).await;
    desk.provider(json!({ "name": "passkey", "kind": "passkey" })).await;
    let ada = desk.member("ada@example.com").await;
    let caller = desk.signed_in(&ada).await;
    let begun = caller.post("/api/v1/auth/factors/passkey", json!({})).await.ok(200);
    let credential = Authenticator::new().create("https://evil.example", &begun["options"]);
    let body = json!({ "state": begun["state"], "credential": credential });
    caller.post("/api/v1/auth/factors/passkey/confirm", body).await.refused(401, "sign_in_refused");
    let (mut authenticator, _) = enrol(&desk, &caller).await;
    desk.server.clock.advance(std::time::Duration::from_secs(301));
    let ways = caller.get("/api/v1/auth/step-up").await.ok(200);
    assert_eq!(ways["ways"], json!(["passkey", "recovery"]));
    let begun = caller.post("/api/v1/auth/step-up/begin", json!({ "way": "passkey" })).await.ok(200);
    let credential = authenticator.get(&desk.server.url(), &begun["next"]["options"]);
    // What was begun as a confirmation signs nobody in.
    login(&desk, &begun, credential.clone()).await.refused(401, "sign_in_refused");
    let proof = json!({ "way": "passkey", "state": begun["state"], "input": { "credential": credential } });
    caller.post("/api/v1/auth/step-up", proof).await.ok(200);
    desk.server.finish().await;
}
