//! The kill switch's receipts.

use serde::{Deserialize, Serialize};

use crate::{Client, Error, Time};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kill {
    pub id: String,
    pub agent: String,
    pub reason: Option<String>,
    /// Tokens of an older authority revision are dead everywhere, also where a node is pending.
    pub revision: Option<i64>,
    pub requested_at: Time,
    pub confirmed_at: Option<Time>,
    pub tokens: DeadTokens,
    pub runs: u64,
    pub sessions: u64,
    pub nodes: Vec<KillNode>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadTokens {
    /// Living tokens that the answering nodes knew of.
    pub count: u64,
    /// The first hundred.
    pub jtis: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KillNode {
    pub id: String,
    /// `applied`, or `pending`: dead by revision, not yet confirmed.
    pub state: String,
    /// Milliseconds from the commit until the node was seen to have applied it.
    pub applied_ms: Option<u64>,
}

/// `client.kills()`.
#[derive(Clone, Copy)]
pub struct Kills<'a>(&'a Client);

impl Client {
    pub fn kills(&self) -> Kills<'_> {
        Kills(self)
    }
}

impl Kills<'_> {
    pub async fn get(&self, kill: &str) -> Result<Kill, Error> {
        self.0.get(&["api", "v1", "kills", kill]).answer().await
    }
}
