//! The ledger: what happened, and the proof of it.

use futures::Stream;
use reqwest::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::call::unreachable;
use crate::{Client, Error, Events, Page, Time, page};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    pub id: String,
    pub org: String,
    /// Index of the leaf in the whole log.
    pub seq: u64,
    /// Place in the organization's own order: from 1, without gaps.
    pub org_seq: u64,
    pub occurred_at: Time,
    pub kind: String,
    /// `success`, `failure` or `denied`.
    pub outcome: String,
    /// `info`, `notice`, `warning` or `critical`.
    pub severity: String,
    pub actor: FactActor,
    /// Who acted for the actor, outermost first.
    pub act: Vec<FactActor>,
    pub on_behalf_of: Option<FactActor>,
    pub target: Option<FactTarget>,
    pub jti: Option<String>,
    pub txn: Option<String>,
    pub credential: Option<String>,
    #[serde(default)]
    pub api_key: Option<String>,
    pub run: Option<String>,
    pub request: Option<String>,
    /// The fact that this one follows from.
    pub cause: Option<String>,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    /// As the kind's schema says.
    pub data: Map<String, Value>,
    /// In place of data that was too large.
    pub data_hash: Option<DataHash>,
    /// Set on facts that stand for many.
    pub repeated: Option<Repeated>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactActor {
    /// `user`, `agent`, `function`, `system` or `anonymous`.
    pub kind: String,
    pub id: Option<String>,
    pub display: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactTarget {
    #[serde(rename = "type")]
    pub kind: String,
    pub id: String,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataHash {
    pub bytes: u64,
    pub sha256: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeated {
    pub count: u64,
    pub source: String,
}

/// A fact with the proof that it stands in the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FactDetail {
    #[serde(flatten)]
    pub fact: Fact,
    /// Missing in the second before a checkpoint covers the fact.
    pub proof: Option<FactProof>,
}

/// SHA-256(`clear`) is the entry; its RFC 9162 leaf hash and `path` lead to the root in the checkpoint, a signed note that
/// `key` verifies. Believe a key that you kept, not the one that comes along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactProof {
    pub seq: u64,
    /// Canonical clear part; none where the fact was purged.
    pub clear: Option<String>,
    /// Canonical private part; its SHA-256 stands in the clear part.
    pub private: Option<String>,
    pub entry: String,
    pub leaf_hash: String,
    pub tree_size: u64,
    pub path: Vec<String>,
    pub checkpoint: String,
    pub key: String,
}

/// The newest signed checkpoint, and the key that verifies it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedCheckpoint {
    pub note: String,
    /// `<name>+<key id>+<base64>`: keep it, to verify later without trusting the server.
    pub key: String,
}

