//! The kill switch with a receipt: the change commits first, then every node is asked what died there.

use std::time::{Duration, Instant};

use db::{Change, CommitError};
use problem::{CONFLICT, Problem};
use serde::{Deserialize, Serialize};
use serde_json::json;
use types::{AgentId, KillId, Timestamp, TokenId};
use utoipa::ToSchema;
use web::Allowance;

use crate::model::{Agent, Status};
use crate::store::{self, AgentRef};
use crate::{AgentError, Agents, facts};

/// How long the answer waits for nodes; what has not answered by then is dead by revision all the same.
const PATIENCE: Duration = Duration::from_secs(1);
const LOOK_AGAIN: Duration = Duration::from_millis(10);
const TRIES: usize = 24;

#[derive(Clone, Debug)]
pub struct Kill {
    pub id: KillId,
    pub agent: AgentId,
    pub agent_name: String,
    pub reason: Option<String>,
    pub requested_at: Timestamp,
    /// The authority revision: tokens of an older one are dead.
    pub revision: Option<i64>,
    pub receipt: Option<Receipt>,
    pub confirmed_at: Option<Timestamp>,
}

/// What died, where, and how fast.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    pub tokens: DeadTokens,
    pub runs: u64,
    pub sessions: u64,
    pub nodes: Vec<NodeReceipt>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct DeadTokens {
    /// Living tokens that the answering nodes knew of.
    pub count: u64,
    /// The first hundred.
    pub jtis: Vec<TokenId>,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct NodeReceipt {
    pub id: String,
    /// `applied`, or `pending`: dead by revision, not yet confirmed.
    pub state: NodeState,
    /// Milliseconds from the commit until the node was seen to have applied it.
    pub applied_ms: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    Applied,
    Pending,
}

impl Agents {
    /// Suspends the agent, voids everything that lives by it, and says what that was.
    pub(crate) async fn kill(
        &self,
        by: &Allowance,
        of: &AgentRef,
        reason: Option<&str>,
    ) -> Result<Kill, AgentError> {
        // In a task of its own: whoever hangs up in the middle must not take the receipt along.
        let (agents, by, of, reason) = (self.clone(), by.clone(), of.clone(), reason.map(str::to_owned));
        let killing = telemetry::spawn("kill", async move {
            let (mut kill, revision, committed) = agents.strike(&by, &of, reason.as_deref()).await?;
            let receipt = agents.collect(revision, committed).await?;
            kill.revision = Some(revision);
            agents.confirm(&by, &mut kill, receipt).await?;
            metrics::counter!("safeconduct_kills_total").increment(1);
            Ok(kill)
        });
        killing.await.map_err(|error| AgentError::Refused(Problem::internal(error)))?
    }

    /// The receipt; what is known by now, if its request was cut off in the middle.
    pub(crate) async fn kill_receipt(&self, by: &Allowance, id: KillId) -> Result<Kill, AgentError> {
        let inner = self.inner();
        let mut kill = store::kill(&inner.db, &by.scope(), id).await?.ok_or(AgentError::UnknownKill)?;
        let agent = store::find(&inner.db, &by.scope(), &AgentRef::Id(kill.agent)).await?;
        by.check(&agent.ok_or(AgentError::UnknownKill)?.object())?;
        if let (None, Some(revision)) = (&kill.receipt, kill.revision) {
            let mut receipt = Receipt::default();
            self.look(revision, None, &mut receipt).await?;
            kill.receipt = Some(receipt);
        }
        Ok(kill)
    }

    async fn strike(
        &self,
        by: &Allowance,
        of: &AgentRef,
        reason: Option<&str>,
    ) -> Result<(Kill, i64, Instant), AgentError> {
        for _ in 0..TRIES {
            let agent = self.find(by, of).await?;
            if by.caller().principal().uuid() != types::Id::uuid(agent.id) {
                by.confirmed()?;
            }
            let (kill, change) = self.mortal(by, agent, reason).await?;
            match self.inner().db.commit(change).await {
                Ok(committed) => {
                    let revision = committed.authority_revision.unwrap_or_default();
                    return Ok((kill, revision, Instant::now()));
                }
                Err(CommitError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let detail = "Others keep changing this agent. Suspend it, or try again at once.";
        Err(AgentError::Refused(Problem::new(&CONFLICT, detail)))
    }

    async fn mortal(
        &self,
        by: &Allowance,
        mut agent: Agent,
        reason: Option<&str>,
    ) -> Result<(Kill, Change), AgentError> {
        if agent.status == Status::Decommissioned {
            return Err(AgentError::Decommissioned);
        }
        // One that waits for approval goes on waiting: a kill must not be a way around it.
        if agent.status != Status::Pending {
            agent.status = Status::Suspended;
        }
        let kill = Kill {
            id: self.inner().world.id(),
            agent: agent.id,
            agent_name: agent.display_name.clone(),
            reason: reason.map(str::to_owned),
            requested_at: self.inner().world.now(),
            revision: None,
            receipt: None,
            confirmed_at: None,
        };
        let data = json!({ "kill": kill.id, "reason": reason });
        let change = self.turn(by, &mut agent, &facts::AGENT_KILLED, data).await?;
        let requested_by = by.caller().principal().to_string();
        Ok((kill.clone(), change.at_revision(store::insert_kill(&kill, by.org(), &requested_by))))
    }

    /// Waits until every node that beats has applied the revision, at most a second.
    async fn collect(&self, revision: i64, committed: Instant) -> Result<Receipt, AgentError> {
        let mut receipt = Receipt::default();
        loop {
            let elapsed = committed.elapsed();
            self.look(revision, Some(elapsed), &mut receipt).await?;
            let all_applied = receipt.nodes.iter().all(|node| node.state == NodeState::Applied);
            if all_applied || elapsed > PATIENCE {
                return Ok(receipt);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Adds what nodes have applied since the last look; `elapsed` since the commit, where that is known.
    async fn look(
        &self,
        revision: i64,
        elapsed: Option<Duration>,
        receipt: &mut Receipt,
    ) -> Result<(), AgentError> {
        let nodes = &self.inner().nodes;
        for report in nodes.reports(revision).await? {
            let id = report.node.to_string();
            let known = receipt.nodes.iter().position(|node| node.id == id);
            let at = known.unwrap_or_else(|| {
                receipt.nodes.push(NodeReceipt { id, state: NodeState::Pending, applied_ms: None });
                receipt.nodes.len() - 1
            });
            let node = &mut receipt.nodes[at];
            if report.applied && node.state == NodeState::Pending {
                node.state = NodeState::Applied;
                node.applied_ms = elapsed.and_then(|elapsed| u64::try_from(elapsed.as_millis()).ok());
                let dead = nodes.dead_on(report.node, revision).await?;
                receipt.tokens.count += dead.tokens;
                let room = 100_usize.saturating_sub(receipt.tokens.jtis.len());
                receipt.tokens.jtis.extend(dead.jtis.into_iter().take(room));
                receipt.runs += dead.runs;
                receipt.sessions += dead.sessions;
            }
        }
        Ok(())
    }

    async fn confirm(&self, by: &Allowance, kill: &mut Kill, receipt: Receipt) -> Result<(), AgentError> {
        let inner = self.inner();
        let revision = kill.revision.unwrap_or_default();
        let pending = receipt.nodes.iter().filter(|node| node.state == NodeState::Pending).count();
        let fact =
            by.fact(&facts::KILL_CONFIRMED).target("agent", kill.agent, &kill.agent_name).data(json!({
                "kill": kill.id,
                "revision": revision,
                "tokens": receipt.tokens.count,
                "runs": receipt.runs,
                "nodes": receipt.nodes.len(),
                "pending": pending,
            }));
        let now = inner.world.now();
        let text =
            serde_json::to_string(&receipt).map_err(|error| AgentError::Refused(Problem::internal(error)))?;
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?).statement(store::confirm_kill(
            by.org(),
            kill.id,
            &text,
            now,
        ));
        inner.db.commit(change).await?;
        kill.receipt = Some(receipt);
        kill.confirmed_at = Some(now);
        Ok(())
    }
}
