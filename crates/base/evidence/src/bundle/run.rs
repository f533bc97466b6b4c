//! Takes the lines of a bundle up in their order: hashes what is shown, counts the run, keeps what the proof needs.

use crypto::hash::sha256;
use merkle::{Hash, leaf_hash};
use serde::{Deserialize, Serialize};
use types::FactId;

use super::error::Problem;
use super::read::Line;
use crate::{ClearHead, entry};

/// The kind of fact that a purge leaves; its data is an [`Erasure`].
pub const PURGED: &str = "audit.purged";

/// A range of the organization's order, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    pub first: u64,
    pub last: u64,
}

#[derive(Default)]
pub(super) struct Run {
    phase: Phase,
    lines: u64,
    pub(super) org: String,
    pub(super) first: u64,
    /// The number that the next record must have.
    pub(super) next: u64,
    /// Index in the tree and leaf hash.
    pub(super) leaves: Vec<(u64, Hash)>,
    /// As `leaves`, of the purge records outside the run.
    pub(super) outside: Vec<(u64, Hash)>,
    pending: Option<Pending>,
    pub(super) records: u64,
    pub(super) withheld: u64,
    pub(super) erased: Vec<u64>,
    pub(super) erasures: Vec<Erasure>,
    /// Earliest and latest; times of one form sort as texts.
    pub(super) times: Option<(String, String)>,
    pub(super) nodes: Vec<Hash>,
    pub(super) checkpoint: String,
    pub(super) earlier: Option<String>,
    pub(super) grown: Vec<Hash>,
    /// The last record's id.
    event: String,
}

/// What may come now; it only grows.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    #[default]
    Magic,
    Org,
    First,
    Records,
    Purges,
    Proof,
    Earlier,
    End,
    Over,
}

/// A record whose private part may follow.
struct Pending {
    hash: Hash,
    purge: bool,
    outside: bool,
}

impl Pending {
    fn new(head: &ClearHead<'_>, outside: bool) -> Result<Self, Problem> {
        let mut hash = [0; 32];
        hex::decode_to_slice(head.private_hash, &mut hash).map_err(|_| Problem::Clear)?;
        Ok(Self { hash, purge: head.kind == PURGED, outside })
    }
}

#[derive(Deserialize)]
struct PurgeRecord {
    data: Erasure,
}

impl Run {
    /// The last record that was read.
    pub(super) fn event(&self) -> Option<FactId> {
        self.event.parse().ok()
    }

    pub(super) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    pub(super) fn take(&mut self, line: Line<'_>) -> Result<(), Problem> {
        if !matches!(line, Line::Private(_)) {
            self.settle()?;
        }
        self.lines += 1;
        match line {
            Line::Magic => self.step(&[Phase::Magic], Phase::Org),
            Line::Org(text) => {
                text.clone_into(&mut self.org);
                self.step(&[Phase::Org], Phase::First)
            }
            Line::First(number) => {
                (self.first, self.next) = (number, number);
                self.step(&[Phase::First], Phase::Records)
            }
            Line::Record { seq, clear } => {
                self.step(&[Phase::Records], Phase::Records)?;
                self.record(seq, clear)
            }
            Line::Erased { seq, entry } => {
                self.step(&[Phase::Records], Phase::Records)?;
                self.erased.push(self.next);
                self.count(seq, &entry)
            }
            Line::Purge { seq, clear } => {
                self.step(&[Phase::Records, Phase::Purges], Phase::Purges)?;
                self.purge(seq, clear)
            }
            Line::Private(private) => self.private(private),
            Line::Node(hash) => {
                self.nodes.push(hash);
                self.step(&[Phase::Records, Phase::Purges, Phase::Proof], Phase::Proof)
            }
            Line::Checkpoint(note) => {
                self.checkpoint = note;
                self.step(&[Phase::Records, Phase::Purges, Phase::Proof], Phase::Earlier)
            }
            Line::Earlier(note) => {
                self.earlier = Some(note);
                self.step(&[Phase::Earlier], Phase::End)
            }
            Line::Grown(hash) => {
                self.grown.push(hash);
                self.step(&[Phase::End], Phase::End)
            }
            Line::End(lines) if lines == self.lines - 1 => {
                self.step(&[Phase::Earlier, Phase::End], Phase::Over)
            }
            Line::End(_) => Err(Problem::Order),
        }
    }

    fn step(&mut self, allowed: &[Phase], next: Phase) -> Result<(), Problem> {
        if !allowed.contains(&self.phase) {
            return Err(Problem::Order);
        }
        self.phase = next;
        Ok(())
    }

    fn record(&mut self, seq: u64, clear: &[u8]) -> Result<(), Problem> {
        let head = self.head(clear)?;
        if head.org_seq != self.next {
            return Err(Problem::Gap);
        }
        self.pending = Some(Pending::new(&head, false)?);
        self.take_time(head.occurred_at);
        self.count(seq, &entry(clear))
    }

    fn purge(&mut self, seq: u64, clear: &[u8]) -> Result<(), Problem> {
        let head = self.head(clear)?;
        if head.kind != PURGED || (self.first..self.next).contains(&head.org_seq) {
            return Err(Problem::Order);
        }
        self.pending = Some(Pending::new(&head, true)?);
        self.outside.push((seq, leaf_hash(&entry(clear))));
        Ok(())
    }

    fn head<'a>(&mut self, clear: &'a [u8]) -> Result<ClearHead<'a>, Problem> {
        let head: ClearHead<'a> = serde_json::from_slice(clear).map_err(|_| Problem::Clear)?;
        head.id.clone_into(&mut self.event);
        match () {
            () if head.v != 1 => Err(Problem::Clear),
            () if head.org != self.org => Err(Problem::Organization),
            () => Ok(head),
        }
    }

    fn take_time(&mut self, time: &str) {
        let (earliest, latest) = self.times.get_or_insert_with(|| (time.to_owned(), time.to_owned()));
        if time < earliest.as_str() {
            time.clone_into(earliest);
        }
        if time > latest.as_str() {
            time.clone_into(latest);
        }
    }

    fn private(&mut self, private: &[u8]) -> Result<(), Problem> {
        let pending = self.pending.take().ok_or(Problem::Order)?;
        if sha256(private) != pending.hash {
            return Err(Problem::Private);
        }
        if pending.purge {
            let record: PurgeRecord = serde_json::from_slice(private).map_err(|_| Problem::Private)?;
            self.erasures.push(record.data);
        }
        self.records += u64::from(!pending.outside);
        Ok(())
    }

    /// The record before this line came without its private part.
    fn settle(&mut self) -> Result<(), Problem> {
        match self.pending.take() {
            Some(Pending { outside: true, .. }) => Err(Problem::Order),
            Some(_) => {
                self.withheld += 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn count(&mut self, seq: u64, entry: &Hash) -> Result<(), Problem> {
        if self.leaves.last().is_some_and(|(last, _)| *last >= seq) {
            return Err(Problem::Gap);
        }
        self.leaves.push((seq, leaf_hash(entry)));
        self.next = self.next.checked_add(1).ok_or(Problem::Gap)?;
        Ok(())
    }
}
