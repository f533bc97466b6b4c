//! A PostgreSQL of one's own that waits for its disk (`scripts/postgres.sh --durable`), with our three roles.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tokio_postgres::NoTls;

use crate::Settings;
use crate::serve::binary;

pub(crate) struct Postgres {
    directory: PathBuf,
    url: String,
    pid: u32,
    settings: Vec<String>,
}

/// What PostgreSQL has counted.
#[derive(Clone, Copy, Default)]
pub(crate) struct WalCounts {
    pub(crate) bytes: f64,
    pub(crate) syncs: f64,
}

impl Postgres {
    pub(crate) fn start(settings: &Settings, directory: &Path) -> Result<Self> {
        // It may run as another user, who has to find its way here.
        std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755))?;
        let directory = directory.join("postgres");
        let said = script(&["start", &directory.display().to_string(), "--durable"])?;
        let value = |name: &str| {
            let line = said.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            line.map(str::to_owned).with_context(|| format!("scripts/postgres.sh gave no {name}"))
        };
        let (url, pid) = (value("url")?, value("pid")?.parse()?);
        let init = Command::new(binary(settings)?).args(["db", "init", "--admin-url"]).arg(&url).output()?;
        ensure!(init.status.success(), "db init: {}", String::from_utf8_lossy(&init.stderr));
        let lines = String::from_utf8(init.stdout)?;
        let pair = |line: &str| {
            let (key, value) = line.split_once(" = ")?;
            Some(format!("database.{key}={}", value.trim_matches('"')))
        };
        let settings = lines.lines().filter_map(pair).collect();
        Ok(Self { directory, url, pid, settings })
    }

    /// For `--set` of the server.
    pub(crate) fn settings(&self) -> Vec<String> {
        self.settings.clone()
    }

    /// With the password of who may do anything.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The process that all others of it are children of.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    pub(crate) async fn wal(&self) -> Result<WalCounts> {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await?;
        let query = async {
            let text = "SELECT wal_bytes::float8, wal_sync::float8 FROM pg_stat_wal";
            let row = client.query_one(text, &[]).await?;
            Ok(WalCounts { bytes: row.try_get(0)?, syncs: row.try_get(1)? })
        };
        tokio::select! {
            counts = query => counts,
            ended = connection => Err(ended.err().map_or_else(|| anyhow::anyhow!("closed"), Into::into)),
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Err(error) = script(&["stop", &self.directory.display().to_string()]) {
            eprintln!("{error:#}");
        }
    }
}

fn script(arguments: &[&str]) -> Result<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/postgres.sh");
    let output = Command::new(script).args(arguments).output()?;
    ensure!(output.status.success(), "scripts/postgres.sh: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}
