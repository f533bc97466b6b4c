//! A flood takes nothing from anybody else, and fills neither disk nor ledger.

use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::{
    HOOKS, deliveries, echo_hook, facts, github, hook, id, knock, path, reasons, runs, send, send_signed,
    signed,
};
use crate::functions::function;
use crate::support::TestServer;

testing::on_both_databases! {
    async fn a_hook_takes_so_many_a_minute_and_so_many_at_a_time(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let made = echo_hook(&owner, json!({ "rate_per_minute": 3 })).await;
        for _ in 0..3 {
            assert_eq!(send(&server, &made, json!({})).await.status, 200);
        }
        let limited = send(&server, &made, json!({})).await;
        limited.refused(429, "rate_limited");
        assert!(limited.header("retry-after").parse::<u64>().unwrap() <= 21, "{:?}", limited.headers);
        server.clock.advance(std::time::Duration::from_secs(21));
        assert_eq!(send(&server, &made, json!({})).await.status, 200);
        assert_eq!(runs(&server).await, 4);
        server.finish().await;
    }

    /// One organization's hook is blocked by its own work; another's answers, and so does its neighbour.
    async fn a_flood_on_one_hook_is_not_felt_at_another(database: TestDatabase) {
        let server = TestServer::start_with(database, &[("functions.max_concurrent", "4")]).await;
        let owner = server.owner().await;
        let elsewhere = server.stranger().await;
        function(&owner, "waits", "import time\ndef handler(input, context):\n    time.sleep(600)\n").await;
        let target = json!({ "function": "ops:waits" });
        let more = json!({ "path": "busy", "target": target, "concurrency": 1, "rate_per_minute": 600 });
        let busy = hook(&owner, more).await;
        let neighbour = echo_hook(&owner, json!({ "path": "idle" })).await;
        let other = echo_hook(&elsewhere, json!({})).await;
        // The one place is taken and stays so.
        let (url, held) = (format!("{}{}", server.url(), path(&busy)), server.anonymous().http);
        let first = telemetry::spawn("test", async move { held.post(url).send().await.map(|answer| answer.status().as_u16()) });
        while runs(&server).await == 0 {
            tokio::task::yield_now().await;
        }
        let flood = futures::future::join_all((0..200).map(|_| send(&server, &busy, json!({})))).await;
        assert!(flood.iter().all(|answer| answer.status == 429), "{:?}", flood.iter().map(|answer| answer.status).collect::<Vec<_>>());
        assert!(flood.iter().all(|answer| answer.header("retry-after") == "1"));
        for quiet in [&neighbour, &other] {
            assert_eq!(send(&server, quiet, json!({ "n": 1 })).await.ok(200)["got"]["n"], 1);
        }
        let kept = deliveries(&owner, &busy).await;
        let refused: i64 = kept.iter().filter(|one| one["reason"] == "concurrency").map(|one| one["count"].as_i64().unwrap()).sum();
        assert!((1..=3).contains(&kept.iter().filter(|one| one["reason"] == "concurrency").count()), "{kept:?}");
        assert_eq!(refused, 200);
        // What it set off ends with it, so that the test need not wait.
        owner.delete(&format!("{HOOKS}/{}", id(&busy))).await.ok(200);
        assert_eq!(first.await.unwrap().unwrap(), 502);
        server.finish().await;
    }

    async fn guesses_are_few_and_summed_up(database: TestDatabase) {
        let server = TestServer::start_with(database, &[("server.trusted_proxies", "127.0.0.1/32")]).await;
        let owner = server.owner().await;
        let made = echo_hook(&owner, github()).await;
        let guess = async |ip: &str| {
            let headers = [("x-forwarded-for", ip), ("x-hub-signature-256", "sha256=00")];
            knock(&server, Method::POST, &path(&made), &headers, "{}").await.status.as_u16()
        };
        let mut statuses = Vec::new();
        for _ in 0..100 {
            statuses.push(guess("192.0.2.1").await);
        }
        assert_eq!(statuses[..60], [401; 60]);
        assert!(statuses[60..].contains(&429), "{statuses:?}");
        assert_eq!(guess("192.0.2.2").await, 401, "another's guesses are their own");
        // Who shares the guesser's address and can sign is let in.
        let right = signed(b"{}");
        let headers = [("x-forwarded-for", "192.0.2.1"), ("x-hub-signature-256", right.as_str()), ("content-type", "application/json")];
        assert_eq!(knock(&server, Method::POST, &path(&made), &headers, "{}").await.status, 200);
        let kept = deliveries(&owner, &made).await;
        assert!(kept.len() <= 7, "{kept:?}");
        server.house().ledger.drain().await.unwrap();
        assert!(facts(&server, "hook.refused").await <= 8, "{}", facts(&server, "hook.refused").await);
        server.finish().await;
    }

    async fn looking_for_hooks_comes_to_an_end(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let made = echo_hook(&owner, json!({})).await;
        let never = path(&made).replace("/in/", "/never/");
        let mut statuses = Vec::new();
        for _ in 0..120 {
            statuses.push(knock(&server, Method::POST, &never, &[], "").await.status.as_u16());
        }
        assert_eq!(statuses[..60], [404; 60]);
        assert!(statuses[60..].contains(&429), "{statuses:?}");
        assert_eq!(send(&server, &made, json!({})).await.status, 200, "who sends to what is there is not held up");
        server.finish().await;
    }

    /// Real connections that send most of a large body and then say nothing more, beside small deliveries that nobody believes:
    /// 401 says that one was read.
    async fn bodies_of_the_unproven_have_a_measure_for_each_address_and_for_the_server(database: TestDatabase) {
        const BODY: usize = 250_000;
        let settings = [
            ("server.trusted_proxies", "127.0.0.1/32"),
            ("limits.body_bytes", "262144"),
            ("hooks.unproven_bytes_per_address", "262144"),
            ("hooks.unproven_bytes", "524288"),
        ];
        let server = TestServer::start_with(database, &settings).await;
        let owner = server.owner().await;
        let made = echo_hook(&owner, github()).await;
        let (host, path) = (server.url().trim_start_matches("http://").to_owned(), path(&made));
        let stalled = async |ip: &str| {
            let mut stream = tokio::net::TcpStream::connect(&host).await.unwrap();
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-For: {ip}\r\nContent-Length: {}\r\n\r\n",
                BODY + 1
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(&vec![b' '; BODY]).await.unwrap();
            stream
        };
        let sent = async |ip: &str, size: usize| {
            knock(&server, Method::POST, &path, &[("x-forwarded-for", ip)], " ".repeat(size)).await
        };
        // What was written to a socket, or its end, is felt a little later.
        let felt = async |ip: &str, size: usize, status: u16| {
            for _ in 0..50 {
                let answer = sent(ip, size).await;
                if answer.status == status {
                    return answer;
                }
            }
            panic!("{ip} was never answered {status}");
        };
        let first = stalled("192.0.2.1").await;
        let refused = felt("192.0.2.1", 60_000, 429).await;
        refused.refused(429, "rate_limited");
        assert_eq!(refused.header("retry-after"), "1");
        assert_eq!(sent("192.0.2.1", 100).await.status, 401, "a small one has room");
        assert_eq!(sent("192.0.2.2", 60_000).await.status, 401, "another address is another");
        let second = stalled("192.0.2.2").await;
        let refused = felt("192.0.2.3", 60_000, 503).await;
        refused.refused(503, "overloaded");
        assert_eq!(refused.header("retry-after"), "1");
        assert_eq!(sent("192.0.2.3", 100).await.status, 401);
        // Whoever goes gives back what they held.
        drop(first);
        felt("192.0.2.3", 60_000, 401).await;
        felt("192.0.2.1", 60_000, 401).await;
        drop(second);
        assert!(reasons(&owner, &made).await.contains_key("unproven_bytes"));
        assert_eq!(send_signed(&server, &made, r#"{"a": 1}"#).await.status, 200);
        server.finish().await;
    }
}
