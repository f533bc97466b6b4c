//! The jail's file tree: an allow-list of read-only binds in a fresh tmpfs, then `pivot_root` into it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MountPropagationFlags, MoveMountFlags,
    OpenTreeFlags, UnmountFlags, fsconfig_create, fsconfig_set_string, fsmount, fsopen, mount, mount_change,
    move_mount, open_tree, unmount,
};
use rustix::process::{chdir, fchdir, pivot_root};

use crate::guard::Guard;
use crate::identity::INSIDE;
use crate::message::{Bind, JailPlan};
use crate::sys;

/// Where the new root stands until it is the root. Every Linux has the directory; only this mount namespace sees it.
const STAGE: &str = "/tmp";
const RUNNER: &str = include_str!("../runner.py");
/// The runner's path inside every jail.
pub(super) const RUNNER_PATH: &str = "/safeconduct/runner.py";
const DEVICES: [&str; 4] = ["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"];

/// A host path that was opened while the launcher's user still counted.
pub(super) enum Source {
    Link { at: PathBuf, to: PathBuf },
    Tree { at: PathBuf, tree: OwnedFd, directory: bool },
}

/// Opens what the allow-list names, still as the launcher's user: an interpreter under a home directory is reachable
/// for it, and for nobody in the jail. `Root` removed, the list is the whole host.
pub(super) fn open_sources(allow_list: &[PathBuf], binds: &[Bind]) -> io::Result<Vec<Source>> {
    let devices = DEVICES.iter().map(|path| (PathBuf::from(path), true));
    let listed = allow_list.iter().map(|path| (path.clone(), false)).chain(devices);
    let bound = binds.iter().map(|Bind { from, at }| open_tree_of(from, at.clone(), false));
    listed.map(|(at, device)| open_source(at, device)).chain(bound).collect()
}

fn open_source(at: PathBuf, device: bool) -> io::Result<Source> {
    let kind = at.symlink_metadata().map_err(|error| at_path(&at, error))?.file_type();
    if kind.is_symlink() {
        let to = fs::read_link(&at)?;
        return Ok(Source::Link { at, to });
    }
    open_tree_of(&at.clone(), at, device)
}

fn open_tree_of(from: &Path, at: PathBuf, device: bool) -> io::Result<Source> {
    let directory = from.metadata().map_err(|error| at_path(from, error))?.is_dir();
    let flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
    let tree = open_tree(CWD, from, flags).map_err(|error| at_path(from, error.into()))?;
    // Devices must stay openable; everything else may not be one.
    let mut attributes = libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID;
    attributes |= if device { libc::MOUNT_ATTR_NOEXEC } else { libc::MOUNT_ATTR_NODEV };
    sys::set_mount_flags(tree.as_fd(), attributes).map_err(|error| at_path(from, error))?;
    Ok(Source::Tree { at, tree, directory })
}

