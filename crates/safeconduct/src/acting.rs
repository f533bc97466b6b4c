//! Where functions act: the launcher is started while the process is still single-threaded, the sandbox joins the house
//! later. Also hands the authorization server's run tokens to functions and the standing of principals to access, which do
//! not know them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use access::{Known, Principals};
use agents::{Agents, Status};
use config::{Config, SandboxBackend};
use functions::{RunPass, RunTokens, TokenWanted};
use futures::future::BoxFuture;
use oauth::{Oauth, OnBehalf, RunToken};
use people::People;
use problem::Problem;
use sandbox::{DoorHandler, Identity, Interpreter, Launcher, Sandbox, Settings};
use serde_json::Value;
use tokio::sync::mpsc;
use types::OrgId;
use web::{Caller, Connections, PrincipalId};

/// A launcher that waits for its server.
pub struct Jails {
    launcher: Launcher,
    settings: Settings,
}

impl Jails {
    /// Called before there is a runtime. `program` becomes the launcher; without one, this program itself. Where no jail can
    /// be had everything else works, and the reason comes back.
    pub fn prepare(config: &Config, program: Option<PathBuf>) -> Result<Option<Self>, String> {
        if config.sandbox.backend == SandboxBackend::None {
            return Ok(None);
        }
        let python = config.functions.python.clone().unwrap_or_else(|| PathBuf::from("python3"));
        let interpreter = Interpreter::discover(Path::new(&python)).map_err(|error| error.to_string())?;
        let range = &config.sandbox.uid_range;
        let identity = Identity::detect(range.first, range.last - range.first + 1);
        let mut settings = Settings::new(interpreter, identity);
        if let Some(program) = program {
            settings.launcher = program;
        }
        let launcher = Launcher::start(&settings).map_err(|error| error.to_string())?;
        Ok(Some(Self { launcher, settings }))
    }

    /// The sandbox, and the connections that its functions make to our own API.
    pub(crate) fn open(self) -> (Sandbox, Connections) {
        let (knocks, connections) = mpsc::channel(256);
        let handler: DoorHandler = Arc::new(move |slot, stream| {
            let knocks = knocks.clone();
            // Nobody answers any more when the server stops.
            Box::pin(async move { drop(knocks.send((slot.number(), stream)).await) })
        });
        (Sandbox::new(self.launcher, self.settings, handler), connections)
    }
}

/// The authorization server as functions see it.
pub(crate) struct TokensOfRuns(pub(crate) Oauth);

impl RunTokens for TokensOfRuns {
    fn on_behalf(&self, caller: &Caller) -> Result<Value, Problem> {
        serde_json::to_value(OnBehalf::of(caller)).map_err(Problem::internal)
    }

    fn mint<'a>(&'a self, wanted: TokenWanted<'a>) -> BoxFuture<'a, Result<RunPass, Problem>> {
        Box::pin(async move {
            let on_behalf: OnBehalf =
                serde_json::from_value(wanted.on_behalf.clone()).map_err(Problem::internal)?;
            let minted = self.0.mint_for_run(RunToken {
                org: wanted.org,
                on_behalf: &on_behalf,
                function: wanted.function,
                author: wanted.author,
                run: wanted.run,
                fence: wanted.fence,
                permissions: wanted.permissions,
                lifetime: wanted.lifetime,
            });
            let minted = minted.await?;
            Ok(RunPass {
                token: minted.token,
                jti: minted.jti,
                txn: minted.txn,
                audience: minted.audience.to_string(),
                scope: minted.scope.to_string(),
                counted: Box::new(minted.counted),
            })
        })
    }
}

/// People and agents as access sees them.
pub(crate) struct Standings {
    pub(crate) people: People,
    pub(crate) agents: Agents,
    /// Of people's API keys.
    pub(crate) mark: &'static str,
}

impl Principals for Standings {
    fn known(&self, org: OrgId, principal: PrincipalId) -> BoxFuture<'_, Result<Option<Known>, Problem>> {
        Box::pin(async move {
            let settings = self.people.settings(org).await?;
            Ok(match principal {
                PrincipalId::User(id) => {
                    let person = self.people.member(org, id).await?;
                    person.map(|person| Known {
                        display: person.display_name,
                        active: person.active,
                        mark: self.mark,
                        responsible: None,
                        longest_key: settings.longest_key(self.mark),
                    })
                }
                PrincipalId::Agent(id) => {
                    let standing = self.agents.standing_now(id).await?;
                    let ours = standing.filter(|one| one.org == org && one.status != Status::Decommissioned);
                    ours.map(|one| Known {
                        display: one.display.to_string(),
                        active: one.status == Status::Active,
                        mark: one.env.mark(),
                        responsible: Some(one.owner.uuid()),
                        longest_key: settings.longest_key(one.env.mark()),
                    })
                }
            })
        })
    }
}
