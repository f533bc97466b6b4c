//! WebAuthn (Level 2) as a relying party that asks for no attestation: what a browser must be asked, and whether its answer
//! holds. User verification is always required, so that a passkey is two factors in one.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto::cose::{ALGORITHMS, Cbor, CoseKey};
use crypto::hash::sha256;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use types::{Id, UserId};

/// Whose passkeys they are: the host of `public_url`.
#[derive(Clone, Debug)]
pub(crate) struct Party {
    pub(crate) id: String,
    origin: String,
}

/// What the authenticator made.
pub(crate) struct Registered {
    pub(crate) credential: Vec<u8>,
    /// COSE, as it came.
    pub(crate) public_key: Vec<u8>,
    pub(crate) counter: u32,
}

/// An answer that was verified.
pub(crate) struct Shown {
    pub(crate) counter: u32,
}

/// §5.8.1
#[derive(Deserialize)]
struct ClientData {
    r#type: String,
    challenge: String,
    origin: String,
    #[serde(default, rename = "crossOrigin")]
    cross_origin: bool,
}

/// §6.1, taken apart.
struct AuthenticatorData<'a> {
    flags: u8,
    counter: u32,
    rest: &'a [u8],
}

const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 1 << 2;
const HAS_CREDENTIAL: u8 = 1 << 6;
/// §4: at most 1023 bytes.
const LONGEST_ID: usize = 1023;
const TIMEOUT_MILLIS: u32 = 300_000;

impl Party {
    pub(crate) fn of(public_url: &str) -> Self {
        let mut parts = public_url.splitn(4, '/');
        let (scheme, authority) = (parts.next().unwrap_or_default(), parts.nth(1).unwrap_or_default());
        let host =
            authority.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        Self {
            id: host.map_or(authority, |(host, _)| host).to_owned(),
            origin: format!("{scheme}//{authority}"),
        }
    }

    /// Browsers know passkeys of names, not of addresses.
    pub(crate) fn is_name(&self) -> bool {
        self.id.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_err()
    }

    pub(crate) fn creation(&self, challenge: &str, user: UserId, name: &str, known: &[Vec<u8>]) -> Value {
        let algorithms: Vec<Value> =
            ALGORITHMS.iter().map(|alg| json!({ "type": "public-key", "alg": alg })).collect();
        let known: Vec<Value> = known
            .iter()
            .map(|id| json!({ "type": "public-key", "id": URL_SAFE_NO_PAD.encode(id) }))
            .collect();
        json!({
            "challenge": challenge,
            "rp": { "id": self.id, "name": "Safeconduct" },
            "user": { "id": URL_SAFE_NO_PAD.encode(user.uuid().as_bytes()), "name": name, "displayName": name },
            "pubKeyCredParams": algorithms,
            "excludeCredentials": known,
            "authenticatorSelection": { "residentKey": "required", "requireResidentKey": true, "userVerification": "required" },
            "attestation": "none",
            "timeout": TIMEOUT_MILLIS,
        })
    }

    pub(crate) fn request(&self, challenge: &str) -> Value {
        json!({
            "challenge": challenge,
            "rpId": self.id,
            // None named: the authenticator offers those it has for us, and nobody learns who has one.
            "allowCredentials": [],
            "userVerification": "required",
            "timeout": TIMEOUT_MILLIS,
        })
    }

    /// §7.1, without attestation.
    pub(crate) fn check_creation(
        &self,
        challenge: &str,
        credential: &Map<String, Value>,
    ) -> Option<Registered> {
        let response = credential.get("response")?.as_object()?;
        self.check_client_data(response, "webauthn.create", challenge)?;
        let object = decode(response, "attestationObject")?;
        let (object, rest) = Cbor::read(&object)?;
        let bytes = object.get("authData")?.bytes().filter(|_| rest.is_empty())?;
        let data = self.check_authenticator(bytes)?;
        if data.flags & HAS_CREDENTIAL == 0 {
            return None;
        }
        // AAGUID, length of the id, id, key.
        let (_, rest) = data.rest.split_at_checked(16)?;
        let (length, rest) = rest.split_at_checked(2)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        let (id, rest) = rest.split_at_checked(length)?;
        let (key, after) = Cbor::read(rest)?;
        CoseKey::of(&key)?;
        let public_key = rest[..rest.len() - after.len()].to_vec();
        let sane = !id.is_empty() && id.len() <= LONGEST_ID;
        sane.then(|| Registered { credential: id.to_vec(), public_key, counter: data.counter })
    }

    /// §7.2.
    pub(crate) fn check_answer(
        &self,
        challenge: &str,
        credential: &Map<String, Value>,
        public_key: &[u8],
        user: UserId,
    ) -> Option<Shown> {
        let response = credential.get("response")?.as_object()?;
        let client_data = self.check_client_data(response, "webauthn.get", challenge)?;
        let bytes = decode(response, "authenticatorData")?;
        let data = self.check_authenticator(&bytes)?;
        if decode(response, "userHandle")? != user.uuid().as_bytes() {
            return None;
        }
        let (key, _) = Cbor::read(public_key)?;
        let signed = [bytes.as_slice(), &sha256(&client_data)].concat();
        let holds = CoseKey::of(&key)?.verify(&signed, &decode(response, "signature")?);
        holds.then_some(Shown { counter: data.counter })
    }

    fn check_client_data(
        &self,
        response: &Map<String, Value>,
        kind: &str,
        challenge: &str,
    ) -> Option<Vec<u8>> {
        let bytes = decode(response, "clientDataJSON")?;
        let data: ClientData = serde_json::from_slice(&bytes).ok()?;
        let ours = data.r#type == kind
            && crypto::eq(data.challenge.as_bytes(), challenge.as_bytes())
            && data.origin == self.origin
            && !data.cross_origin;
        ours.then_some(bytes)
    }

    fn check_authenticator<'a>(&self, bytes: &'a [u8]) -> Option<AuthenticatorData<'a>> {
        let (party, rest) = bytes.split_at_checked(32)?;
        let (head, rest) = rest.split_at_checked(5)?;
        let flags = head[0];
        let counter = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
        let needed = USER_PRESENT | USER_VERIFIED;
        let ours = party == sha256(self.id.as_bytes()) && flags & needed == needed;
        ours.then_some(AuthenticatorData { flags, counter, rest })
    }
}

/// The id of the credential that an answer names.
pub(crate) fn credential_id(credential: &Map<String, Value>) -> Option<Vec<u8>> {
    decode(credential, "rawId").or_else(|| decode(credential, "id")).filter(|id| id.len() <= LONGEST_ID)
}

fn decode(members: &Map<String, Value>, name: &str) -> Option<Vec<u8>> {
    let text = members.get(name)?.as_str().filter(|text| text.len() <= 16 * 1024)?;
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_party_is_the_host_and_the_origin_has_the_port() {
        for (url, id, origin, is_name) in [
            ("https://papers.example", "papers.example", "https://papers.example", true),
            ("https://papers.example:8443/under", "papers.example", "https://papers.example:8443", true),
            ("http://localhost:7717", "localhost", "http://localhost:7717", true),
            ("http://127.0.0.1:7717", "127.0.0.1", "http://127.0.0.1:7717", false),
            ("http://[::1]:7717", "[::1]", "http://[::1]:7717", false),
        ] {
            let party = Party::of(url);
            assert_eq!((party.id.as_str(), party.origin.as_str(), party.is_name()), (id, origin, is_name));
        }
    }
}
