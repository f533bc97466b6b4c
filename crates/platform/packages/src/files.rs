//! Where environments lie: `<directory>/<organization>/<SHA-256 of the lock>`. Finished ones only: what is being built lies
//! beside them under a name that begins with a dot, and becomes one by being renamed.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use types::{OrgId, Timestamp};

use crate::Lock;

const BUILDING: &str = ".building";
const REMOVING: &str = ".removing";

/// How often a use is noted.
const NOTED: Duration = Duration::from_secs(3600);

#[derive(Clone, Debug)]
pub(crate) struct Files {
    directory: PathBuf,
}

/// Held by whoever builds or removes; of all processes, one at a time for each organization. The kernel lets go of it when
/// its holder dies, however that is.
pub(crate) struct Held {
    _lock: File,
    home: PathBuf,
}

impl Files {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// The environment, if it is there; notes that it is used.
    pub(crate) fn find(&self, org: OrgId, lock: &Lock, now: Timestamp) -> Option<PathBuf> {
        let path = self.home(org).join(name(lock));
        let used = path.metadata().ok()?.modified().ok()?;
        let now = time(now);
        if now.duration_since(used).is_ok_and(|since| since > NOTED) {
            // Somebody who cannot note it uses it all the same.
            let _noted = File::open(&path).and_then(|folder| folder.set_modified(now));
        }
        Some(path)
    }

    /// `None` while another holds it.
    pub(crate) fn hold(&self, org: OrgId) -> io::Result<Option<Held>> {
        let home = self.home(org);
        DirBuilder::new().recursive(true).mode(0o700).create(&home)?;
        Held::of(home)
    }

    /// Every organization's directory.
    pub(crate) fn homes(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(&self.directory).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
    }

    fn home(&self, org: OrgId) -> PathBuf {
        self.directory.join(org.to_string())
    }
}

impl Held {
    pub(crate) fn of(home: PathBuf) -> io::Result<Option<Self>> {
        let lock = File::options().create(true).truncate(false).write(true).open(home.join(".lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { _lock: lock, home })),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }

    /// A place to build at, which does not exist; what an earlier builder left there is gone.
    pub(crate) fn building(&self) -> io::Result<PathBuf> {
        let place = self.home.join(BUILDING);
        remove(&place)?;
        Ok(place)
    }

    /// The finished environment takes its place, durable before it is seen.
    pub(crate) fn finish(&self, lock: &Lock, now: Timestamp) -> io::Result<PathBuf> {
        let (building, path) = (self.home.join(BUILDING), self.home.join(name(lock)));
        let folder = File::open(&building)?;
        rustix::fs::syncfs(&folder)?;
        folder.set_modified(time(now))?;
        std::fs::rename(&building, &path)?;
        File::open(&self.home)?.sync_all()?;
        Ok(path)
    }

    /// Removes what nobody has used since `since`, and what was left half done. Answers how many environments went.
    pub(crate) fn clean(&self, since: SystemTime) -> io::Result<usize> {
        remove(&self.home.join(BUILDING))?;
        remove(&self.home.join(REMOVING))?;
        let mut removed = 0;
        for entry in std::fs::read_dir(&self.home)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if metadata.is_dir() && metadata.modified()? < since {
                // First out of sight, whole.
                let out = self.home.join(REMOVING);
                std::fs::rename(entry.path(), &out)?;
                remove(&out)?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

fn name(lock: &Lock) -> String {
    hex::encode(lock.sha256())
}

pub(crate) fn time(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(at.millis()).unwrap_or(0))
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        told => told,
    }
}
