//! What the machine does without us: a bare answer of the same size, a bare write of the same bytes.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::serve::ListenerExt;

use crate::cpu::Cores;
use crate::spread::Times;

/// How far the file of the bare writes is filled before it is written over: what the server's log does.
const FILE: u64 = 64 * 1024 * 1024;

/// The bare server, as a child on the server's core.
pub(crate) struct Bare {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Bare {
    pub(crate) fn start(cores: &Cores, bytes: usize) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["floor-answer", "--bytes", &bytes.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = cores.on_servers(|| Ok(command.spawn()?))?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
        Ok(Self { child, address: line.trim().parse()? })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The child: reads each body, answers `bytes` bytes of JSON's type.
pub(crate) fn answer(bytes: usize) -> Result<()> {
    let body = Bytes::from(vec![b'x'; bytes]);
    let reply = move |_: Bytes| {
        let body = body.clone();
        async move { ([("content-type", "application/json")], body) }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        let listener = listener.tap_io(|stream| {
            // Small answers must not wait for more to send.
            let _ = stream.set_nodelay(true);
        });
        let router = Router::new().fallback(reply);
        Ok(axum::serve(listener, router).await?)
    })
}

/// Writes `bytes` and waits for the disk, again and again for `time`.
pub(crate) fn syncs(directory: &Path, bytes: usize, time: Duration) -> Result<Times> {
    let path = directory.join("floor");
    let file = OpenOptions::new().create(true).truncate(true).write(true).open(&path)?;
    let block = vec![0x5a; 1024 * 1024];
    for start in (0..FILE).step_by(block.len()) {
        file.write_all_at(&block, start)?;
    }
    file.sync_all()?;
    let (block, mut at, mut times) = (vec![0xa5; bytes.max(1)], 0, Times::default());
    let end = Instant::now() + time;
    while Instant::now() < end {
        let begun = Instant::now();
        file.write_all_at(&block, at)?;
        file.sync_data()?;
        times.add(begun.elapsed());
        at = (at + block.len() as u64) % (FILE - block.len() as u64);
    }
    std::fs::remove_file(path)?;
    Ok(times)
}
