//! Makes one jail: the namespaces, the id map, and in them our own init.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::net::SendFlags;
use rustix::process::{
    DumpableBehavior, Pid, PidfdFlags, Signal, kill_process, pidfd_open, set_dumpable_behavior,
};

use super::watch::Watch;
use crate::guard::Guard;
use crate::identity::{INSIDE, IdMap};
use crate::jail::{self, Init};
use crate::message::{JailPlan, Limit, Message};
use crate::packet;
use crate::sys::{self, Side, Tally};

/// A jail as the launcher knows it.
pub(super) struct Jail {
    /// Init's pidfd.
    pub(super) process: OwnedFd,
    /// To init. Dropping it ends the jail.
    pub(super) link: OwnedFd,
    pub(super) tally: Tally,
    pub(super) watch: Watch,
}

pub(super) fn launch(plan: JailPlan, control: OwnedFd) -> io::Result<Jail> {
    let (link, theirs) = packet::pair()?;
    let tally = Tally::new()?;
    let watch = Watch::new(&plan);
    let ids = plan.ids.clone();
    // An ordinary user may write the id map of a dumpable process only; init stops being one when it is mapped.
    set_dumpable_behavior(DumpableBehavior::Dumpable)?;
    let cloned = sys::clone_into(namespaces(&plan)).map_err(|error| explain(&error));
    let pid = match cloned {
        Ok(Side::Child) => jail::run(Init { plan, control, launcher: theirs, tally }),
        Ok(Side::Parent(pid)) => Ok(pid),
        Err(error) => Err(error),
    };
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    let pid = pid?;
    let jail = Jail { process: pidfd_open(pid, PidfdFlags::empty())?, link, tally, watch };
    let mapped = map_ids(pid, &ids).and_then(|()| {
        let go = Limit { pid: None, cause: None }.frame();
        Ok(packet::send(&jail.link, &go, &[], SendFlags::empty())?)
    });
    if let Err(error) = mapped {
        // It waits for a word that will not come.
        let _killed = kill_process(pid, Signal::KILL);
        return Err(error);
    }
    Ok(jail)
}

fn namespaces(plan: &JailPlan) -> i32 {
    let mut flags = libc::CLONE_NEWUSER | libc::CLONE_NEWNS | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS;
    if plan.removed.stands(Guard::Processes) {
        flags |= libc::CLONE_NEWPID;
    }
    if plan.removed.stands(Guard::Network) {
        flags |= libc::CLONE_NEWNET;
    }
    flags
}

fn explain(error: &io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!(
            "this host does not let us make namespaces ({error}); allow unprivileged user namespaces \
             (user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns, the container's profile)"
        ),
    )
}

/// One user and one group, and no way to others.
fn map_ids(pid: Pid, ids: &IdMap) -> io::Result<()> {
    let process = Path::new("/proc").join(pid.as_raw_nonzero().to_string());
    match ids {
        IdMap::Direct { uid, gid } => {
            fs::write(process.join("setgroups"), "deny")?;
            fs::write(process.join("gid_map"), format!("{INSIDE} {gid} 1"))?;
            fs::write(process.join("uid_map"), format!("{INSIDE} {uid} 1"))
        }
        IdMap::Helped { uid, gid, helpers: [for_users, for_groups] } => {
            ask(for_groups, pid, *gid)?;
            ask(for_users, pid, *uid)
        }
    }
}

fn ask(helper: &Path, pid: Pid, id: u32) -> io::Result<()> {
    let words = [pid.as_raw_nonzero().get().unsigned_abs(), INSIDE, id, 1].map(|number| number.to_string());
    let output = Command::new(helper).args(words).env_clear().stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{}: {}", helper.display(), said.trim())))
}
