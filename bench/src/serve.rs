//! The server's binary as a child on a core of its own, with agents that have papers.

use std::cell::OnceCell;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::Settings;
use crate::cpu::Cores;
use crate::http::{Connection, basic, form, get, post};
use crate::postgres::Postgres;

pub(crate) struct Served {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) operations: SocketAddr,
    /// The owner's link, which works once.
    link: String,
    owner: OnceCell<String>,
}

/// A registered agent's way to show itself.
pub(crate) struct Papers {
    pub(crate) id: String,
    pub(crate) basic: String,
}

/// What the server has counted since it started.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    /// COMMITs of the embedded database.
    pub(crate) batches: f64,
}

impl Served {
    pub(crate) fn start(
        settings: &Settings,
        cores: &Cores,
        data: &Path,
        postgres: Option<&Postgres>,
    ) -> Result<Self> {
        let mut command = Command::new(binary(settings)?);
        command.arg("serve").arg("--data-dir").arg(data);
        let lifted = ["limits.tokens=0", "limits.reads=0", "limits.writes=0", "limits.sign_ins=0"];
        let ports = ["server.listen=127.0.0.1:0", "server.operations_listen=127.0.0.1:0"];
        let database = postgres.map(Postgres::settings).unwrap_or_default();
        let all = lifted.iter().chain(&ports).map(ToString::to_string).chain(database);
        for pair in all.chain(settings.set.iter().cloned()) {
            command.arg("--set").arg(pair);
        }
        // The log goes to a file, as it would in earnest.
        let log = std::fs::File::create(data.join("bench.log"))?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = cores.on_servers(|| command.spawn().context("the server does not start"))?;
        let greeting = BufReader::new(child.stdout.take().context("no output")?);
        let (mut address, mut operations, mut link) = (None, None, None);
        for line in greeting.lines() {
            let line = line?;
            if let Some((_, url)) = line.split_once("listens on http://") {
                address = url.trim().parse().ok();
            } else if let Some((_, url)) = line.split_once("health    http://") {
                operations = url.split('/').next().and_then(|text| text.parse().ok());
            } else if line.trim().starts_with("http://") && line.contains('#') {
                link = Some(line.trim().to_owned());
                break;
            }
        }
        let log = data.join("bench.log");
        let said = || format!("the server did not say where it is; see {}", log.display());
        Ok(Self {
            child,
            address: address.with_context(said)?,
            operations: operations.with_context(said)?,
            link: link.with_context(said)?,
            owner: OnceCell::new(),
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The owner's `Authorization`.
    pub(crate) async fn owner(&self) -> Result<String> {
        if let Some(owner) = self.owner.get() {
            return Ok(owner.clone());
        }
        let token = owner(self.address, &self.link).await?;
        Ok(self.owner.get_or_init(|| format!("Bearer {token}")).clone())
    }

    /// Registers agents, each with a secret.
    pub(crate) async fn agents(&self, count: usize, permissions: &[&str]) -> Result<Vec<Papers>> {
        let mut connection = Connection::open(self.address).await?;
        let owner = self.owner().await?;
        let mut all = Vec::with_capacity(count);
        for number in 0..count {
            let body = json!({ "name": format!("agent-{number}"), "permissions": permissions });
            let agent = connection.json(&post_json("/api/v1/agents", Some(&owner), &body)).await?;
            let id = text(&agent, "id")?;
            let body = json!({ "kind": "secret", "label": "bench" });
            let path = format!("/api/v1/agents/{id}/credentials");
            let made = connection.json(&post_json(&path, Some(&owner), &body)).await?;
            let basic = basic(&id, &text(&made, "client_secret")?);
            all.push(Papers { id, basic });
        }
        Ok(all)
    }

    pub(crate) async fn counts(&self) -> Result<Counts> {
        let mut connection = Connection::open(self.operations).await?;
        let answer = connection.ask(&get("/metrics")).await?;
        let metrics = String::from_utf8_lossy(answer.body);
        let value = |name: &str| {
            let line = metrics.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().parse().ok()
        };
        Ok(Counts { batches: value("safeconduct_db_batch_jobs_count").unwrap_or(0.0) })
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // Gone already is as good.
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.child.wait();
    }
}

/// The owner's token, for his link.
pub(crate) async fn owner(address: SocketAddr, link: &str) -> Result<String> {
    let (_, token) = link.split_once('#').context("a link without token")?;
    let request = post_json("/api/v1/auth/link/token", None, &json!({ "token": token }));
    text(&Connection::open(address).await?.json(&request).await?, "access_token")
}

/// A token for the agent with all its rights.
pub(crate) async fn token(connection: &mut Connection, papers: &Papers) -> Result<String> {
    let request = form("/oauth2/token", &papers.basic, "grant_type=client_credentials");
    text(&connection.json(&request).await?, "access_token")
}

pub(crate) fn binary(settings: &Settings) -> Result<PathBuf> {
    let beside = std::env::current_exe()?.with_file_name("safeconduct");
    let binary = settings.server.clone().unwrap_or(beside);
    anyhow::ensure!(
        binary.exists(),
        "{} is missing; build it: cargo build --release -p safeconduct",
        binary.display()
    );
    Ok(binary)
}

fn post_json(path: &str, authorization: Option<&str>, body: &serde_json::Value) -> crate::http::Request {
    post(path, "application/json", authorization, &body.to_string())
}

fn text(value: &serde_json::Value, name: &str) -> Result<String> {
    Ok(value[name].as_str().with_context(|| format!("no {name} in {value}"))?.to_owned())
}
