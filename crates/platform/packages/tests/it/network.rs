//! An index on the network, as far as a loopback server is one: pages, files, and what it may not lead to.

use std::sync::Arc;

use safeconduct_packages::{Index, Remote};
use testing::Wheel;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::fixture::{Fixture, PATIENCE};

fn remote(url: String) -> Index {
    Index::Remote(Remote { url, file_hosts: Vec::new() })
}

type Answer = (String, Vec<u8>);

/// Answers each path by `answer`: media type and body, or 404.
async fn index(answer: impl Fn(&str) -> Option<Answer> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    telemetry::spawn("index", async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else { break };
                head.push(byte);
            }
            let head = String::from_utf8(head).unwrap_or_default();
            let path = head.split(' ').nth(1).unwrap_or_default();
            let (status, (kind, body)) = match answer(path) {
                Some(found) => ("200 OK", found),
                None => ("404 Not Found", ("text/plain".into(), Vec::new())),
            };
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(&[head.into_bytes(), body].concat()).await;
        }
    });
    format!("http://{address}/simple")
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(crypto::hash::sha256(bytes))
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_in_html_and_files_beside_them_are_understood() {
    let made = tempfile::tempdir().unwrap();
    let wheel =
        std::fs::read(Wheel::new("far", "1").file("far.py", "WORD = 'far'\n").write(made.path())).unwrap();
    let name = "far-1-py3-none-any.whl";
    let url = index(move |path| match path {
        "/simple/far/" => {
            let page =
                format!("<html><a href=\"../../files/{name}#sha256={}\">{name}</a></html>", sha256(&wheel));
            Some(("text/html; charset=utf-8".into(), page.into_bytes()))
        }
        "/files/far-1-py3-none-any.whl" => Some(("application/zip".into(), wheel.clone())),
        _ => None,
    });
    let url = url.await;
    let fixture = Fixture::with(|settings| settings.index = remote(url));
    let ready = fixture.build(&["far"]).await.unwrap();
    assert_eq!(fixture.run(&ready, "import far\ndef handler(i, c): return far.WORD\n").await, "far");
    assert!(fixture.build(&["farther"]).await.unwrap_err().to_string().contains("farther"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_leads_to_its_own_host_or_to_public_ones_only() {
    let inside = index(|_| Some(("text/plain".into(), b"the metadata service".to_vec()))).await;
    let inside = inside.trim_end_matches("/simple").to_owned();
    let place = inside.trim_start_matches("http://").to_owned();
    let hash = "0".repeat(64);
    let url = index(move |path| {
        let page =
            format!("<a href=\"{inside}/x-1-py3-none-any.whl#sha256={hash}\">x-1-py3-none-any.whl</a>");
        (path == "/simple/x/").then(|| ("text/html".into(), page.into_bytes()))
    });
    let url = url.await;
    let fixture = Fixture::with(|settings| settings.index = remote(url.clone()));
    let build = fixture.begin(&["x"]);
    let error = build.wait(PATIENCE).await.unwrap().unwrap_err().to_string();
    let said = crate::fixture::said(&build).await;
    assert!(said.contains("may not be called"), "{said}\n{error}");
    // Unless the operator names that host: then it is a file like any other, here one that is no wheel.
    let file_hosts = vec![place];
    let fixture = Fixture::with(|settings| settings.index = Index::Remote(Remote { url, file_hosts }));
    let build = fixture.begin(&["x"]);
    build.wait(PATIENCE).await.unwrap().unwrap_err();
    assert!(!crate::fixture::said(&build).await.contains("may not be called"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_is_down_is_told_as_such() {
    let fixture = Fixture::with(|settings| settings.index = remote("http://127.0.0.1:9/simple".into()));
    let build = fixture.begin(&["x"]);
    build.wait(PATIENCE).await.unwrap().unwrap_err();
    let said = crate::fixture::said(&build).await;
    assert!(said.contains("cannot be reached"), "{said}");
}
