//! A name server on loopback that knows the TXT records it was told.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use simple_dns::rdata::{RData, TXT};
use simple_dns::{CLASS, Packet, PacketFlag, RCODE, ResourceRecord};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinHandle;

#[derive(Clone, Default)]
struct Zone {
    texts: Arc<Mutex<HashMap<String, Vec<String>>>>,
    /// Answers over UDP are cut short.
    short: Arc<Mutex<bool>>,
}

pub(crate) struct TestDns {
    pub(crate) address: SocketAddr,
    zone: Zone,
    serving: Vec<JoinHandle<()>>,
}

impl TestDns {
    pub(crate) async fn start() -> Self {
        let tcp = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = tcp.local_addr().expect("an address");
        let udp = UdpSocket::bind(address).await.expect("the same port");
        let zone = Zone::default();
        let serving = vec![
            telemetry::spawn("test", over_udp(udp, zone.clone())),
            telemetry::spawn("test", over_tcp(tcp, zone.clone())),
        ];
        Self { address, zone, serving }
    }

    pub(crate) fn says(&self, name: &str, text: &str) {
        self.zone.texts.lock().entry(name.to_owned()).or_default().push(text.to_owned());
    }

    pub(crate) fn cut_short(&self) {
        *self.zone.short.lock() = true;
    }
}

impl Drop for TestDns {
    fn drop(&mut self) {
        self.serving.iter().for_each(JoinHandle::abort);
    }
}

async fn over_udp(socket: UdpSocket, zone: Zone) {
    let mut bytes = [0; 512];
    while let Ok((length, from)) = socket.recv_from(&mut bytes).await {
        let short = *zone.short.lock();
        if let Some(reply) = reply(&bytes[..length], &zone, short) {
            socket.send_to(&reply, from).await.expect("a datagram goes out");
        }
    }
}

async fn over_tcp(listener: TcpListener, zone: Zone) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let Ok(length) = stream.read_u16().await else { continue };
        let mut bytes = vec![0; length.into()];
        if stream.read_exact(&mut bytes).await.is_err() {
            continue;
        }
        if let Some(reply) = reply(&bytes, &zone, false) {
            let length = u16::try_from(reply.len()).expect("a short reply");
            // Whoever hangs up meanwhile misses the answer.
            let _ = stream.write_all(&[&length.to_be_bytes()[..], &reply].concat()).await;
        }
    }
}

fn reply(question: &[u8], zone: &Zone, short: bool) -> Option<Vec<u8>> {
    let asked = Packet::parse(question).ok()?;
    let question = asked.questions.first()?.clone();
    let known = zone.texts.lock().get(&question.qname.to_string()).cloned();
    let mut packet = Packet::new_reply(asked.id());
    packet.set_flags(PacketFlag::RECURSION_AVAILABLE);
    let name = question.qname.clone();
    packet.questions.push(question);
    if short {
        packet.set_flags(PacketFlag::TRUNCATION);
        return packet.build_bytes_vec().ok();
    }
    let Some(texts) = known else {
        *packet.rcode_mut() = RCODE::NameError;
        return packet.build_bytes_vec().ok();
    };
    for text in &texts {
        let text = TXT::new().with_string(text).ok()?.into_owned();
        packet.answers.push(ResourceRecord::new(name.clone(), CLASS::IN, 60, RData::TXT(text)));
    }
    packet.build_bytes_vec().ok()
}
