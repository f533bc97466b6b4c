//! What the server shows beside its operations: health, reference, error pages, console, headers.

use serde_json::json;

use crate::support::{Caller, TestServer};

#[tokio::test]
async fn health_says_what_is_up_and_keeps_detail_inside() {
    let server = TestServer::sqlite().await;
    let anonymous = server.anonymous();
    let health = anonymous.get("/health").await.ok(200);
    assert_eq!(
        (&health["status"], &health["database"], &health["bus"]),
        (&json!("ok"), &json!("up"), &json!("in_process"))
    );
    assert_eq!(anonymous.get("/health/live").await.text, "live");
    assert_eq!(anonymous.get("/health/ready").await.text, "ready");
    for inner in ["/metrics", "/health/detailed"] {
        anonymous.get(inner).await.refused(404, "unknown_route");
    }
    let operations = server.server.as_ref().map(|server| format!("http://{}", server.operations));
    let inside = Caller { url: operations.expect("the server runs"), ..server.anonymous() };
    assert!(inside.get("/metrics").await.text.contains("safeconduct_http_seconds"));
    assert_eq!(inside.get("/health/detailed").await.ok(200)["revocation_feed"], "fresh");
    server.finish().await;
}

#[tokio::test]
async fn every_error_code_has_a_page_that_its_problems_point_to() {
    let server = TestServer::sqlite().await;
    let anonymous = server.anonymous();
    for code in problem::CATALOGUE {
        let page = anonymous.get(&format!("/docs/errors/{}", code.name)).await;
        assert_eq!(page.status.as_u16(), 200, "{}", code.name);
        assert!(page.text.contains("<h1>"), "{}", code.name);
    }
    assert_eq!(anonymous.get("/docs/errors/..%2f..%2fCargo").await.status.as_u16(), 404);
    server.finish().await;
}

#[tokio::test]
async fn the_reference_lists_every_operation() {
    let server = TestServer::sqlite().await;
    let (page, document) =
        (server.anonymous().get("/docs").await, server.anonymous().get("/api/v1/openapi.json").await);
    for spec in safeconduct::routes(server.house()).specs() {
        assert!(page.text.contains(&format!("id=\"{}\"", spec.id)), "{}", spec.id);
        assert!(document.text.contains(&format!("\"operationId\":\"{}\"", spec.id)), "{}", spec.id);
    }
    // What an operation takes, gives, refuses and leaves, and the shapes of it; every link leads somewhere.
    let create =
        page.text.split("id=\"agents.create\"").nth(1).and_then(|rest| rest.split("</details>").next());
    let create = create.expect("the operation");
    for part in [
        "needs <code>agents:create</code>",
        "#shape-NewAgent",
        "agent_exists",
        "agent.created",
        "\"reporter\"",
    ] {
        let plain = part.replace('"', "&quot;");
        assert!(create.contains(part) || create.contains(&plain), "{part} in {create}");
    }
    for link in page.text.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(page.text.contains(&format!("id=\"{link}\"")), "{link}");
    }
    server.finish().await;
}

#[tokio::test]
async fn the_root_leads_to_the_console_under_its_own_address() {
    let server = TestServer::sqlite().await;
    let root = server.anonymous().get("/").await;
    assert_eq!(
        (root.status.as_u16(), root.header("location")),
        (307, format!("{}/console/", server.url()).as_str())
    );
    // The same server by another loopback name: the cookie would not be sent there.
    let port = server.url().rsplit_once(':').expect("a port").1.to_owned();
    let other = Caller { url: format!("http://localhost:{port}"), ..server.anonymous() };
    let moved = other.get("/console/agents").await;
    let expected = format!("{}/console/agents", server.url());
    assert_eq!((moved.status.as_u16(), moved.header("location")), (307, expected.as_str()));
    server.finish().await;
}

#[tokio::test]
async fn nobody_elses_page_may_read_answers() {
    let server = TestServer::sqlite().await;
    let answer = server.anonymous().with("origin", "http://evil.example").get("/health").await;
    assert!(answer.headers.get("access-control-allow-origin").is_none());
    server.finish().await;
}

#[tokio::test]
async fn rates_are_limited_per_caller_and_said_in_headers() {
    let settings = [("limits.sign_ins", "3"), ("limits.writes", "2")];
    let server = TestServer::start_with(testing::TestDatabase::sqlite(), &settings).await;
    let owner = server.owner().await;
    let anonymous = server.anonymous().with("origin", server.url());
    let body = json!({ "token": "0".repeat(43) });
    let mut last = anonymous.post("/api/v1/auth/link", body.clone()).await;
    for _ in 0..3 {
        last = anonymous.post("/api/v1/auth/link", body.clone()).await;
    }
    last.refused(429, "rate_limited");
    assert!(last.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds > 0));
    let first = owner.post("/api/v1/agents", json!({ "name": "one" })).await;
    assert_eq!((first.header("x-ratelimit-limit"), first.header("x-ratelimit-remaining")), ("2", "1"));
    owner.post("/api/v1/agents", json!({ "name": "two" })).await.ok(201);
    owner.post("/api/v1/agents", json!({ "name": "three" })).await.refused(429, "rate_limited");
    // Another principal has a budget of its own.
    let (_, other) = server.person(server.home().await, &["owner"]).await;
    other.post("/api/v1/agents", json!({ "name": "four" })).await.ok(201);
    server.finish().await;
}

/// A body that comes after its head, as bodies do on a busy line: the refusal must not cost the connection, which the
/// caller takes for the next request.
#[tokio::test]
async fn a_refusal_leaves_the_connection_usable() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let server = TestServer::sqlite().await;
    let address = server.url().trim_start_matches("http://").to_owned();
    let mut line = tokio::net::TcpStream::connect(&address).await.unwrap();
    for _ in 0..3 {
        let head = format!(
            "POST /api/v1/agents HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n"
        );
        line.write_all(head.as_bytes()).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        line.write_all(b"{}").await.unwrap();
        let (mut answer, mut part) = (String::new(), [0; 4096]);
        while !answer.contains("unauthenticated") {
            let read = line.read(&mut part).await.unwrap();
            assert!(read > 0, "the connection was closed: {answer}");
            answer.push_str(std::str::from_utf8(&part[..read]).unwrap());
        }
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    }
    server.finish().await;
}
