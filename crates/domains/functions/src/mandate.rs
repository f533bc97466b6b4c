//! On whose authority a run stands, from the caller who asks for it; and the token that the run is given.

use std::time::Duration;

use authority::Authority;
use futures::future::BoxFuture;
use problem::Problem;
use runs::{Footing, Mandate};
use serde_json::Value;
use types::{FunctionId, OrgId, RunId, Secret, TokenId, TxnId};
use web::{Allowance, Caller, Means, PrincipalId};

/// Issues the tokens of runs. The authorization server's part, handed in at boot.
pub trait RunTokens: Send + Sync {
    /// What [`RunTokens::mint`] will want to know of the caller when its run begins, perhaps much later.
    fn on_behalf(&self, caller: &Caller) -> Result<Value, Problem>;

    /// A token for our own API: never more than the caller's rights that the function named.
    fn mint<'a>(&'a self, wanted: TokenWanted<'a>) -> BoxFuture<'a, Result<RunPass, Problem>>;
}

pub struct TokenWanted<'a> {
    pub org: OrgId,
    /// From [`RunTokens::on_behalf`].
    pub on_behalf: &'a Value,
    pub function: FunctionId,
    /// Who wrote the version that runs.
    pub author: PrincipalId,
    pub run: RunId,
    /// Of the lease that it is worked on under: its token is good for this attempt.
    pub fence: i64,
    pub permissions: &'a Authority,
    pub lifetime: Duration,
}

/// A token and what the run's fact says of it.
pub struct RunPass {
    pub token: Secret<String>,
    pub jti: TokenId,
    pub txn: TxnId,
    pub audience: String,
    pub scope: String,
    /// Dropped when the run is over: then the token no longer counts as living.
    pub counted: Box<dyn std::any::Any + Send + Sync>,
}

/// The caller's authority as it was when it was admitted.
pub(crate) fn mandate(by: &Allowance, tokens: &dyn RunTokens) -> Result<Mandate, Problem> {
    let (caller, origin) = (by.caller(), by.origin());
    let mut stands_on: Vec<Footing> = caller.links().map(|link| footing(link.principal)).collect();
    let (credential, session, key) = match &caller.means {
        Means::Trigger => (None, None, None),
        Means::Session { session, .. } => (None, Some(*session), None),
        Means::Token { credential, session, key, .. } => (*credential, *session, *key),
        Means::Key { key, .. } => (None, None, Some(*key)),
    };
    stands_on.extend(credential.map(|id| Footing { kind: "credential".into(), key: types::Id::uuid(id) }));
    stands_on.extend(session.map(|id| Footing { kind: "session".into(), key: types::Id::uuid(id) }));
    let trigger = caller.trigger.map(|trigger| Footing { kind: trigger.kind().into(), key: trigger.uuid() });
    stands_on.extend(trigger);
    stands_on.extend(key.map(|id| Footing { kind: "api_key".into(), key: types::Id::uuid(id) }));
    Ok(Mandate {
        actor: caller.actor(),
        subject: caller.principal().uuid(),
        chain: origin.act,
        scope: caller.scope.as_deref().cloned(),
        jti: origin.jti,
        credential: origin.credential,
        txn: origin.txn,
        request: origin.request,
        run: origin.run,
        revision: caller.revision,
        on_behalf: tokens.on_behalf(caller)?,
        stands_on,
    })
}

/// Every principal of a mandate: the subject and, where the chain has any, those who act for it.
pub(crate) fn principals(mandate: &Mandate) -> Vec<PrincipalId> {
    let of = |footing: &Footing| match footing.kind.as_str() {
        "agent" => Some(PrincipalId::Agent(types::Id::from_uuid(footing.key))),
        "user" => Some(PrincipalId::User(types::Id::from_uuid(footing.key))),
        _ => None,
    };
    mandate.stands_on.iter().filter_map(of).collect()
}

fn footing(principal: PrincipalId) -> Footing {
    Footing { kind: principal.kind().to_owned(), key: principal.uuid() }
}
