//! What stands behind the door of a build jail: a simple repository (PEP 503, PEP 691) with the files of the operator's
//! index, and the place where the finished environment is handed in.
//!
//! The jail can ask for nothing but names of packages and files that it was shown. Refused packages do not exist here,
//! whoever brings them along.

mod directory;
mod page;
mod remote;
mod serve;

use std::collections::BTreeSet;
use std::path::PathBuf;

use egress::Egress;
use page::Wheel;
use parking_lot::Mutex;

use crate::build::Log;
use crate::unpack::{UnpackError, Unpacker};
use crate::{Index, Name};

/// Files that one build may be shown: a popular package has some thousands.
const MOST_FILES: usize = 200_000;

/// The door of one build.
pub(crate) struct Door {
    pub(crate) source: Index,
    pub(crate) egress: Egress,
    pub(crate) refused: BTreeSet<Name>,
    /// Bytes of one file.
    pub(crate) largest: usize,
    pub(crate) log: Log,
    shown: Mutex<Vec<Shown>>,
    taken: Mutex<Taken>,
}

/// A file that the jail may ask for.
#[derive(Clone)]
struct Shown {
    wheel: Wheel,
    place: Place,
}

#[derive(Clone)]
enum Place {
    Disk(PathBuf),
    Web(String),
}

/// What became of the environment.
enum Taken {
    /// None is expected: the build only resolves.
    Closed,
    Open(Unpacker),
    Spoilt(UnpackError),
}

impl Door {
    pub(crate) fn new(
        source: Index,
        egress: Egress,
        refused: BTreeSet<Name>,
        largest: u64,
        log: Log,
        unpacker: Option<Unpacker>,
    ) -> Self {
        Self {
            source,
            egress,
            refused,
            largest: usize::try_from(largest).unwrap_or(usize::MAX),
            log,
            shown: Mutex::default(),
            taken: Mutex::new(unpacker.map_or(Taken::Closed, Taken::Open)),
        }
    }

    /// The environment that was handed in, if all of it was.
    pub(crate) fn take(&self) -> Result<Option<Unpacker>, UnpackError> {
        match std::mem::replace(&mut *self.taken.lock(), Taken::Closed) {
            Taken::Closed => Ok(None),
            Taken::Open(unpacker) => Ok(unpacker.finished().then_some(unpacker)),
            Taken::Spoilt(error) => Err(error),
        }
    }

    /// The files of a package, each with the number under which the jail may ask for it. `None` if there is no such package.
    async fn project(&self, name: &Name, base: &str) -> Result<Option<String>, String> {
        if self.refused.contains(name) {
            self.log.say(format!("{name} is refused here"));
            return Ok(None);
        }
        let found = match &self.source {
            Index::Directory(directory) => {
                directory::wheels(directory, name).await.map_err(|error| error.to_string())?
            }
            Index::Remote(index) => remote::wheels(&self.egress, &index.url, name).await?,
        };
        let Some(found) = found else {
            self.log.say(format!("{name} is not in the index"));
            return Ok(None);
        };
        let mut shown = self.shown.lock();
        if shown.len() + found.len() > MOST_FILES {
            return Err("the packages of one environment have too many files".into());
        }
        let first = shown.len();
        shown.extend(found);
        let files = shown.iter().enumerate().skip(first);
        let files = files.map(|(number, shown)| {
            shown.wheel.told(&format!("{base}/files/{number}/{}", shown.wheel.filename))
        });
        Ok(Some(page::render(name, files.collect())))
    }

    fn shown(&self, number: &str, filename: &str) -> Option<Shown> {
        let shown = self.shown.lock();
        shown.get(number.parse::<usize>().ok()?).filter(|shown| shown.wheel.filename == filename).cloned()
    }

    /// A piece of the environment.
    fn push(&self, piece: &[u8]) -> Result<(), String> {
        let mut taken = self.taken.lock();
        let told = match &mut *taken {
            Taken::Open(unpacker) => unpacker.push(piece),
            Taken::Closed | Taken::Spoilt(_) => return Err("nothing is taken here".into()),
        };
        told.map_err(|error| {
            let said = error.to_string();
            *taken = Taken::Spoilt(error);
            said
        })
    }
}
