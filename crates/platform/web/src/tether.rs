//! What holds a stream to its reader's rights: it ends when anything that the reader stands on dies, when their token
//! expires, when their rights change, and after five minutes in any case (a run's: five seconds). The reader comes back
//! with `Last-Event-ID` and is looked at anew.

use std::time::Duration;

use cluster::{Feed, Kin};
use tokio::time::Instant;
use types::{Id, Timestamp, Uuid, World};

use crate::{Allowance, Means, TriggerId};

/// How soon a stream notices.
const GLANCE: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);
/// For a run's token, which ends with the run: nothing tells of that but looking.
const LONGEST_OF_A_RUN: Duration = Duration::from_secs(5);

pub struct Tether {
    feed: Feed,
    world: World,
    /// Of the reader's token or session, for what may have died since.
    revision: i64,
    stands_on: Vec<Kin>,
    /// When the stream began, for rights that changed since.
    opened_at: i64,
    decided_for: Vec<Uuid>,
    expires_at: Option<Timestamp>,
    until: Instant,
}

impl Tether {
    pub fn of(by: &Allowance, feed: &Feed, world: &World) -> Self {
        let caller = by.caller();
        let principals = || caller.links().map(|link| link.principal);
        let mut stands_on: Vec<Kin> = vec![Kin { kind: "org", key: caller.org.uuid() }];
        stands_on.extend(principals().map(|who| Kin { kind: who.kind(), key: who.uuid() }));
        let mut on = |kind, key: Option<Uuid>| stands_on.extend(key.map(|key| Kin { kind, key }));
        on(caller.trigger.map_or("hook", TriggerId::kind), caller.trigger.map(TriggerId::uuid));
        let expires_at = match &caller.means {
            Means::Trigger => None,
            Means::Session { session, .. } => {
                on("session", Some(session.uuid()));
                None
            }
            Means::Token { jti, credential, session, key, run, expires_at, .. } => {
                on("token", Some(jti.uuid()));
                on("run", run.map(|run| run.uuid()));
                on("credential", credential.map(|id| id.uuid()));
                on("session", session.map(|id| id.uuid()));
                on("api_key", key.map(|id| id.uuid()));
                Some(*expires_at)
            }
            Means::Key { key, expires_at } => {
                on("api_key", Some(key.uuid()));
                *expires_at
            }
        };
        let of_a_run = matches!(caller.means, Means::Token { run: Some(_), .. });
        let longest = if of_a_run { LONGEST_OF_A_RUN } else { LONGEST };
        let mut decided_for: Vec<Uuid> = principals().map(|who| who.uuid()).collect();
        decided_for.push(caller.org.uuid());
        Self {
            feed: feed.clone(),
            world: world.clone(),
            revision: caller.revision,
            stands_on,
            opened_at: feed.applied(),
            decided_for,
            expires_at,
            until: Instant::now() + longest,
        }
    }

    fn holds(&self) -> bool {
        let expired = self.expires_at.is_some_and(|end| end <= self.world.now());
        !expired
            && Instant::now() < self.until
            && !self.feed.is_dead(self.revision, &self.stands_on)
            && !self.feed.has_stirred(self.opened_at, &self.decided_for)
    }

    /// What comes next; `None` when the stream is over. Nothing is handed out that came when the tether had torn.
    pub async fn next<T>(&self, coming: impl Future<Output = Option<T>>) -> Option<T> {
        tokio::pin!(coming);
        loop {
            if !self.holds() {
                return None;
            }
            tokio::select! {
                next = &mut coming => return next.filter(|_| self.holds()),
                () = tokio::time::sleep(GLANCE) => {}
            }
        }
    }
}