/// Builds the root and enters it; nothing of the old one is reachable after.
pub(super) fn enter(plan: &JailPlan, sources: Vec<Source>) -> io::Result<()> {
    let root = tmpfs("4m", "0755")?;
    move_mount(&root, "", CWD, STAGE, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?;
    fchdir(&root)?;
    for source in sources {
        place(source)?;
    }
    furnish()?;
    mount_scratch(plan.storage.min(plan.memory))?;
    mount_proc()?;
    pivot_root(".", ".")?;
    unmount(".", UnmountFlags::DETACH)?;
    chdir("/")?;
    seal_root()
}

/// Keeps the host's tree (a test removed the guard) and only makes the places that the runner needs.
pub(super) fn keep_host(plan: &JailPlan) -> io::Result<()> {
    let stage = tmpfs("4m", "0755")?;
    move_mount(&stage, "", CWD, "/opt", MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?;
    fs::write("/opt/runner.py", RUNNER)?;
    chdir("/")?;
    mount_scratch(plan.storage.min(plan.memory))?;
    if plan.removed.stands(Guard::Processes) { mount_proc() } else { Ok(()) }
}

/// Everything in this namespace stops hearing from the host's mounts.
pub(super) fn stop_propagation() -> io::Result<()> {
    Ok(mount_change("/", MountPropagationFlags::REC | MountPropagationFlags::PRIVATE)?)
}

fn place(source: Source) -> io::Result<()> {
    match source {
        Source::Link { at, to } => {
            let at = inside(&at);
            make_parents(&at)?;
            symlink(to, &at).map_err(|error| at_path(&at, error))
        }
        Source::Tree { at, tree, directory } => {
            let at = inside(&at);
            if directory {
                make_directory(&at)?;
            } else {
                make_parents(&at)?;
                write(&at, "")?;
            }
            move_mount(&tree, "", CWD, &at, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
                .map_err(|error| at_path(&at, error.into()))
        }
    }
}

/// The few files that C libraries look for, and the runner.
fn furnish() -> io::Result<()> {
    for directory in ["proc", "tmp", "safeconduct", "etc", "var", "dev"] {
        make_directory(Path::new(directory))?;
    }
    let user = format!("sandbox:x:{INSIDE}:{INSIDE}::/tmp:/bin/false\n");
    write(Path::new("etc/passwd"), &user)?;
    write(Path::new("etc/group"), &format!("sandbox:x:{INSIDE}:\n"))?;
    write(Path::new("etc/hosts"), "127.0.0.1 localhost\n::1 localhost\n")?;
    write(Path::new("etc/nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files\n")?;
    write(Path::new(RUNNER_PATH.trim_start_matches('/')), RUNNER)?;
    for (at, to) in [("dev/shm", "/tmp"), ("dev/fd", "/proc/self/fd"), ("var/tmp", "/tmp")] {
        symlink(to, at)?;
    }
    Ok(())
}

fn mount_scratch(bytes: u64) -> io::Result<()> {
    let scratch = tmpfs(&bytes.to_string(), "0700")?;
    Ok(move_mount(&scratch, "", CWD, "tmp", MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?)
}

/// The jail's own processes only. A host that forbids it (a container that hides parts of its `/proc`) gets none.
fn mount_proc() -> io::Result<()> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    for options in [c"hidepid=invisible,subset=pid", c"hidepid=2"] {
        match mount("proc", "proc", "proc", flags, options) {
            Ok(()) => return Ok(()),
            Err(Errno::PERM) => break,
            Err(_) => {}
        }
    }
    Ok(mount("tmpfs", "proc", "tmpfs", flags | MountFlags::RDONLY, c"size=4k,nr_inodes=2")?)
}

fn tmpfs(size: &str, mode: &str) -> io::Result<OwnedFd> {
    let filesystem = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    let owner = INSIDE.to_string();
    // Empty files cost kernel memory that no size counts.
    let files = ("nr_inodes", "65536");
    for (key, value) in
        [("size", size), files, ("mode", mode), ("uid", owner.as_str()), ("gid", owner.as_str())]
    {
        fsconfig_set_string(&filesystem, key, value)?;
    }
    fsconfig_create(&filesystem)?;
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
    Ok(fsmount(&filesystem, FsMountFlags::FSMOUNT_CLOEXEC, attributes)?)
}

/// The root itself becomes read-only; `/tmp` stays the one place to write.
fn seal_root() -> io::Result<()> {
    let flags = MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV | MountFlags::BIND;
    Ok(rustix::mount::mount_remount("/", flags, "")?)
}

fn inside(path: &Path) -> PathBuf {
    path.strip_prefix("/").unwrap_or(path).to_owned()
}

fn make_parents(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), make_directory)
}

fn make_directory(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o755).create(path).map_err(|error| at_path(path, error))
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| at_path(path, error))
}

fn at_path(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// The directory through which the launcher watches this jail's processes.
pub(super) fn open_proc() -> io::Result<OwnedFd> {
    Ok(rustix::fs::open("/proc", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}
