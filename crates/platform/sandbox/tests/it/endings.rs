//! However a call, a zygote, the launcher or the server ends: nothing stays, and the next call works.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use safeconduct_sandbox::Outcome;
use serde_json::json;

use crate::fixture::{answer, call, interpreter, limits, outcome, sandbox, test_host, zygote};
use crate::processes;

const ENDLESS: &str = "
import os, time
def handler(i, c):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            print('daemon', flush=True)
            while True: time.sleep(60)
        os._exit(0)
    while True: time.sleep(60)
";

fn kill(pid: u32) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL).unwrap();
}

#[tokio::test]
async fn cancel_kills_every_descendant() {
    let sandbox = sandbox();
    let (call, mut lines) = call(zygote(ENDLESS), limits());
    let cancel = call.cancel.clone();
    let watched = async {
        lines.recv().await.unwrap();
        let inside = processes::below(sandbox.launcher_pid());
        assert!(inside.len() >= 4, "init, zygote, call and its daemon: {inside:?}");
        cancel.cancel();
    };
    let (report, ()) = tokio::join!(sandbox.call(call), watched);
    assert_eq!(report.unwrap().outcome, Outcome::Cancelled);
    processes::only_those_at_rest(sandbox.launcher_pid()).await;
}

#[tokio::test]
async fn a_dropped_call_is_a_killed_call() {
    let sandbox = sandbox();
    let (call, mut lines) = call(zygote(ENDLESS), limits());
    let inside = {
        let running = sandbox.call(call);
        tokio::pin!(running);
        tokio::select! { _ = &mut running => panic!("it ended"), _ = lines.recv() => {} }
        processes::below(sandbox.launcher_pid())
    };
    assert!(inside.len() >= 4, "{inside:?}");
    sandbox.recycle(None);
    for pid in inside {
        processes::ended(pid).await;
    }
}

/// Of a server that stops nothing stays, whoever still holds the sandbox.
#[tokio::test]
async fn a_sandbox_that_is_closed_leaves_nothing_and_makes_nothing() {
    let sandbox = sandbox();
    assert_eq!(answer(outcome(&sandbox, "def handler(i, c):\n    return 1\n").await), 1);
    let launcher = sandbox.launcher_pid();
    let inside = processes::below(launcher);
    assert!(inside.len() >= 2, "{inside:?}");
    sandbox.close().await;
    for pid in inside {
        processes::ended(pid).await;
    }
    assert!(!processes::is_alive(launcher));
    let (call, _lines) = call(zygote("def handler(i, c):\n    return 2\n"), limits());
    assert!(sandbox.call(call).await.is_err());
    assert!(!processes::is_alive(sandbox.launcher_pid()));
}

#[tokio::test]
async fn what_a_handler_leaves_running_ends_with_its_answer() {
    let sandbox = sandbox();
    let code = "
import os, threading, time
def handler(i, c):
    threading.Thread(target=time.sleep, args=(3600,)).start()
    if os.fork() == 0:
        os.setsid()
        while True: time.sleep(60)
    return 'answered'
";
    assert_eq!(answer(outcome(&sandbox, code).await), "answered");
    processes::only_those_at_rest(sandbox.launcher_pid()).await;
}

#[tokio::test]
async fn a_call_leaves_nothing_for_the_next_one() {
    let sandbox = sandbox();
    let code = "
import builtins, json, os, socket, sys
kept = []
def handler(i, c):
    seen = {
        'kept': list(kept), 'files': os.listdir('/tmp'), 'shm': os.listdir('/dev/shm'), 'cwd': os.getcwd(),
        'environ': os.environ.get('LEFT'), 'builtin': hasattr(builtins, 'left'), 'recursion': sys.getrecursionlimit(),
    }
    kept.append(1)
    open('/tmp/left', 'w').close()
    open('/dev/shm/left', 'w').close()
    os.mkdir('/tmp/directory')
    os.chdir('/tmp/directory')
    os.environ['LEFT'] = 'yes'
    builtins.left = True
    sys.setrecursionlimit(77)
    json.dumps = None
    return seen
";
    let clean = json!({
        "kept": [], "files": [], "shm": [], "cwd": "/tmp", "environ": null, "builtin": false, "recursion": 1000,
    });
    for _ in 0..3 {
        assert_eq!(answer(outcome(&sandbox, code).await), clean);
    }
}

#[tokio::test]
async fn an_end_without_an_answer_is_named() {
    let sandbox = sandbox();
    let quiet = outcome(&sandbox, "import os\ndef handler(i, c):\n    os._exit(3)\n").await;
    assert_eq!(
        quiet,
        Outcome::Crashed { reason: "the process ended with status 3 before it answered".into() }
    );
    let broken = "import ctypes\ndef handler(i, c):\n    ctypes.string_at(0)\n";
    assert_eq!(outcome(&sandbox, broken).await, Outcome::Killed { signal: 11 });
    let at_load = outcome(&sandbox, "import os\nos._exit(3)\n").await;
    assert!(matches!(at_load, Outcome::Crashed { .. }), "{at_load:?}");
    assert_eq!(answer(outcome(&sandbox, "def handler(i, c):\n    return 'next'\n").await), "next");
}

