//! Two nodes that keep large contents in one bucket, a real one: what one takes the other gives. Run by `make test-all`.

use reqwest::Method;
use serde_json::json;
use testing::{BucketServer, TestDatabase};

use super::second_node::node;
use crate::support::{Caller, Start};

const FILE: &str = "/api/v1/collections/reports/files/large.bin";
const CONTENT: &str = "/api/v1/collections/reports/content/large.bin";

fn with(start: Start, bucket: &BucketServer) -> Start {
    start
        .set("blobs.bucket", BucketServer::BUCKET)
        .set("blobs.endpoint", bucket.endpoint())
        .set("blobs.prefix", "safeconduct/")
        .set("blobs.access_key_id", BucketServer::KEY_ID)
        .set("blobs.secret_access_key", BucketServer::SECRET)
}

async fn call(caller: &Caller, method: Method, path: &str, body: Vec<u8>) -> (u16, Vec<u8>) {
    let bearer = caller.bearer.as_ref().expect("a token");
    let request = caller.http.request(method, format!("{}{path}", caller.url)).bearer_auth(bearer);
    let answer = request.header("content-type", "application/octet-stream").body(body).send().await;
    let answer = answer.expect("the server answers");
    (answer.status().as_u16(), answer.bytes().await.expect("a body").to_vec())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_takes_the_other_gives_and_an_outage_loses_nothing() {
    let database = TestDatabase::postgres().await;
    let (one, two) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let (key, url, mut bucket) = ("cd".repeat(32), "http://127.0.0.1:7717", BucketServer::start());
    let start = |directory| with(node(&database, directory, &key, url), &bucket);
    let first = start(one.path()).run().expect("the first node");
    let owner = first.owner(one.path()).await;
    let second = start(two.path()).run().expect("the second node");
    owner.post("/api/v1/collections", json!({ "name": "reports" })).await.ok(201);

    let content: Vec<u8> =
        (0..1_000_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let (status, said) = call(&owner, Method::PUT, FILE, content.clone()).await;
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&said));
    let elsewhere = Caller { bearer: owner.bearer.clone(), ..second.anonymous() };
    assert!(
        call(&elsewhere, Method::GET, CONTENT, Vec::new()).await == (200, content.clone()),
        "the other node"
    );

    bucket.stop();
    let (status, said) = call(&owner, Method::PUT, FILE, vec![7; 500_000]).await;
    let said: serde_json::Value = serde_json::from_slice(&said).expect("a problem");
    assert_eq!((status, &said["code"]), (503, &json!("blobs_unavailable")), "{said:#}");
    bucket.resume();
    assert!(call(&owner, Method::GET, CONTENT, Vec::new()).await == (200, content), "what was there");

    // A server that was not told of the bucket does not start beside it, and says which setting it lacks.
    let bare = tempfile::tempdir().expect("a directory");
    let refused = node(&database, bare.path(), &key, url).run().err().expect("it does not start");
    assert!(refused.errors.contains("blobs.bucket does not name it"), "{}", refused.errors);
    assert_eq!(second.stop(), Some(0));
    assert_eq!(first.stop(), Some(0));
}
