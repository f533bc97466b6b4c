//! Load over many connections by one thread: as much as the server takes, or at a pace.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, ensure};
use futures::future::try_join_all;
use tokio::time::{Instant, sleep_until};

use crate::http::{Connection, Request};
use crate::spread::Times;

pub(crate) struct Plan<'a> {
    pub(crate) address: SocketAddr,
    /// Sent in turn; each connection begins elsewhere.
    pub(crate) requests: &'a [Request],
    pub(crate) connections: usize,
    pub(crate) warm_up: Duration,
    pub(crate) time: Duration,
    /// Requests a second in all; as fast as answered if none.
    pub(crate) pace: Option<f64>,
}

pub(crate) struct Taken<S> {
    pub(crate) times: Times,
    /// All of them, those of the warm-up too.
    pub(crate) answers: u64,
    pub(crate) seconds: f64,
    /// What `sample` gave at the begin and at the end of the measured time.
    pub(crate) before: S,
    pub(crate) after: S,
}

impl<S> Taken<S> {
    pub(crate) fn rate(&self) -> f64 {
        self.times.len() as f64 / self.seconds
    }
}

impl Plan<'_> {
    /// Runs it; an answer other than 200 ends it.
    pub(crate) async fn run<S>(&self, sample: impl AsyncFn() -> Result<S>) -> Result<Taken<S>> {
        let mut connections = Vec::with_capacity(self.connections);
        for _ in 0..self.connections {
            connections.push(Connection::open(self.address).await?);
        }
        let begin = Instant::now() + self.warm_up;
        let window = (begin, begin + self.time);
        let lanes =
            connections.into_iter().enumerate().map(|(lane, connection)| self.lane(lane, connection, window));
        let sampled = async {
            sleep_until(window.0).await;
            let (before, from) = (sample().await?, Instant::now());
            sleep_until(window.1).await;
            let seconds = from.elapsed().as_secs_f64();
            Ok((before, sample().await?, seconds))
        };
        let (lanes, (before, after, seconds)) = futures::try_join!(try_join_all(lanes), sampled)?;
        let (mut times, mut answers) = (Times::default(), 0);
        for (of_lane, answered) in lanes {
            times.extend(of_lane);
            answers += answered;
        }
        Ok(Taken { times, answers, seconds, before, after })
    }

    async fn lane(
        &self,
        lane: usize,
        mut connection: Connection,
        (begin, end): (Instant, Instant),
    ) -> Result<(Times, u64)> {
        let (mut times, mut answers) = (Times::default(), 0);
        let mut schedule = self.pace.map(|pace| Schedule::new(lane, self.connections, pace));
        for turn in lane.. {
            let sent = match &mut schedule {
                None => Instant::now(),
                Some(schedule) => schedule.next().await,
            };
            let request = &self.requests[turn % self.requests.len()];
            let answer = connection.ask(request).await?;
            let (status, body) = (answer.status, answer.body);
            ensure!(status == 200, "the server answered {status}: {}", String::from_utf8_lossy(body));
            let now = Instant::now();
            answers += 1;
            if now >= end {
                break;
            }
            if now >= begin {
                times.add(now - sent);
            }
        }
        Ok((times, answers))
    }
}

/// When a lane sends. A request that had to wait for the one before it counts from its time, so that a slow server
/// cannot hide behind the generator's patience.
struct Schedule {
    next: Instant,
    every: Duration,
}

impl Schedule {
    fn new(lane: usize, lanes: usize, pace: f64) -> Self {
        let every = Duration::from_secs_f64(lanes as f64 / pace);
        Self { next: Instant::now() + every.mul_f64(lane as f64 / lanes as f64), every }
    }

    async fn next(&mut self) -> Instant {
        let due = self.next;
        self.next += self.every;
        let late = Instant::now() >= due;
        if late {
            return due;
        }
        sleep_until(due).await;
        // The timer's own coarseness is not the server's.
        Instant::now()
    }
}