/// What the server's own check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    pub verified: bool,
    pub checked_count: u64,
    pub broken_at_event_id: Option<String>,
    pub reason: Option<String>,
    pub from: u64,
    pub to: u64,
    /// The signed checkpoint that the records were held against.
    pub checkpoint: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consistency {
    pub first: u64,
    pub second: u64,
    /// RFC 9162 §2.1.4 hashes, in hexadecimal.
    pub path: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FactKinds {
    pub items: Vec<FactKind>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FactKind {
    pub name: String,
    pub severity: String,
    pub description: String,
    /// JSON Schema of the data.
    pub schema: Value,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct FactFilter {
    /// Id of who acted.
    pub actor: Option<String>,
    /// An agent, as actor or anywhere in the chain.
    pub agent: Option<String>,
    pub kind: Option<String>,
    pub outcome: Option<String>,
    pub severity: Option<String>,
    /// Id of what was acted upon.
    pub target: Option<String>,
    pub run: Option<String>,
    pub jti: Option<String>,
    pub txn: Option<String>,
    pub ip: Option<String>,
    /// RFC 3339.
    pub from: Option<String>,
    /// RFC 3339; not included.
    pub to: Option<String>,
    /// Whole words of the actor's and the target's names.
    pub q: Option<String>,
    pub limit: Option<u32>,
    pub cursor: Option<String>,
    pub count: Option<bool>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct VerifyRange {
    /// First place of the organization's order.
    pub from: Option<u64>,
    pub to: Option<u64>,
    /// Starts behind what an earlier check found whole.
    pub incremental: Option<bool>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct ExportQuery {
    /// `jsonl`, `csv` or `bundle`.
    pub format: Option<String>,
    /// First place of the organization's order.
    pub first: Option<u64>,
    pub last: Option<u64>,
    /// Size of a checkpoint that you keep: the bundle shows that the log only grew since.
    pub since: Option<u64>,
    /// Leaves names, addresses and data out of a bundle; what is left still verifies.
    pub withhold_private: Option<bool>,
}

/// An answer that is read piece by piece.
pub struct Download(pub(crate) Response);

impl Download {
    /// The next bytes; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<bytes::Bytes>, Error> {
        let url = self.0.url().clone();
        self.0.chunk().await.map_err(|error| unreachable(&url, error))
    }
}

/// `client.audit()`.
#[derive(Clone, Copy)]
pub struct Audit<'a>(&'a Client);

impl Client {
    pub fn audit(&self) -> Audit<'_> {
        Audit(self)
    }
}

impl Audit<'_> {
    /// Newest first.
    pub async fn list(&self, filter: &FactFilter) -> Result<Page<Fact>, Error> {
        self.0.get(&path(&["events"])).query(filter).answer().await
    }

    /// Every fact that the filter lets through, newest first.
    pub fn all(&self, filter: &FactFilter) -> impl Stream<Item = Result<Fact, Error>> {
        page::all(filter.cursor.clone(), move |cursor| async move {
            self.list(&FactFilter { cursor, ..filter.clone() }).await
        })
    }

    pub async fn get(&self, fact: &str) -> Result<FactDetail, Error> {
        self.0.get(&path(&["events", fact])).answer().await
    }

    /// What an agent did, also where it acted for somebody else.
    pub async fn activity(
        &self,
        agent: &str,
        limit: Option<u32>,
        cursor: Option<&str>,
    ) -> Result<Page<Fact>, Error> {
        let filter = FactFilter { limit, cursor: cursor.map(str::to_owned), ..FactFilter::default() };
        self.0.get(&["api", "v1", "agents", agent, "activity"]).query(&filter).answer().await
    }

    /// Facts as they happen, named `fact`; from now on, or behind a place of the organization's order.
    pub fn stream(&self, after: Option<u64>) -> Events {
        let query = after.map(|after| ("after".to_owned(), after.to_string()));
        Events::new(self.0, &path(&["stream"]), query.into_iter().collect())
    }

    /// A run of the record; as a bundle it verifies without any server.
    pub async fn export(&self, query: &ExportQuery) -> Result<Download, Error> {
        self.0.get(&path(&["export"])).query(query).timeout(None).send().await.map(Download)
    }

    /// Has the server check its own record.
    pub async fn verify(&self, range: &VerifyRange) -> Result<Verification, Error> {
        self.0.get(&path(&["verify"])).query(range).timeout(None).answer().await
    }

    /// Has the server check the log of the whole instance.
    pub async fn verify_log(&self, incremental: bool) -> Result<Verification, Error> {
        let range = [("incremental", incremental)];
        self.0.get(&path(&["verify-log"])).query(&range).timeout(None).answer().await
    }

    /// A tile of hashes as C2SP tlog-tiles names it: `0/x000/067.p/12`; or of entries: `entries/000`.
    pub async fn tile(&self, tile: &str) -> Result<Download, Error> {
        let segments: Vec<&str> = ["tile"].into_iter().chain(tile.split('/')).collect();
        self.0.get(&path(&segments)).send().await.map(Download)
    }

    pub async fn checkpoint(&self) -> Result<SignedCheckpoint, Error> {
        self.0.get(&path(&["checkpoint"])).answer().await
    }

    pub async fn prove_inclusion(&self, fact: &str) -> Result<FactProof, Error> {
        self.0.get(&path(&["proof", "inclusion"])).query(&[("fact", fact)]).answer().await
    }

    /// That the log of `second` leaves continues the one of `first`.
    pub async fn prove_consistency(&self, first: u64, second: u64) -> Result<Consistency, Error> {
        let sizes = [("first", first), ("second", second)];
        self.0.get(&path(&["proof", "consistency"])).query(&sizes).answer().await
    }

    /// Every kind of fact with its meaning and the schema of its data.
    pub async fn catalogue(&self) -> Result<FactKinds, Error> {
        self.0.get(&["api", "v1", "events", "catalogue"]).answer().await
    }
}

fn path<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    [&["api", "v1", "audit"], rest].concat()
}
