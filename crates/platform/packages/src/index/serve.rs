//! HTTP for one build jail: whatever is asked and sent here, tenant code may have.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, TryStreamExt};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::page::JSON;
use super::{Door, Place, Shown, remote};
use crate::{Index, Name};

type Body = UnsyncBoxBody<Bytes, io::Error>;

const PIECE: usize = 256 << 10;

impl Door {
    /// Serves one connection to its end. `base` is where the jail finds this door.
    pub(crate) async fn serve(self: Arc<Self>, stream: TcpStream, base: Arc<str>) {
        let service = service_fn(|request| {
            let (door, base) = (self.clone(), base.clone());
            async move { Ok::<_, Infallible>(door.answer(request, &base).await) }
        });
        // How it ends is the jail's business.
        let _ended =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    async fn answer(&self, request: Request<Incoming>, base: &str) -> Response<Body> {
        let path = request.uri().path().to_owned();
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match (request.method(), parts.as_slice()) {
            (&Method::GET, ["simple", name] | ["simple", name, ""]) => self.page(name, base).await,
            (&Method::GET, ["files", number, filename]) => self.file(number, filename).await,
            (&Method::HEAD, ["files", number, filename]) => self.head(number, filename),
            (&Method::PUT, ["environment"]) => self.take_in(request.into_body()).await,
            _ => said(StatusCode::NOT_FOUND, "There is nothing here."),
        }
    }

    async fn page(&self, name: &str, base: &str) -> Response<Body> {
        let Ok(name) = name.parse::<Name>() else { return said(StatusCode::NOT_FOUND, "That is no name.") };
        match self.project(&name, base).await {
            Ok(Some(page)) => with_type(JSON, page),
            Ok(None) => said(StatusCode::NOT_FOUND, "There is no such package here."),
            Err(reason) => self.unavailable(&reason),
        }
    }

    fn head(&self, number: &str, filename: &str) -> Response<Body> {
        let Some(shown) = self.shown(number, filename) else {
            return said(StatusCode::NOT_FOUND, "No such file was shown.");
        };
        let mut response = said(StatusCode::OK, "");
        if let Some(size) = shown.wheel.size {
            response.headers_mut().insert(CONTENT_LENGTH, size.into());
        }
        response
    }

    async fn file(&self, number: &str, filename: &str) -> Response<Body> {
        if let Some(shown) = self.shown(number, filename) {
            let size = shown.wheel.size.map_or_else(String::new, |size| format!(" ({size} bytes)"));
            self.log.say(format!("fetching {filename}{size}"));
            return self.content(shown.place).await;
        }
        let wheel = filename.strip_suffix(".metadata").unwrap_or_default();
        match self.shown(number, wheel) {
            Some(Shown { place: Place::Web(url), wheel }) if wheel.metadata.is_some() => {
                self.content(Place::Web(format!("{url}.metadata"))).await
            }
            _ => said(StatusCode::NOT_FOUND, "No such file was shown."),
        }
    }

    async fn content(&self, place: Place) -> Response<Body> {
        match (place, &self.source) {
            (Place::Disk(path), _) => match tokio::fs::File::open(&path).await {
                Ok(file) => streamed(of_disk(file)),
                Err(error) => self.unavailable(&error.to_string()),
            },
            (Place::Web(url), Index::Remote(index)) => {
                match remote::file(&self.egress, index, &url, self.largest).await {
                    Ok(download) if download.status == 200 => streamed(of_web(download)),
                    Ok(download) => {
                        self.unavailable(&format!("the index answers {} for a file", download.status))
                    }
                    Err(reason) => self.unavailable(&reason),
                }
            }
            (Place::Web(_), Index::Directory(_)) => said(StatusCode::NOT_FOUND, "No such file was shown."),
        }
    }

    async fn take_in(&self, mut body: Incoming) -> Response<Body> {
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return said(StatusCode::BAD_REQUEST, "It was cut off.") };
            if let Some(piece) = frame.data_ref()
                && let Err(reason) = self.push(piece)
            {
                return said(StatusCode::PAYLOAD_TOO_LARGE, &reason);
            }
        }
        said(StatusCode::OK, "")
    }

    fn unavailable(&self, reason: &str) -> Response<Body> {
        self.log.say(format!("index: {reason}"));
        said(StatusCode::BAD_GATEWAY, reason)
    }
}

fn of_disk(file: tokio::fs::File) -> impl futures::Stream<Item = io::Result<Bytes>> + Send {
    stream::try_unfold(file, async |mut file| {
        let mut piece = vec![0; PIECE];
        let count = file.read(&mut piece).await?;
        piece.truncate(count);
        Ok((count > 0).then(|| (Bytes::from(piece), file)))
    })
}

fn of_web(download: egress::Download) -> impl futures::Stream<Item = io::Result<Bytes>> + Send {
    stream::try_unfold(download, async |mut download| {
        let piece = download.next().await.map_err(io::Error::other)?;
        Ok(piece.map(|piece| (piece, download)))
    })
}

fn streamed(pieces: impl futures::Stream<Item = io::Result<Bytes>> + Send + 'static) -> Response<Body> {
    Response::new(StreamBody::new(pieces.map_ok(Frame::data)).boxed_unsync())
}

fn with_type(kind: &'static str, text: String) -> Response<Body> {
    let mut response = said(StatusCode::OK, &text);
    response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(kind));
    response
}

fn said(status: StatusCode, text: &str) -> Response<Body> {
    let body = Full::new(Bytes::copy_from_slice(text.as_bytes())).map_err(|never| match never {});
    let mut response = Response::new(body.boxed_unsync());
    *response.status_mut() = status;
    response
}
