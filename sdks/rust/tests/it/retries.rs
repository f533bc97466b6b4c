//! What is tried again, and what is not.

use safeconduct_client::{NewAgent, RoleFilter};

use crate::scripted::{Answer, Request, Scripted, ok, problem};

const ROLES: &str = r#"{"items": [], "next_cursor": null}"#;

fn fails_once(answer: impl Fn() -> Answer + Send + 'static) -> Scripted {
    Scripted::new(move |number, _| if number == 0 { answer() } else { ok(ROLES) })
}

#[tokio::test]
async fn reads_are_repeated_after_a_broken_connection_and_a_passing_refusal() {
    for (name, answer) in [
        ("hang up", (|| Answer::HangUp) as fn() -> Answer),
        ("503", || problem(503, "Retry-After: 0\r\n", "overloaded")),
        ("429", || problem(429, "Retry-After: 0\r\n", "rate_limited")),
        ("502 of a proxy", || Answer::Http(502, "", "<html>".into())),
    ] {
        let server = fails_once(answer);
        let page = server.builder().build().unwrap().roles().list(&RoleFilter::default()).await;
        assert!(page.is_ok(), "{name}: {page:?}");
        assert_eq!(server.seen().len(), 2, "{name}");
    }
}

#[tokio::test]
async fn refusals_stand() {
    for (status, code) in
        [(403, "permission_denied"), (404, "not_found"), (500, "internal"), (409, "conflict")]
    {
        let server = Scripted::new(move |_, _| problem(status, "X-Request-Id: req_9\r\n", code));
        let error = server.builder().build().unwrap().roles().list(&RoleFilter::default()).await.unwrap_err();
        assert_eq!((error.code(), error.status(), error.request_id()), (code, Some(status), Some("req_9")));
        assert_eq!(server.seen().len(), 1, "{code}");
    }
}

#[tokio::test]
async fn a_long_wait_is_left_to_the_caller() {
    let server = Scripted::new(|_, _| problem(429, "Retry-After: 3600\r\n", "rate_limited"));
    let error = server.builder().build().unwrap().roles().list(&RoleFilter::default()).await.unwrap_err();
    assert_eq!(error.retry_after().map(|wait| wait.as_secs()), Some(3600));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn attempts_have_an_end() {
    let server = Scripted::new(|_, _| problem(503, "Retry-After: 0\r\n", "overloaded"));
    let client = server.builder().attempts(3).build().unwrap();
    assert_eq!(client.roles().list(&RoleFilter::default()).await.unwrap_err().code(), "overloaded");
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn a_creation_is_repeated_under_its_own_key() {
    let server = Scripted::new(|number, _| match number {
        0 => Answer::HangUp,
        1 => problem(409, "Retry-After: 0\r\n", "idempotency_in_flight"),
        _ => problem(422, "", "validation_failed"),
    });
    let client = server.builder().build().unwrap();
    let error = client.agents().create(&NewAgent::default()).await.unwrap_err();
    assert_eq!(error.code(), "validation_failed");
    let seen = server.seen();
    let key = |request: &Request| request.header("idempotency-key").map(str::to_owned);
    assert!(key(&seen[0]).is_some_and(|key| key.len() == 24));
    assert!(seen.iter().all(|request| key(request) == key(&seen[0])), "{seen:?}");
    client.agents().create(&NewAgent::default()).await.unwrap_err();
    assert_ne!(key(&server.seen()[3]), key(&seen[0]), "the next creation has the next key");
}

#[tokio::test]
async fn what_has_no_key_is_sent_once() {
    let server = Scripted::new(|_, _| Answer::HangUp);
    let client = server.builder().build().unwrap();
    let error = client.agents().kill("ops:reporter", Some("drill")).await.unwrap_err();
    assert!(error.is_unreachable(), "{error:?}");
    assert!(client.agents().decommission("ops:reporter").await.is_err());
    let lines: Vec<String> = server.seen().into_iter().map(|request| request.line).collect();
    let path = "/api/v1/agents/ops:reporter";
    assert_eq!(lines, [format!("POST {path}/kill HTTP/1.1"), format!("DELETE {path} HTTP/1.1")]);
}

#[tokio::test]
async fn nobody_there_is_said_so() {
    // Bound and closed again: nobody listens.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let client =
        safeconduct_client::Client::builder(format!("http://127.0.0.1:{port}")).attempts(1).build().unwrap();
    let error = client.roles().list(&RoleFilter::default()).await.unwrap_err();
    assert_eq!((error.code(), error.status()), ("unreachable", None));
    assert!(error.detail().contains("refused") && error.detail().contains(&port.to_string()), "{error}");
}
