//! The check of a bearer token whose signature was checked before: what every request by token pays.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use axum::http::Request;
use axum::http::header::AUTHORIZATION;
use web::{Authenticator, Contact};

use super::in_process::Inside;
use crate::Settings;
use crate::row::Row;
use crate::spread::Spread;

const ROUNDS: u64 = 1_000_000;

pub(crate) fn measure(settings: &Settings) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(inside(settings))
}

async fn inside(settings: &Settings) -> Result<()> {
    let inside = Inside::start(settings).await?;
    let house = &inside.server.house;
    let link = inside.server.link.as_ref().context("no link for the first owner")?;
    let token = crate::serve::owner(inside.server.address, link.url.reveal()).await?;
    let request = Request::builder().header(AUTHORIZATION, format!("Bearer {token}")).body(())?;
    let (parts, ()) = request.into_parts();
    let contact = Contact::default();
    let (mut checks, mut hashes) = (Spread::default(), Spread::default());
    let rounds = settings.count.unwrap_or(ROUNDS);
    for _ in 0..settings.runs {
        let begun = Instant::now();
        for _ in 0..rounds {
            match house.oauth.recognise(black_box(&parts), &contact).await {
                Ok(Some(caller)) => drop(black_box(caller)),
                _ => bail!("the token was refused"),
            }
        }
        checks.add(nanos(begun, rounds));
        let begun = Instant::now();
        for _ in 0..rounds {
            black_box(crypto::hash::sha256(black_box(token.as_bytes())));
        }
        hashes.add(nanos(begun, rounds));
    }
    inside.server.stop().await;
    let row = Row {
        figure: "bearer check, cached".into(),
        goal: "< 2 µs",
        measured: format!("{} ns", checks.text()),
        floor: format!("SHA-256 of the token {} ns", hashes.text()),
        beside: format!("{rounds} checks a run, one thread, token of {} bytes", token.len()),
    };
    row.print();
    Ok(())
}

fn nanos(begun: Instant, rounds: u64) -> f64 {
    begun.elapsed().as_secs_f64() * 1e9 / rounds as f64
}
