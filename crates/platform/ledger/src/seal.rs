//! Turns a fact into its row: canonical bytes of the private part, their hash, the seal. On the path of every token that
//! is issued, so the canonical JSON is written directly, member by member in sorted order.

use std::fmt::Write;

use crypto::hash::sha256;
use crypto::seal::DataKey;
use db::FactRow;
use serde::Serialize;
use serde_json::{Map, Value};
use types::{FactId, Id, World};

use crate::event::place;
use crate::fact::{Actor, Fact, Origin, Repeated};
use crate::{LedgerError, Outcome};

/// Data beyond this is stored as its hash only.
const DATA_LIMIT: usize = 32 * 1024;

pub(crate) fn seal(world: &World, key: &DataKey, fact: Fact) -> Result<FactRow, LedgerError> {
    let schema = |reason: String| LedgerError::Schema { kind: fact.kind.name, reason };
    if fact.malformed {
        return Err(schema("the data is no object".into()));
    }
    fact.kind.check(&fact.data).map_err(schema)?;
    let id: FactId = world.id();
    let private = private(world, &fact);
    let uuid = id.uuid();
    let place = place(fact.org, &uuid);
    let Fact { kind, org, actor, outcome, origin, target, cause, .. } = fact;
    let (target_type, target_id) = target.map(|target| (target.kind, target.id)).unzip();
    Ok(FactRow {
        id,
        org,
        occurred_at: world.now(),
        kind: kind.name,
        outcome: Outcome::name(outcome),
        severity: kind.severity.name(),
        actor_kind: actor.kind.name(),
        actor_id: actor.id,
        target_type,
        target_id,
        jti: origin.jti.map(Id::uuid),
        txn: origin.txn.map(Id::uuid),
        credential: origin.credential.map(Id::uuid),
        run: origin.run.map(Id::uuid),
        request: origin.request.map(Id::uuid),
        cause: cause.map(Id::uuid),
        private_hash: sha256(private.as_bytes()),
        private: key.seal(world, &place, private.as_bytes()),
    })
}

/// RFC 8785 of {act, actor, api_key, data | data_hash, ip, on_behalf_of, repeated, salt, target, user_agent, v}; what is absent is
/// left out.
fn private(world: &World, fact: &Fact) -> String {
    let Origin { ip, user_agent, api_key, act, on_behalf_of, .. } = &fact.origin;
    let mut out = String::with_capacity(512);
    out.push('{');
    if !act.is_empty() {
        out.push_str("\"act\":[");
        for (index, actor) in act.iter().enumerate() {
            out.push_str(if index == 0 { "" } else { "," });
            write_actor(&mut out, actor);
        }
        out.push_str("],");
    }
    member(&mut out, "actor", &fact.actor.display);
    if let Some(key) = api_key {
        // An id has no character that JSON escapes.
        let _ = write!(out, ",\"api_key\":\"{key}\"");
    }
    write_data(&mut out, &fact.data);
    if let Some(ip) = ip {
        // An address has no character that JSON escapes.
        let _ = write!(out, ",\"ip\":\"{ip}\"");
    }
    if let Some(person) = on_behalf_of {
        out.push_str(",\"on_behalf_of\":");
        write_actor(&mut out, person);
    }
    if let Some(Repeated { count, source }) = &fact.repeated {
        let _ = write!(out, ",\"repeated\":{{\"count\":{count},");
        member(&mut out, "source", source);
        out.push('}');
    }
    out.push_str(",\"salt\":\"");
    push_hex(&mut out, &world.bytes::<32>());
    out.push('"');
    if let Some(target) = &fact.target {
        out.push(',');
        member(&mut out, "target", &target.name);
    }
    if let Some(agent) = user_agent {
        out.push(',');
        member(&mut out, "user_agent", agent);
    }
    out.push_str(",\"v\":1}");
    out
}

fn write_actor(out: &mut String, actor: &Actor) {
    out.push('{');
    member(out, "display", &actor.display);
    if let Some(id) = &actor.id {
        out.push(',');
        member(out, "id", id);
    }
    let _ = write!(out, ",\"kind\":\"{}\"}}", actor.kind);
}

fn write_data(out: &mut String, data: &Map<String, Value>) {
    if data.is_empty() {
        return;
    }
    let mut text = String::with_capacity(256);
    write_object(&mut text, data);
    if text.len() <= DATA_LIMIT {
        out.push_str(",\"data\":");
        out.push_str(&text);
        return;
    }
    let _ = write!(out, ",\"data_hash\":{{\"bytes\":{},\"sha256\":\"", text.len());
    push_hex(out, &sha256(text.as_bytes()));
    out.push_str("\"}");
}

/// The data was checked: its values are texts, integers, booleans and lists of texts, its names plain identifiers, which
/// every order of strings sorts alike.
fn write_object(out: &mut String, data: &Map<String, Value>) {
    let mut members: Vec<(&String, &Value)> = data.iter().filter(|(_, value)| !value.is_null()).collect();
    members.sort_unstable_by_key(|(name, _)| *name);
    out.push('{');
    for (index, (name, value)) in members.into_iter().enumerate() {
        out.push_str(if index == 0 { "\"" } else { ",\"" });
        out.push_str(name);
        out.push_str("\":");
        push_json(out, value);
    }
    out.push('}');
}

fn member(out: &mut String, name: &str, text: &str) {
    out.push('"');
    out.push_str(name);
    out.push_str("\":");
    push_json(out, text);
}

/// Strings are escaped as RFC 8785 §3.2.2.2 asks.
fn push_json(out: &mut String, value: &(impl Serialize + ?Sized)) {
    // Texts and checked values always have a JSON form; it is UTF-8.
    if let Ok(text) = serde_json::to_string(value) {
        out.push_str(&text);
    }
}

fn push_hex(out: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}
