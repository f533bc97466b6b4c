//! Room on the disk. When it gets short, new acts are refused while there is still space to revoke and to kill: a reserve
//! file is given up for those, and made again once there is room.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::fs::{FallocateFlags, fallocate, statvfs};
use telemetry::Stop;

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// New acts are refused while less is free than both of the floors say.
#[derive(Clone, Debug)]
pub struct DiskSettings {
    /// What is watched, and where the reserve lies.
    pub directory: PathBuf,
    pub floor_bytes: u64,
    pub floor_percent: u64,
    /// Size of the reserve; none if 0.
    pub reserve_bytes: u64,
}

impl DiskSettings {
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), floor_bytes: 1 << 30, floor_percent: 5, reserve_bytes: 32 << 20 }
    }
}

/// Bytes that are free for us, and all there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Space {
    pub(crate) free: u64,
    pub(crate) total: u64,
}

type Measure = Box<dyn Fn(&Path) -> Result<Space> + Send + Sync>;

pub(crate) struct Disk {
    settings: DiskSettings,
    low: AtomicBool,
    measure: Measure,
}

impl Disk {
    pub(crate) fn new(settings: DiskSettings) -> Self {
        Self::measured_by(settings, space)
    }

    fn measured_by(
        settings: DiskSettings,
        measure: impl Fn(&Path) -> Result<Space> + Send + Sync + 'static,
    ) -> Self {
        Self { settings, low: AtomicBool::new(false), measure: Box::new(measure) }
    }

    pub(crate) fn is_low(&self) -> bool {
        self.low.load(Ordering::Relaxed)
    }

    pub(crate) async fn watch(&self, stop: &Stop) {
        loop {
            if let Err(error) = self.look() {
                tracing::warn!(%error, directory = %self.settings.directory.display(), "the disk cannot be watched");
            }
            tokio::select! {
                () = stop.requested() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    fn look(&self) -> Result<()> {
        let Space { free, total } = (self.measure)(&self.settings.directory)?;
        let reserved = self.reserve().exists();
        // Without its file, the reserve is room that must not be counted on.
        let beyond = if reserved { free } else { free.saturating_sub(self.settings.reserve_bytes) };
        let low = beyond < self.settings.floor_bytes
            && beyond.saturating_mul(100) < total.saturating_mul(self.settings.floor_percent);
        match (self.low.swap(low, Ordering::Relaxed), low) {
            (false, true) => tracing::error!(free, total, "the disk is almost full; new acts are refused"),
            (true, false) => tracing::info!(free, total, "there is room on the disk again"),
            _ => {}
        }
        match (reserved, low) {
            (true, true) => std::fs::remove_file(self.reserve()),
            (false, false) if self.settings.reserve_bytes > 0 => self.make_reserve(),
            _ => Ok(()),
        }
    }

    fn reserve(&self) -> PathBuf {
        self.settings.directory.join("reserve")
    }

    fn make_reserve(&self) -> Result<()> {
        let file: File = match OpenOptions::new().write(true).create_new(true).open(self.reserve()) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(()),
            opened => opened?,
        };
        // Blocks, not a hole: a hole gives nothing back.
        let made = fallocate(&file, FallocateFlags::empty(), 0, self.settings.reserve_bytes);
        made.or_else(|error| std::fs::remove_file(self.reserve()).and(Err(error.into())))
    }
}

fn space(directory: &Path) -> Result<Space> {
    let found = statvfs(directory)?;
    Ok(Space { free: found.f_bavail * found.f_frsize, total: found.f_blocks * found.f_frsize })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;
    use std::sync::Arc;
    use std::sync::atomic::AtomicU64;

    use super::*;

    const GB: u64 = 1 << 30;

    /// A disk of 100 GB with as much free as the number says.
    fn disk(free: &Arc<AtomicU64>) -> (tempfile::TempDir, Disk) {
        let directory = tempfile::tempdir().unwrap();
        let settings = DiskSettings { reserve_bytes: 1 << 20, ..DiskSettings::new(directory.path()) };
        let free = free.clone();
        let measure = move |_: &Path| Ok(Space { free: free.load(Ordering::SeqCst), total: 100 * GB });
        (directory, Disk::measured_by(settings, measure))
    }

    #[test]
    fn the_reserve_is_given_up_when_room_gets_short_and_made_again() {
        let free = Arc::new(AtomicU64::new(50 * GB));
        let (directory, disk) = disk(&free);
        let reserve = directory.path().join("reserve");
        disk.look().unwrap();
        assert!(!disk.is_low());
        assert_eq!(std::fs::metadata(&reserve).unwrap().len(), 1 << 20);
        assert_eq!(std::fs::metadata(&reserve).unwrap().blocks() * 512, 1 << 20, "blocks, not a hole");

        free.store(GB - 1, Ordering::SeqCst);
        disk.look().unwrap();
        assert!(disk.is_low() && !reserve.exists());
        // What the reserve gave back is not room for new acts.
        free.store(GB - 1 + (1 << 20), Ordering::SeqCst);
        disk.look().unwrap();
        assert!(disk.is_low() && !reserve.exists());
        free.store(GB + (1 << 20), Ordering::SeqCst);
        disk.look().unwrap();
        assert!(!disk.is_low() && reserve.exists());
    }

    #[test]
    fn both_floors_must_be_passed() {
        let free = Arc::new(AtomicU64::new(4 * GB));
        let (_directory, disk) = disk(&free);
        disk.look().unwrap();
        assert!(!disk.is_low(), "4 % of a large disk is room enough");
        let small = move |_: &Path| Ok(Space { free: GB / 2, total: GB });
        let settings = DiskSettings::new(tempfile::tempdir().unwrap().path());
        let disk = Disk::measured_by(DiskSettings { reserve_bytes: 0, ..settings }, small);
        disk.look().unwrap();
        assert!(!disk.is_low(), "half of a small disk is room enough");
    }

    #[test]
    fn this_machine_s_disk_can_be_measured() {
        let directory = tempfile::tempdir().unwrap();
        let Space { free, total } = space(directory.path()).unwrap();
        assert!(free > 0 && free <= total);
    }
}
