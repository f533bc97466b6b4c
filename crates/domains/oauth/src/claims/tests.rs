//! Claims that are read back, and those that are not.

use serde_json::{Value, json};
use types::World;

use super::*;

/// An agent's token of a moment ago.
pub(crate) fn claims(world: &World) -> Claims {
    let (agent, now): (AgentId, _) = (world.id(), world.now().seconds());
    Claims {
        iss: "https://sc.example".into(),
        sub: PrincipalId::Agent(agent),
        sub_type: SubjectType::Agent,
        aud: "https://sc.example/api".into(),
        client_id: Client::Agent(agent),
        iat: now,
        nbf: now,
        exp: now + 600,
        jti: world.id(),
        scope: "agents:read:all".into(),
        org: world.id(),
        rev: 7,
        crd: Some(world.id()),
        sid: None,
        key: None,
        run: None,
        fence: None,
        txn: world.id(),
        act: None,
    }
}

fn value() -> Value {
    serde_json::to_value(claims(&World::system())).unwrap()
}

fn reads(value: &Value) -> bool {
    Claims::read(&serde_json::to_vec(value).unwrap()).is_ok()
}

#[test]
fn reads_what_it_writes() {
    let world = World::system();
    let function: FunctionId = world.id();
    let (author, agent) = (PrincipalId::User(world.id()), PrincipalId::Agent(world.id()));
    let mut claims = claims(&world);
    claims.act = Some(Act::by_function(function, Some(author), Some(Act::by(agent, None))));
    claims.run = Some(world.id());
    let bytes = serde_json::to_vec(&claims).unwrap();
    let again = Claims::read(&bytes).unwrap();
    assert_eq!(again, claims);
    let chain: Vec<ActorId> = again.chain().map(|act| act.sub).collect();
    assert_eq!(chain, [ActorId::Function(function), ActorId::Principal(agent)], "outermost first");
    assert_eq!(again.principals(), [again.sub, author, agent]);
    let written: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(written["act"]["act"], json!({ "sub": agent.to_string() }));
    assert_eq!(written["act"]["author"], json!(author.to_string()));
}

#[test]
fn refuses_what_it_would_not_write() {
    assert!(reads(&value()));
    for (name, other) in [
        ("sub", json!("fn_01h455vb4pex5vsknk084sn02q")),
        ("sub_type", json!("user")),
        ("sub_type", json!("client")),
        ("aud", json!(["https://sc.example/api"])),
        ("aud", json!(["https://sc.example/api", "https://other.example"])),
        ("client_id", json!("usr_01h455vb4pex5vsknk084sn02q")),
        ("exp", json!(1)),
        ("exp", json!("soon")),
        ("exp", json!(4e9)),
        ("jti", json!("")),
        ("rev", json!(null)),
        ("cnf", json!({"jkt": "x"})),
        ("authorization_details", json!([])),
    ] {
        let mut value = value();
        value[name] = other.clone();
        assert!(!reads(&value), "{name}: {other}");
    }
    for name in [
        "iss",
        "sub",
        "sub_type",
        "aud",
        "client_id",
        "iat",
        "nbf",
        "exp",
        "jti",
        "scope",
        "org",
        "rev",
        "txn",
    ] {
        let mut value = value();
        value.as_object_mut().unwrap().remove(name);
        assert!(!reads(&value), "without {name}");
    }
    assert!(Claims::read(br#"{"iss":"a","iss":"b"}"#).is_err());
}

#[test]
fn a_chain_has_a_depth() {
    let world = World::system();
    for (length, fits) in [(DEEPEST, true), (DEEPEST + 1, false)] {
        let author = Some(PrincipalId::User(world.id()));
        let act = (0..length).fold(None, |inner, _| Some(Act::by_function(world.id(), author, inner)));
        let claims = Claims { act, ..claims(&world) };
        assert_eq!(Claims::read(&serde_json::to_vec(&claims).unwrap()).is_ok(), fits, "{length}");
    }
}

#[test]
fn a_function_that_may_do_something_has_an_author_who_answers_for_it() {
    let world = World::system();
    let act = Some(Act::by_function(world.id(), None, None));
    for (scope, fits) in [("", true), ("agents:read:all", false)] {
        let claims = Claims { act: act.clone(), scope: scope.into(), ..claims(&world) };
        assert_eq!(Claims::read(&serde_json::to_vec(&claims).unwrap()).is_ok(), fits, "{scope:?}");
    }
}

#[test]
fn dies_with_everything_it_stands_on() {
    let world = World::system();
    let (agent, user, author): (AgentId, types::UserId, types::UserId) = (world.id(), world.id(), world.id());
    let actor = PrincipalId::Agent(agent);
    let claims = Claims {
        sub: PrincipalId::User(user),
        sub_type: SubjectType::User,
        client_id: first_party(),
        sid: Some(world.id()),
        key: Some(world.id()),
        act: Some(Act::by_function(world.id(), Some(PrincipalId::User(author)), Some(Act::by(actor, None)))),
        ..claims(&world)
    };
    let kin = claims.kin();
    let kinds: Vec<_> = kin.iter().map(|kin| kin.kind).collect();
    assert_eq!(
        kinds,
        ["org", "user", "user", "agent", "token", "client", "credential", "session", "api_key"]
    );
    assert!(kin.contains(&Kin { kind: "agent", key: agent.uuid() }));
    assert!(kin.contains(&Kin { kind: "user", key: author.uuid() }));
    assert!(kin.contains(&Kin { kind: "user", key: user.uuid() }));
}
