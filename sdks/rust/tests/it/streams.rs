//! Streams that break and go on.

use safeconduct_client::{Client, Events};

use crate::scripted::{Answer, Scripted, problem};

fn part(ids: std::ops::RangeInclusive<u32>) -> String {
    let events: Vec<String> = ids.map(|id| format!("id: {id}\nevent: fact\ndata: {{}}\n\n")).collect();
    // So that the test does not wait longer than it must.
    format!("retry: 1\n\n{}", events.concat())
}

fn stream(client: &Client) -> Events {
    client.audit().stream(Some(0))
}

async fn ids(events: &mut Events, count: usize) -> Vec<u32> {
    let mut ids = Vec::new();
    while ids.len() < count {
        let event = events.next().await.unwrap();
        assert_eq!(event.event, "fact");
        ids.push(event.id.unwrap().parse().unwrap());
    }
    ids
}

#[tokio::test]
async fn a_broken_stream_goes_on_behind_the_last_event() {
    let server = Scripted::new(|number, _| match number {
        0 => Answer::Cut(part(1..=2)),
        1 => Answer::HangUp,
        2 => problem(503, "", "overloaded"),
        3 => Answer::Stream(part(3..=3)),
        _ => Answer::Stream(part(4..=5)),
    });
    let client = server.builder().build().unwrap();
    let mut events = stream(&client);
    assert_eq!(ids(&mut events, 5).await, [1, 2, 3, 4, 5]);
    assert_eq!(events.last_id(), Some("5"));
    let seen = server.seen();
    assert_eq!(seen[0].line, "GET /api/v1/audit/stream?after=0 HTTP/1.1");
    let resumed: Vec<Option<&str>> = seen.iter().map(|request| request.header("last-event-id")).collect();
    assert_eq!(resumed[..2], [None, Some("2")]);
    assert_eq!(resumed.last(), Some(&Some("3")));
    assert!(seen.iter().all(|request| request.header("accept") == Some("text/event-stream")));
}

#[tokio::test]
async fn a_refusal_ends_the_stream() {
    let server = Scripted::new(|_, _| problem(403, "", "permission_denied"));
    let client = server.builder().build().unwrap();
    assert_eq!(stream(&client).next().await.unwrap_err().code(), "permission_denied");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_server_that_stays_away_ends_the_stream() {
    let server = Scripted::new(|number, _| match number {
        0 => Answer::Cut(part(1..=1)),
        _ => Answer::HangUp,
    });
    let client = server.builder().attempts(1).build().unwrap();
    let mut events = stream(&client);
    assert_eq!(ids(&mut events, 1).await, [1]);
    assert!(events.next().await.unwrap_err().is_unreachable());
}

#[tokio::test]
async fn a_log_ends_with_its_run_and_not_with_its_connection() {
    let line = |number: u32| {
        let said = format!(
            r#"{{"number": {number}, "at": "", "source": "log", "level": "info", "text": "a", "fields": null}}"#
        );
        format!("retry: 1\nid: {number}\nevent: line\ndata: {said}\n\n")
    };
    let server = Scripted::new(move |number, _| match number {
        0 => Answer::Stream(line(1)),
        _ => Answer::Stream(format!("{}event: end\ndata: {{\"status\": \"succeeded\"}}\n\n", line(2))),
    });
    let client = server.builder().build().unwrap();
    let mut log = client.runs().follow_logs("run_1");
    let mut numbers = Vec::new();
    while let Some(line) = log.next().await.unwrap() {
        numbers.push(line.number);
    }
    assert_eq!(numbers, [1, 2]);
    assert_eq!(server.seen()[1].header("last-event-id"), Some("1"));
}
