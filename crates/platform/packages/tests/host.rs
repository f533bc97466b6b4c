//! The program that the tests start: the launcher, or a server that builds one environment until it is killed.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use egress::{Egress, EgressSettings};
use safeconduct_packages::{Environments, Ground, Index, PackagesSettings};
use sandbox::{Identity, Interpreter, Launcher, OrgSlot, Sandbox, Settings};
use types::World;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    sandbox::become_launcher_if_asked();
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [python, uv, wheels, directory, org, requirement] = words.as_slice() else {
        return Err("python, uv, wheels, directory, organization, requirement".into());
    };
    let settings =
        Settings::new(Interpreter::discover(Path::new(python))?, Identity::detect(2_000_000, 65_536));
    let launcher = Launcher::start(&settings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let sandbox =
            Sandbox::new(launcher, settings, Arc::new(|_, stream| Box::pin(async move { drop(stream) })));
        let ground = Ground {
            sandbox,
            egress: Egress::new(EgressSettings::default())?,
            world: World::system(),
            uv: Ok(PathBuf::from(uv)),
        };
        let environments = Environments::new(
            ground,
            PackagesSettings {
                directory: directory.into(),
                index: Index::Directory(wheels.into()),
                environment_bytes: 256 << 20,
                environment_files: 10_000,
                build_timeout: Duration::from_secs(60),
                keep: Duration::from_secs(3600),
            },
        );
        let slot = OrgSlot::new(1).ok_or("no such slot")?;
        let build = environments.prepare(org.parse()?, slot, vec![requirement.parse()?], [].into());
        let mut told = 0;
        loop {
            let lines = build.lines_after(told).await;
            for line in &lines {
                told = line.number;
                writeln!(std::io::stdout(), "{}", line.text)?;
            }
            if lines.is_empty() {
                let ended = build.ended().ok_or("the lines ended before the build")?;
                writeln!(std::io::stdout(), "{}", ended.map_err(|error| error.to_string())?.path.display())?;
                return Ok(());
            }
        }
    })
}
