//! Serving: the whole router behind the outermost layer, on TCP and on the door that functions use.

use std::io;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::extract::connect_info::Connected;
use axum::middleware::{Next, from_fn};
use axum::serve::{IncomingStream, Listener};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::Peer;
use crate::outer::{Outer, outer, unknown_route};

/// Puts the layers that everything shares around a router.
pub fn finish(router: Router, layer: Outer, body_bytes: usize) -> Router {
    let around = move |request: axum::extract::Request, next: Next| outer(layer.clone(), request, next);
    router.fallback(unknown_route).layer(DefaultBodyLimit::max(body_bytes)).layer(from_fn(around))
}

/// Connections of functions in their jails, handed over by the sandbox with the number of the organization's slot.
pub type Connections = mpsc::Receiver<(u16, TcpStream)>;

/// Serves until `stop` resolves, then lets what is under way end.
pub async fn serve(
    router: Router,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let service = router.into_make_service_with_connect_info::<Peer>();
    axum::serve(Network(listener), service).with_graceful_shutdown(stop).await
}

/// The same router for functions; ends when the sandbox is gone.
pub async fn serve_functions(
    router: Router,
    connections: Connections,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let service = router.into_make_service_with_connect_info::<Peer>();
    axum::serve(Jail(connections), service).with_graceful_shutdown(stop).await
}

struct Network(TcpListener);

impl Listener for Network {
    type Io = TcpStream;
    type Addr = Peer;

    async fn accept(&mut self) -> (TcpStream, Peer) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // Small answers must not wait for more to send.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
        (stream, Peer::Network(address))
    }

    fn local_addr(&self) -> io::Result<Peer> {
        self.0.local_addr().map(Peer::Network)
    }
}

struct Jail(Connections);

impl Listener for Jail {
    type Io = TcpStream;
    type Addr = Peer;

    async fn accept(&mut self) -> (TcpStream, Peer) {
        match self.0.recv().await {
            Some((slot, stream)) => (stream, Peer::Jail(slot)),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Peer> {
        Err(io::ErrorKind::AddrNotAvailable.into())
    }
}

impl Connected<IncomingStream<'_, Network>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Network>) -> Self {
        *stream.remote_addr()
    }
}

impl Connected<IncomingStream<'_, Jail>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Jail>) -> Self {
        *stream.remote_addr()
    }
}
