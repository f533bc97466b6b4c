//! One server, one question.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;
use types::World;

use crate::DnsError;
use crate::message::{Answer, answer, question};

/// How long one try waits.
const PATIENCE: Duration = Duration::from_secs(2);
const TRIES: usize = 2;
/// What fits without EDNS; larger answers come over TCP.
const DATAGRAM: usize = 4096;

pub(crate) async fn txt(server: SocketAddr, name: &str, world: &World) -> Result<Vec<String>, DnsError> {
    let mut last = DnsError::Silent(format!("{server} is silent"));
    for _ in 0..TRIES {
        // A fresh number and port each time: whoever would answer in the server's place must guess both.
        let id = u16::from_be_bytes(world.bytes());
        let question = question(id, name)?;
        let first = match timeout(PATIENCE, over_udp(server, &question, id, name)).await {
            Ok(first) => first,
            Err(_) => continue,
        };
        match first {
            Ok(Answer::Texts(texts)) => return Ok(texts),
            Ok(_) => {
                return match timeout(PATIENCE, over_tcp(server, &question, id, name)).await {
                    Ok(texts) => texts,
                    Err(_) => Err(last),
                };
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn over_udp(server: SocketAddr, question: &[u8], id: u16, name: &str) -> Result<Answer, DnsError> {
    let silent = |error: io::Error| DnsError::Silent(format!("{server}: {error}"));
    let here: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(here).await.map_err(silent)?;
    // Connected: datagrams of anybody else do not arrive.
    socket.connect(server).await.map_err(silent)?;
    socket.send(question).await.map_err(silent)?;
    let mut bytes = [0; DATAGRAM];
    loop {
        let length = socket.recv(&mut bytes).await.map_err(silent)?;
        match answer(&bytes[..length], id, name)? {
            Answer::Foreign => {}
            answer => return Ok(answer),
        }
    }
}

/// RFC 1035 §4.2.2: each message behind its length.
async fn over_tcp(server: SocketAddr, question: &[u8], id: u16, name: &str) -> Result<Vec<String>, DnsError> {
    let silent = |error: io::Error| DnsError::Silent(format!("{server}: {error}"));
    let mut stream = TcpStream::connect(server).await.map_err(silent)?;
    let length = u16::try_from(question.len()).map_err(|_| DnsError::Name(name.to_owned()))?;
    stream.write_all(&[&length.to_be_bytes()[..], question].concat()).await.map_err(silent)?;
    let length = stream.read_u16().await.map_err(silent)?;
    let mut bytes = vec![0; length.into()];
    stream.read_exact(&mut bytes).await.map_err(silent)?;
    match answer(&bytes, id, name)? {
        Answer::Texts(texts) => Ok(texts),
        Answer::Truncated | Answer::Foreign => {
            Err(DnsError::Silent(format!("{server} answered something else")))
        }
    }
}
