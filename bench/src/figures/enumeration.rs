//! Whether the time of an answer tells if an account exists: latencies of the same attempt at known and unknown accounts, one
//! after the other in turn, compared by the two-sample Kolmogorov–Smirnov distance.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use people::SessionKind;
use serde_json::json;
use web::Contact;

use super::in_process::Inside;
use crate::Settings;
use crate::http::{Connection, Request, post_with};
use crate::row::Row;
use crate::spread::{Times, millis};

/// Accounts of each kind; each is tried less often than delays begin.
const ACCOUNTS: u64 = 400;
/// √(−ln(0.001 / 2) / 2): where the distance of two equal distributions stays in 999 of 1,000 comparisons.
const CRITICAL: f64 = 1.949;
const PASSWORD: &str = "tangerine-submarine-4";

pub(crate) fn measure(settings: &Settings) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(inside(settings))
}

async fn inside(settings: &Settings) -> Result<()> {
    let mut settings = settings.clone();
    // Each attempt comes from an address of its own, or the delays by address would be measured.
    settings.set.extend(
        ["server.trusted_proxies=127.0.0.1", "limits.sign_ins=0", "limits.writes=0"].map(str::to_owned),
    );
    let inside = Inside::start(&settings).await?;
    let origin = inside.server.house.public_url.clone();
    let mut connection = Connection::open(inside.server.address).await?;
    set_up(&inside, &origin, &mut connection).await?;
    let count = settings.count.unwrap_or(ACCOUNTS);
    for number in 0..count {
        enrol(&inside, &origin, &mut connection, number).await?;
    }
    for (name, path) in [("code by e-mail", "/api/v1/auth/otp"), ("password", "/api/v1/auth/password/login")]
    {
        let (mut known, mut unknown) = (Times::default(), Times::default());
        for number in 0..count {
            for (who, times) in [("known", &mut known), ("unknown", &mut unknown)] {
                let email = format!("{who}-{number}@example.com");
                let body = match name {
                    "password" => json!({ "input": { "login": email, "password": "wrong-wrong-wrong" } }),
                    _ => json!({ "email": email }),
                };
                let request = ask(path, &origin, number, &[], &body);
                let begun = Instant::now();
                let status = connection.ask(&request).await?.status;
                times.add(begun.elapsed());
                ensure!(status == if name == "password" { 401 } else { 202 }, "{path} answered {status}");
            }
        }
        row(&settings, name, known, unknown, count).print();
    }
    inside.server.stop().await;
    Ok(())
}

fn row(settings: &Settings, name: &str, mut known: Times, mut unknown: Times, count: u64) -> Row {
    let distance = known.distance(&mut unknown);
    let critical = CRITICAL * (2.0 / count as f64).sqrt();
    let told = |times: &mut Times| {
        format!("{} / {}", millis(times.percentile(50.0)), millis(times.percentile(90.0)))
    };
    Row {
        figure: format!("known or unknown account: {name}, {}", settings.database()),
        goal: "same distribution",
        measured: format!("distance {distance:.3}"),
        floor: format!("{critical:.3} for equal ones (α = 0.001)"),
        beside: format!(
            "p50 / p90 known {}, unknown {}; {count} attempts each",
            told(&mut known),
            told(&mut unknown)
        ),
    }
}

async fn set_up(inside: &Inside, origin: &str, connection: &mut Connection) -> Result<()> {
    let link = inside.server.link.as_ref().context("no link for the first owner")?;
    let token = crate::serve::owner(inside.server.address, link.url.reveal()).await?;
    for kind in ["otp", "password"] {
        let body = json!({ "name": kind, "kind": kind, "instance": true });
        let authorization = format!("Bearer {token}");
        let headers = [("authorization", authorization.as_str())];
        connection.json(&ask("/api/v1/auth-providers", origin, 0, &headers, &body)).await?;
    }
    Ok(())
}

/// A person with a password.
async fn enrol(inside: &Inside, origin: &str, connection: &mut Connection, number: u64) -> Result<()> {
    let people = &inside.server.house.people;
    let home = people.home().await?.id;
    let email = format!("known-{number}@example.com");
    let person = people.enrol(home, "Somebody", Some(&email), &["member"]).await?;
    let started = people.sign_in(home, &person, SessionKind::Browser, "bench", &Contact::default()).await?;
    let cookie = format!("safeconduct_dev={}", started.secret.reveal());
    let request = ask(
        "/api/v1/auth/password",
        origin,
        number,
        &[("cookie", &cookie)],
        &json!({ "password": PASSWORD }),
    );
    connection.json(&request).await?;
    Ok(())
}

fn ask(path: &str, origin: &str, number: u64, headers: &[(&str, &str)], body: &serde_json::Value) -> Request {
    let from = format!("10.{}.{}.{}", number >> 16 & 255, number >> 8 & 255, number & 255);
    let own = [("origin", origin), ("x-forwarded-for", from.as_str())];
    post_with(path, &[&own[..], headers].concat(), &body.to_string())
}