#[tokio::test]
async fn nonsense_on_the_calls_socket_ends_that_call_only() {
    let sandbox = sandbox();
    for bytes in [
        "b'\\xff' * 64",
        "b'\\x00\\x00\\x00\\x01\\x0f' + b'x'",
        "b'\\x00\\x00\\x00\\x02\\x09' + b'{]'",
        "b'\\x7f\\xff\\xff\\xff\\x05'",
    ] {
        let code = format!(
            "import os, time\ndef handler(i, c):\n    os.write(3, {bytes})\n    while True: time.sleep(60)\n"
        );
        let ended = outcome(&sandbox, &code).await;
        assert!(
            matches!(&ended, Outcome::Crashed { reason } if reason.starts_with("the call broke the protocol")),
            "{ended:?}"
        );
    }
    assert_eq!(answer(outcome(&sandbox, "def handler(i, c):\n    return 'next'\n").await), "next");
}

#[tokio::test]
async fn a_zygote_that_lies_about_its_call_loses_its_jail() {
    let sandbox = sandbox();
    // Takes the place of the runner's loop: names processes that are not its call.
    for pid in ["1", "30001", "0", "4000000000", "77"] {
        let code = format!(
            "import json, os, socket, struct
def frame(kind, fields):
    payload = json.dumps(fields).encode()
    return struct.pack('>IB', len(payload), kind) + payload
control = socket.socket(fileno=3)
control.send(frame(3, {{'nested': True, 'landlock': 0}}))
while control.recv(65536):
    control.send(frame(14, {{'call': 0, 'pid': {pid}}}))
"
        );
        let ended = outcome(&sandbox, &code).await;
        assert_eq!(
            ended,
            Outcome::Crashed { reason: "the jail ended while the call ran".into() },
            "pid {pid}"
        );
    }
}

#[tokio::test]
async fn when_the_launcher_is_killed_its_runs_crash_and_the_next_call_works() {
    let sandbox = sandbox();
    let (call, mut lines) = call(zygote(ENDLESS), limits());
    let first = sandbox.launcher_pid();
    let watched = async {
        lines.recv().await.unwrap();
        let inside = processes::below(first);
        kill(first);
        inside
    };
    let (report, inside) = tokio::join!(sandbox.call(call), watched);
    assert_eq!(
        report.unwrap().outcome,
        Outcome::Crashed { reason: "the jail ended while the call ran".into() }
    );
    for pid in inside {
        processes::ended(pid).await;
    }
    assert_eq!(answer(outcome(&sandbox, "def handler(i, c):\n    return 'next'\n").await), "next");
    assert_ne!(sandbox.launcher_pid(), first);
}

#[tokio::test]
async fn kill_9_of_the_server_leaves_no_process() {
    let mut server =
        Command::new(test_host()).arg(interpreter().path).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let launcher: u32 = line.trim().strip_prefix("running ").unwrap().parse().unwrap();
    let mut doomed = processes::below(launcher);
    assert!(doomed.len() >= 4, "init, zygote, call and its child: {doomed:?}");
    doomed.insert(launcher);
    server.kill().unwrap();
    server.wait().unwrap();
    for pid in &doomed {
        processes::ended(*pid).await;
    }
    assert!(doomed.iter().all(|pid| !processes::is_alive(*pid)));
}

#[tokio::test]
async fn the_launcher_has_nothing_of_the_servers() {
    let sandbox = sandbox();
    let launcher = format!("/proc/{}", sandbox.launcher_pid());
    let open = std::fs::read_dir(format!("{launcher}/fd"));
    if !rustix::process::geteuid().is_root() {
        // It is not dumpable: not even its own user may look.
        assert_eq!(open.unwrap_err().kind(), std::io::ErrorKind::PermissionDenied);
        return;
    }
    let mut targets: Vec<String> = open
        .unwrap()
        .map(|fd| std::fs::read_link(fd.unwrap().path()).unwrap().display().to_string())
        .collect();
    targets.sort();
    assert_eq!(targets.len(), 4, "{targets:?}");
    assert!(
        targets[..3].iter().all(|target| target == "/dev/null") && targets[3].starts_with("socket:"),
        "{targets:?}"
    );
    assert_eq!(std::fs::read(format!("{launcher}/environ")).unwrap(), b"");
    let status = std::fs::read_to_string(format!("{launcher}/status")).unwrap();
    assert!(status.contains("Threads:\t1\n"), "{status}");
}
