//! What the server shows beside its operations: health, reference, error pages, console, headers.

use serde_json::{Value, json};

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
    let all = anonymous.get("/docs/errors").await;
    for code in problem::CATALOGUE {
        assert!(all.text.contains(&format!("href=\"/docs/errors/{}\"", code.name)), "{}", code.name);
    }
    server.finish().await;
}

#[tokio::test]
async fn the_reference_is_sent_packed_and_only_when_it_changed() {
    let server = TestServer::sqlite().await;
    let anonymous = server.anonymous();
    for path in ["/docs", "/docs/errors", "/api/v1/openapi.json"] {
        let plain = anonymous.get(path).await;
        let tag = plain.header("etag").to_owned();
        let packed =
            anonymous.http.get(format!("{}{path}", server.url())).header("accept-encoding", "br, gzip;q=1.0");
        let packed = packed.send().await.unwrap();
        assert_eq!(packed.headers()["content-encoding"], "gzip", "{path}");
        let (bytes, mut unpacked) = (packed.bytes().await.unwrap(), String::new());
        std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut unpacked).unwrap();
        assert_eq!(unpacked, plain.text, "{path}");
        let again = anonymous.with("if-none-match", tag).get(path).await;
        assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""), "{path}");
    }
    for path in ["/docs/", "/openapi.json"] {
        assert_eq!(anonymous.get(path).await.status.as_u16(), 308, "{path}");
    }
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
    for page in ["/console/agents", "/console/agents?status=active&q=a%20b", "/console/x%0d%0ay?z=%0a"] {
        let moved = other.get(page).await;
        let expected = format!("{}{page}", server.url());
        assert_eq!(
            (moved.status.as_u16(), moved.header("location")),
            (307, expected.as_str()),
            "as it was asked for"
        );
    }
    server.finish().await;
}

#[tokio::test]
async fn nobody_elses_page_may_read_answers() {
    let server = TestServer::sqlite().await;
    let answer = server.anonymous().with("origin", "http://evil.example").get("/health").await;
    assert!(answer.headers.get("access-control-allow-origin").is_none());
    // A browser asks first; what is for every page says so, everything else says nothing.
    let page = server.anonymous().with("origin", "http://evil.example");
    let page = page
        .with("access-control-request-method", "POST")
        .with("access-control-request-headers", "authorization");
    let mut answered = Vec::new();
    for spec in safeconduct::routes(server.house()).specs() {
        let path = spec.path.replace("{slug}", "home");
        let preflight = page.send(reqwest::Method::OPTIONS, &path, None).await;
        let allowed = preflight.headers.get("access-control-allow-origin").is_some();
        assert_eq!(allowed, spec.any_origin, "{}", spec.id);
        if allowed {
            assert_eq!(
                (preflight.status.as_u16(), preflight.header("access-control-allow-methods")),
                (204, spec.method.name())
            );
            assert!(preflight.header("access-control-allow-headers").contains("authorization"));
            assert!(preflight.headers.get("access-control-allow-credentials").is_none());
            answered.push(spec.id);
        }
    }
    for id in ["oauth.metadata", "oauth.keys", "oauth.org_keys", "oauth.token", "oauth.org_token"] {
        assert!(answered.contains(&id), "{id}");
    }
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
    assert_eq!(
        (first.header("ratelimit"), first.header("ratelimit-policy")),
        ("\"default\";r=1", "\"default\";q=2;w=60")
    );
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
async fn a_request_names_its_host_once() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let server = TestServer::sqlite().await;
    let address = server.url().trim_start_matches("http://").to_owned();
    for (hosts, status) in [("", 400), ("Host: a\r\nHost: b\r\n", 400), ("Host: a\r\n", 200)] {
        let mut line = tokio::net::TcpStream::connect(&address).await.unwrap();
        let head = format!("GET /health/live HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
        line.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        line.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{hosts:?}: {answer}");
    }
    server.finish().await;
}

#[tokio::test]
async fn what_is_wrong_is_named_by_field_or_parameter() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let body = json!({ "namespace": "ops", "naem": "a", "code": 7, "memory_mb": 0 });
    let problem = owner.post("/api/v1/functions", body).await.refused(422, "validation_failed");
    let told = |problem: &Value| -> std::collections::BTreeMap<String, String> {
        let errors = problem["errors"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        errors.map(|error| (text(&error["field"]), text(&error["reason"]))).collect()
    };
    let errors = told(&problem);
    assert_eq!(errors.get("/name").map(String::as_str), Some("is missing"), "{problem:#}");
    assert_eq!(errors["/naem"], "is not known here");
    assert_eq!(errors["/code"], "must be a string");
    assert!(errors["/memory_mb"].starts_with("must be at least "), "{problem:#}");
    for (query, field, reason) in [
        ("colour=red", "colour", "is not known here"),
        ("limit=many", "limit", "must be a whole number"),
        ("status=asleep", "status", "must be `"),
        ("limit=1&limit=2", "limit", "stands there twice"),
    ] {
        let path = format!("/api/v1/agents?{query}");
        let problem = owner.get(&path).await.refused(422, "validation_failed");
        let errors = told(&problem);
        assert!(errors.get(field).is_some_and(|said| said.starts_with(reason)), "{query}: {problem:#}");
    }
    server.finish().await;
}

#[tokio::test]
async fn a_refusal_leaves_the_connection_usable() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let server = TestServer::sqlite().await;
    let address = server.url().trim_start_matches("http://").to_owned();
    let mut line = tokio::net::TcpStream::connect(&address).await.unwrap();
    for _ in 0..3 {
        let head = format!(
            "POST /api/v1/agents HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
             Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        );
        line.write_all(head.as_bytes()).await.unwrap();
        // The body comes when the server has the head and asks for the rest.
        let mut go_on = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
        line.read_exact(&mut go_on).await.unwrap();
        assert_eq!(go_on, *b"HTTP/1.1 100 Continue\r\n\r\n", "{}", String::from_utf8_lossy(&go_on));
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
