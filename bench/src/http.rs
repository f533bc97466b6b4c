//! HTTP/1.1 as far as a generator of load needs it: requests made beforehand, answers with a length, one connection.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A whole request, ready to be sent as often as wanted.
#[derive(Clone)]
pub(crate) struct Request(Vec<u8>);

pub(crate) fn get(path: &str) -> Request {
    Request(format!("GET {path} HTTP/1.1\r\nhost: bench\r\n\r\n").into_bytes())
}

pub(crate) fn get_as(proof: &str, path: &str) -> Request {
    Request(format!("GET {path} HTTP/1.1\r\nhost: bench\r\nauthorization: {proof}\r\n\r\n").into_bytes())
}

pub(crate) fn post(path: &str, kind: &str, authorization: Option<&str>, body: &str) -> Request {
    let proof = authorization.map(|proof| format!("authorization: {proof}\r\n")).unwrap_or_default();
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nhost: bench\r\nuser-agent: safeconduct-bench\r\n");
    Request(
        format!("{head}{proof}content-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes(),
    )
}

/// JSON with headers of one's own.
pub(crate) fn post_with(path: &str, headers: &[(&str, &str)], body: &str) -> Request {
    let mut head = format!("POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let length = body.len();
    Request(format!("{head}content-length: {length}\r\n\r\n{body}").into_bytes())
}

pub(crate) fn form(path: &str, authorization: &str, body: &str) -> Request {
    post(path, "application/x-www-form-urlencoded", Some(authorization), body)
}

pub(crate) fn basic(client: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{client}:{secret}")))
}

pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// Status and place of the body in the connection's buffer.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(8192) })
    }

    pub(crate) async fn ask(&mut self, request: &Request) -> Result<Answer<'_>> {
        self.stream.write_all(&request.0).await?;
        self.buffer.clear();
        let (head, length) = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break (end + 4, length(&self.buffer[..end])?);
            }
            self.more().await?;
        };
        while self.buffer.len() < head + length {
            self.more().await?;
        }
        let status = std::str::from_utf8(self.buffer.get(9..12).context("a short answer")?)?.parse()?;
        Ok(Answer { status, body: &self.buffer[head..head + length] })
    }

    /// The JSON body of a successful answer.
    pub(crate) async fn json(&mut self, request: &Request) -> Result<Value> {
        let answer = self.ask(request).await?;
        if !(200..300).contains(&answer.status) {
            bail!("{}: {}", answer.status, String::from_utf8_lossy(answer.body));
        }
        Ok(serde_json::from_slice(answer.body)?)
    }

    async fn more(&mut self) -> Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            bail!("the server closed the connection");
        }
        Ok(())
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

fn length(head: &[u8]) -> Result<usize> {
    let head = std::str::from_utf8(head)?;
    let line = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim())
    });
    line.context("an answer without length")?.parse().context("the answer's length")
}
