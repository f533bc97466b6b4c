//! The check of the whole log: every leaf of every organization, the tree built anew, every checkpoint, every tile.

use std::collections::HashMap;

use evidence::GENESIS;
use merkle::{Appended, Hash, Tile, TileId, Tree, leaf_hash};
use types::{FactId, OrgId};

use super::check::Check;
use super::mark::{self, Mark};
use super::{Broken, Ended, Verification, VerifyFrom};
use crate::position::Position;
use crate::store::{self, LoggedFact};
use crate::tiles::Fetched;
use crate::{Inner, Ledger, LedgerError};

const PAGE: i64 = 250;

impl Ledger {
    /// Checks everything that the instance has recorded; `from` is the start or the last check. Numbers in the answer
    /// are leaves of the log.
    ///
    /// # Errors
    /// Only when the check could not be made; what does not hold is an answer.
    pub async fn verify_log(&self, from: VerifyFrom) -> Result<Verification, LedgerError> {
        let mut run =
            Run { ledger: &self.0, tree: Tree::new(), orgs: HashMap::new(), first: 0, checkpoint: None };
        let broken = match run.check(from).await {
            Ok(()) => None,
            Err(ended) => Some(ended.broken()?),
        };
        Ok(Verification {
            verified: broken.is_none(),
            checked_count: run.tree.size() - run.first,
            broken_at_event_id: broken.as_ref().and_then(|broken| broken.event),
            reason: broken.map(|broken| broken.reason),
            from: run.first,
            to: run.tree.size(),
            checkpoint: run.checkpoint,
        })
    }
}

struct Run<'a> {
    ledger: &'a Inner,
    tree: Tree,
    orgs: HashMap<OrgId, Check>,
    first: u64,
    checkpoint: Option<String>,
}

impl Run<'_> {
    async fn check(&mut self, from: VerifyFrom) -> Result<(), Ended> {
        let head = store::head(&self.ledger.db).await?;
        self.checkpoint = self.ledger.newest_trusted(head.size).await?.map(|(_, _, note)| note);
        if from == VerifyFrom::LastVerified {
            self.resume().await?;
        }
        while self.tree.size() < head.size {
            let page = store::run_of_log(&self.ledger.db, self.tree.size(), PAGE).await?;
            self.page(page).await?;
        }
        if let Some(extra) =
            store::run_of_log(&self.ledger.db, head.size, 1).await?.into_iter().flatten().next()
        {
            // A batch may have come in since the head was read.
            let now = store::head(&self.ledger.db).await?;
            if extra.leaf.seq >= now.size {
                return Err(Broken::at(extra.leaf.fact, "it stands behind the end of the log").into());
            }
        }
        let position = Position::of(&self.ledger.db, &head).await?;
        if let Some(mut row) = self.ledger.db.read_one(store::SEQUENCER, position.passed_over(None)).await? {
            return Err(Broken::at(
                row.id::<FactId>()?,
                "it stands in the table, but was never recorded in the log",
            )
            .into());
        }
        let mark = Mark { at: self.tree.size(), hash: self.tree.root() };
        Ok(mark::save(self.ledger, None, &mark).await?)
    }

    /// Goes on behind the last check, if the tree still has the root that it had then.
    async fn resume(&mut self) -> Result<(), Ended> {
        let Some(mark) = mark::load(self.ledger, None).await? else { return Ok(()) };
        let tiles = Fetched::new(&self.ledger.db, &TileId::edge(mark.at)).await?;
        let tree = Tree::resume(mark.at, &tiles).map_err(|error| Broken::at(None, error.to_string()))?;
        if tree.root() != mark.hash {
            return Err(Broken::at(
                None,
                format!("the first {} leaves are not those of the last check", mark.at),
            )
            .into());
        }
        (self.tree, self.first) = (tree, mark.at);
        Ok(())
    }

    async fn page(&mut self, page: Vec<Option<LoggedFact>>) -> Result<(), Ended> {
        let start = self.tree.size();
        if page.is_empty() {
            return Err(Broken::at(None, format!("leaf {start} and all behind it are missing")).into());
        }
        let mut hashes: Vec<Hash> = Vec::with_capacity(page.len());
        for (seq, logged) in (start..).zip(page) {
            let logged = logged.ok_or_else(|| Broken::at(None, format!("leaf {seq} is unreadable")))?;
            if logged.leaf.seq != seq {
                return Err(Broken::at(logged.leaf.fact, format!("leaf {seq} is missing before it")).into());
            }
            let ledger = self.ledger;
            self.check_of(&logged).await?.take(ledger, &logged).await?;
            hashes.push(leaf_hash(&logged.leaf.entry));
        }
        self.grow(start, &hashes).await
    }

    async fn check_of(&mut self, logged: &LoggedFact) -> Result<&mut Check, Ended> {
        let (org, ledger) = (logged.leaf.org, self.ledger);
        if !self.orgs.contains_key(&org) {
            let before = if self.first == 0 {
                None
            } else {
                store::last_leaf_before(&ledger.db, org, self.first).await?
            };
            let check = match before {
                Some(leaf) => Check::behind(ledger, &leaf).await?,
                None => Check::new(ledger, org, 1, GENESIS).await?,
            };
            self.orgs.insert(org, check);
        }
        self.orgs.get_mut(&org).ok_or_else(|| Broken::at(None, "an organization has no check").into())
    }

    /// Grows the tree through every checkpoint on the way and holds the tiles against the stored ones.
    async fn grow(&mut self, start: u64, hashes: &[Hash]) -> Result<(), Ended> {
        let end = start + hashes.len() as u64;
        let mut rest = hashes;
        for (size, root) in store::checkpoints_between(&self.ledger.db, start, end).await? {
            let (to_it, behind) =
                rest.split_at(usize::try_from(size - self.tree.size()).unwrap_or(rest.len()));
            let appended = self.tree.append(to_it);
            if appended.root != root {
                return Err(Broken::at(
                    None,
                    format!("the log does not lead to its checkpoint of size {size}"),
                )
                .into());
            }
            self.hold_tiles(appended).await?;
            rest = behind;
        }
        let appended = self.tree.append(rest);
        self.hold_tiles(appended).await
    }

    /// Whole tiles only: those at the edge grow while we look.
    async fn hold_tiles(&self, appended: Appended) -> Result<(), Ended> {
        for Tile { level, index, hashes } in
            appended.tiles.into_iter().filter(|tile| tile.hashes.len() == merkle::TILE_WIDTH)
        {
            let id =
                TileId::new(level, index, hashes.len()).ok_or_else(|| Broken::at(None, "no such tile"))?;
            if store::tile(&self.ledger.db, id).await? != Some(hashes) {
                return Err(Broken::at(
                    None,
                    format!("the stored {id} is not that of the leaves; rebuild the tiles"),
                )
                .into());
            }
        }
        Ok(())
    }
}
