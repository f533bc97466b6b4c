//! The clear part of a fact: what stays verifiable for ever, also when the private part is gone.

use std::fmt::{Display, Write};

use crypto::hash::sha256;
use serde::Deserialize;
use types::{CredentialId, FactId, OrgId, RequestId, RunId, Timestamp, TokenId, TxnId};

/// The clear columns of a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clear<'a> {
    pub id: FactId,
    pub org: OrgId,
    pub occurred_at: Timestamp,
    pub kind: &'a str,
    pub outcome: &'a str,
    pub severity: &'a str,
    pub actor_kind: &'a str,
    pub actor_id: Option<&'a str>,
    pub target_type: Option<&'a str>,
    pub target_id: Option<&'a str>,
    pub jti: Option<TokenId>,
    pub txn: Option<TxnId>,
    pub credential: Option<CredentialId>,
    pub run: Option<RunId>,
    pub request: Option<RequestId>,
    pub cause: Option<FactId>,
    pub private_hash: [u8; 32],
}

/// What a verifier reads of the canonical bytes, as texts: a million of them are compared, few are looked at.
#[derive(Clone, Debug, Deserialize)]
pub struct ClearHead<'a> {
    pub id: &'a str,
    pub kind: &'a str,
    pub occurred_at: &'a str,
    pub org: &'a str,
    pub org_seq: u64,
    pub private_hash: &'a str,
    pub v: u32,
}

/// The leaf's entry: what the log holds of a fact.
pub fn entry(canonical: &[u8]) -> [u8; 32] {
    sha256(canonical)
}

impl Clear<'_> {
    /// RFC 8785 of {v, org, org_seq, clear fields, private_hash}; what is absent is left out. Written directly, member by
    /// member in sorted order, because the sequencer does it for every fact.
    pub fn canonical(&self, org_seq: u64) -> Vec<u8> {
        let mut out = String::with_capacity(768);
        let mut object = Object { out: &mut out };
        object.text("actor_id", self.actor_id);
        object.text("actor_kind", Some(self.actor_kind));
        object.plain("cause", self.cause);
        object.plain("credential", self.credential);
        object.plain("id", Some(self.id));
        object.plain("jti", self.jti);
        object.text("kind", Some(self.kind));
        object.plain("occurred_at", Some(self.occurred_at));
        object.plain("org", Some(self.org));
        object.number("org_seq", org_seq);
        object.text("outcome", Some(self.outcome));
        object.plain("private_hash", Some(hex::encode(self.private_hash)));
        object.plain("request", self.request);
        object.plain("run", self.run);
        object.text("severity", Some(self.severity));
        object.text("target_id", self.target_id);
        object.text("target_type", self.target_type);
        object.plain("txn", self.txn);
        object.number("v", 1);
        out.push('}');
        out.into_bytes()
    }
}

struct Object<'a> {
    out: &'a mut String,
}

impl Object<'_> {
    fn name(&mut self, name: &str) {
        self.out.push_str(if self.out.is_empty() { "{\"" } else { ",\"" });
        self.out.push_str(name);
        self.out.push_str("\":");
    }

    /// Escaped as RFC 8785 §3.2.2.2 asks, which is what serde_json does.
    fn text(&mut self, name: &str, value: Option<&str>) {
        let Some(value) = value else { return };
        self.name(name);
        if value.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\') {
            self.out.push('"');
            self.out.push_str(value);
            self.out.push('"');
        } else {
            self.out.push_str(&serde_json::Value::from(value).to_string());
        }
    }

    /// Ids, times and hexadecimal: nothing in them is ever escaped.
    fn plain(&mut self, name: &str, value: Option<impl Display>) {
        let Some(value) = value else { return };
        self.name(name);
        // Writing to a String cannot fail.
        let _ = write!(self.out, "\"{value}\"");
    }

    fn number(&mut self, name: &str, value: u64) {
        self.name(name);
        let _ = write!(self.out, "{value}");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use types::{Id, Uuid};

    use super::*;

    fn clear<'a>(texts: &'a [Option<String>; 3], ids: Option<Uuid>) -> Clear<'a> {
        let text = |index: usize| texts[index].as_deref();
        Clear {
            id: FactId::from_uuid(Uuid::from_u128(7)),
            org: OrgId::from_uuid(Uuid::from_u128(8)),
            occurred_at: Timestamp::from_millis(1_762_000_000_007),
            kind: "agent.created",
            outcome: "success",
            severity: "notice",
            actor_kind: "user",
            actor_id: text(0),
            target_type: text(1),
            target_id: text(2),
            jti: ids.map(TokenId::from_uuid),
            txn: ids.map(TxnId::from_uuid),
            credential: ids.map(CredentialId::from_uuid),
            run: ids.map(RunId::from_uuid),
            request: ids.map(RequestId::from_uuid),
            cause: ids.map(FactId::from_uuid),
            private_hash: [0xab; 32],
        }
    }

    #[test]
    fn the_form_stays_as_published() {
        let texts = [Some("usr_1".to_owned()), None, None];
        let text = String::from_utf8(clear(&texts, None).canonical(5)).unwrap();
        let expected = format!(
            r#"{{"actor_id":"usr_1","actor_kind":"user","id":"evt_00000000000000000000000007","kind":"agent.created","occurred_at":"2025-11-01T12:26:40.007Z","org":"org_00000000000000000000000008","org_seq":5,"outcome":"success","private_hash":"{}","severity":"notice","v":1}}"#,
            "ab".repeat(32)
        );
        assert_eq!(text, expected);
    }

    proptest! {
        /// The canonicalizer of another house agrees with what is written directly.
        #[test]
        fn is_canonical_for_every_text(
            texts in prop::array::uniform3(prop::option::of(any::<String>())),
            ids in prop::option::of(any::<u128>().prop_map(Uuid::from_u128)),
            org_seq in 0_u64..1 << 53,
        ) {
            let bytes = clear(&texts, ids).canonical(org_seq);
            let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            prop_assert_eq!(crypto::jcs::to_vec(&value).unwrap(), bytes.clone());
            let head: ClearHead<'_> = serde_json::from_slice(&bytes).unwrap();
            prop_assert_eq!((head.org_seq, head.v), (org_seq, 1));
            prop_assert_eq!(head.private_hash, "ab".repeat(32));
            prop_assert_eq!(value.get("actor_id").and_then(|id| id.as_str()), texts[0].as_deref());
        }
    }
}
