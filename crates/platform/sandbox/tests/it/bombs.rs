//! Code that takes more than it may: each bomb has its named outcome, and leaves nothing behind.

use std::time::Duration;

use safeconduct_sandbox::{Clock, Guard, Limits, LogSource, Outcome, Sandbox};

use crate::fixture::{answer, failure, limits, outcome, outcome_without, report, sandbox, zygote};
use crate::processes;

async fn outcome_within(sandbox: &Sandbox, code: &str, limits: Limits) -> Outcome {
    report(sandbox, zygote(code), limits).await.0.outcome
}

#[tokio::test]
async fn a_loop_that_waits_times_out_by_the_wall_clock() {
    let sandbox = sandbox();
    let code = "import time\ndef handler(i, c):\n    while True: time.sleep(60)\n";
    let limits = Limits { wall: Duration::from_millis(200), ..limits() };
    assert_eq!(outcome_within(&sandbox, code, limits).await, Outcome::TimedOut(Clock::Wall));
    processes::only_those_at_rest(sandbox.launcher_pid()).await;
}

#[tokio::test]
async fn a_loop_that_works_times_out_by_processor_time() {
    let sandbox = sandbox();
    let code = "def handler(i, c):\n    while True: pass\n";
    let limits = Limits { cpu: Duration::from_millis(300), ..limits() };
    assert_eq!(outcome_within(&sandbox, code, limits).await, Outcome::TimedOut(Clock::Cpu));
}

#[tokio::test]
async fn processor_time_is_counted_over_all_processes_of_the_call() {
    let sandbox = sandbox();
    let code = "
import os, time
def handler(i, c):
    for n in range(8):
        if os.fork() == 0:
            end = time.process_time() + 0.5
            while time.process_time() < end: pass
            os._exit(0)
    for n in range(8):
        os.wait()
    return 'done'
";
    let limits = Limits { cpu: Duration::from_millis(500), ..limits() };
    assert_eq!(outcome_within(&sandbox, code, limits.clone()).await, Outcome::TimedOut(Clock::Cpu));
    let control = report(&sandbox, zygote(code).without(&[Guard::Watch]), limits).await.0.outcome;
    assert_eq!(answer(control), "done");
}

#[tokio::test]
async fn without_the_watch_the_kernels_own_clock_ends_a_busy_process() {
    let sandbox = sandbox();
    let code = "def handler(i, c):\n    while True: pass\n";
    let limits = Limits { cpu: Duration::from_secs(1), ..limits() };
    let ended = report(&sandbox, zygote(code).without(&[Guard::Watch]), limits).await.0;
    assert_eq!(ended.outcome, Outcome::TimedOut(Clock::Cpu), "{ended:?}");
}

const HEAP: &str = "
def handler(i, c):
    held = []
    for n in range(256):
        held.append(b'x' * (1 << 20))
    return len(held)
";

#[tokio::test]
async fn a_heap_over_the_limit_is_ended() {
    let sandbox = sandbox();
    assert_eq!(answer(outcome_without(&sandbox, HEAP, &[Guard::Watch]).await), 256);
    let endless = HEAP.replace("range(256)", "iter(int, 1)");
    assert_eq!(outcome(&sandbox, &endless).await, Outcome::MemoryExceeded);
    assert_only_some(&sandbox);
}

/// Control and attack have a zygote each, and each two forks that wait.
fn assert_only_some(sandbox: &Sandbox) {
    let left = processes::below(sandbox.launcher_pid());
    assert!(left.len() <= 8, "{left:?}");
}

#[tokio::test]
async fn memory_is_counted_over_all_processes_of_the_call() {
    let sandbox = sandbox();
    let code = "
import os, time
def handler(i, c):
    for n in range(4):
        if os.fork() == 0:
            held = [b'x' * (1 << 20) for _ in range(60)]
            os.write(1, b'held')
            while True: time.sleep(60)
    while True: time.sleep(60)
";
    assert_eq!(outcome(&sandbox, code).await, Outcome::MemoryExceeded);
    processes::only_those_at_rest(sandbox.launcher_pid()).await;
}

#[tokio::test]
async fn memory_that_processes_share_is_counted_once() {
    let sandbox = sandbox();
    let code = "
import os, time
def handler(i, c):
    held = [b'x' * (1 << 20) for _ in range(60)]
    ready, tell = os.pipe()
    children = []
    for n in range(6):
        pid = os.fork()
        if pid == 0:
            time.sleep(0.3)
            os._exit(0)
        children.append(pid)
    for pid in children: os.waitpid(pid, 0)
    return len(held)
";
    assert_eq!(answer(outcome(&sandbox, code).await), 60);
}

#[tokio::test]
async fn shared_anonymous_memory_counts() {
    let sandbox = sandbox();
    let code = "
import mmap, time
def handler(i, c):
    held = []
    while True:
        held.append(mmap.mmap(-1, 1 << 20))
        held[-1].write(b'x' * (1 << 20))
";
    assert_eq!(outcome(&sandbox, code).await, Outcome::MemoryExceeded);
}

#[tokio::test]
async fn a_full_tmpfs_counts_as_memory() {
    let sandbox = sandbox();
    let code = "
import time
def handler(i, c):
    piece = b'x' * (1 << 20)
    with open('/tmp/bomb', 'wb', buffering=0) as file:
        for n in range(112): file.write(piece)
    held = [b'x' * (1 << 20) for _ in range(40)]
    while True: time.sleep(60)
";
    assert_eq!(outcome(&sandbox, code).await, Outcome::MemoryExceeded);
}

#[tokio::test]
async fn a_mapped_file_of_the_tmpfs_counts_once() {
    let sandbox = sandbox();
    let code = "
import mmap, time
def handler(i, c):
    with open('/tmp/data', 'w+b') as file:
        file.truncate(80 << 20)
        held = mmap.mmap(file.fileno(), 80 << 20)
        for at in range(0, 80 << 20, 4096): held[at] = 1
        time.sleep(0.3)
        return len(held)
";
    assert_eq!(answer(outcome(&sandbox, code).await), 80 << 20);
}

/// A look takes time, in which the file is mapped and let go.
#[tokio::test]
async fn a_file_that_is_mapped_again_and_again_counts_once() {
    let sandbox = sandbox();
    let code = "
import mmap, time
def handler(i, c):
    with open('/tmp/data', 'w+b') as file:
        file.truncate(80 << 20)
        until = time.monotonic() + 2
        while time.monotonic() < until:
            with mmap.mmap(file.fileno(), 80 << 20, flags=mmap.MAP_SHARED | mmap.MAP_POPULATE): pass
        return 'ok'
";
    assert_eq!(answer(outcome(&sandbox, code).await), "ok");
}

#[tokio::test]
async fn a_full_disk_is_an_error_that_the_code_sees() {
    let sandbox = sandbox();
    let code = "
def handler(i, c):
    with open('/tmp/bomb', 'wb', buffering=0) as file:
        while True: file.write(b'x' * (1 << 20))
";
    let limits = Limits { storage: 8 << 20, ..limits() };
    let full = failure(outcome_within(&sandbox, code, limits).await);
    assert_eq!(
        (full.kind.as_str(), full.message.as_str()),
        ("OSError", "[Errno 28] No space left on device")
    );
}

#[tokio::test]
async fn files_without_bytes_run_out_too() {
    let sandbox = sandbox();
    let code = "
import os
def handler(i, c):
    for n in range(100_000):
        os.close(os.open(f'/tmp/{n}', os.O_CREAT))
";
    let full = failure(outcome(&sandbox, code).await);
    assert!(full.message.starts_with("[Errno 28]"), "{full:?}");
}

#[tokio::test]
async fn a_process_of_very_many_maps_is_ended_all_the_same() {
    let sandbox = sandbox();
    let code = "
import ctypes, mmap
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
def handler(i, c):
    for n in range(20_000):
        libc.mmap(None, ctypes.c_size_t(4096), 1 + 2 * (n % 2), 0x22, -1, ctypes.c_long(0))
    held = []
    while True: held.append(b'x' * (1 << 20))
";
    assert_eq!(outcome(&sandbox, code).await, Outcome::MemoryExceeded);
}

#[tokio::test]
async fn a_file_over_its_limit_is_an_error_that_the_code_sees() {
    let sandbox = sandbox();
    let code = "
def handler(i, c):
    with open('/tmp/big', 'wb', buffering=0) as file:
        for n in range(8): assert file.write(b'x' * (1 << 20)) == 1 << 20
    return 'done'
";
    let limits = Limits { file_size: 4 << 20, ..limits() };
    let control = report(&sandbox, zygote(code).without(&[Guard::Resources]), limits.clone()).await.0.outcome;
    assert_eq!(answer(control), "done");
    let refused = failure(outcome_within(&sandbox, code, limits).await);
    assert_eq!((refused.kind.as_str(), refused.message.as_str()), ("OSError", "[Errno 27] File too large"));
}

#[tokio::test]
async fn too_many_open_files_are_refused() {
    let sandbox = sandbox();
    let code = "import os\ndef handler(i, c):\n    return [os.open('/dev/null', 0) for _ in range(300)][-1] >= 300\n";
    assert_eq!(answer(outcome_without(&sandbox, code, &[Guard::Resources]).await), true);
    assert!(failure(outcome(&sandbox, code).await).message.starts_with("[Errno 24]"));
}

#[tokio::test]
async fn memory_outside_of_every_count_cannot_be_had() {
    let sandbox = sandbox();
    let code = "import os\ndef handler(i, c):\n    return os.memfd_create('bomb') > 2\n";
    assert_eq!(answer(outcome_without(&sandbox, code, &[Guard::Syscalls]).await), true);
    assert!(failure(outcome(&sandbox, code).await).message.starts_with("[Errno 1]"));
}

const FORKS: &str = "
import os, time
def handler(i, c):
    made = 0
    try:
        while made < 200:
            if os.fork() == 0:
                while True: time.sleep(60)
            made += 1
    except OSError as error:
        return {'made': made, 'errno': error.errno}
    return {'made': made}
";

#[tokio::test]
async fn a_fork_bomb_is_held_and_leaves_nothing() {
    let sandbox = sandbox();
    let held = answer(outcome(&sandbox, FORKS).await);
    assert_eq!(held, serde_json::json!({"made": 63, "errno": 11}));
    processes::only_those_at_rest(sandbox.launcher_pid()).await;
    let control = answer(outcome_without(&sandbox, FORKS, &[Guard::Resources]).await);
    assert_eq!(control, serde_json::json!({"made": 200}));
    assert_only_some(&sandbox);
}

#[tokio::test]
async fn an_exponential_fork_bomb_times_out_and_leaves_nothing() {
    let sandbox = sandbox();
    let code = "
import os
def handler(i, c):
    while True:
        try: os.fork()
        except OSError: pass
";
    let limits = Limits { wall: Duration::from_secs(1), ..limits() };
    assert_eq!(outcome_within(&sandbox, code, limits).await, Outcome::TimedOut(Clock::Wall));
    processes::only_those_at_rest(sandbox.launcher_pid()).await;
}

#[tokio::test]
async fn ten_thousand_small_forks_do_not_hide_from_the_count() {
    let sandbox = sandbox();
    let code = "
import os
def handler(i, c):
    for n in range(10_000):
        pid = os.fork()
        if pid == 0: os._exit(0)
        os.waitpid(pid, 0)
    return 'done'
";
    let within = Limits { wall: Duration::from_secs(600), cpu: Duration::from_millis(500), ..limits() };
    assert_eq!(outcome_within(&sandbox, code, within).await, Outcome::TimedOut(Clock::Cpu));
    let control = Limits { wall: Duration::from_secs(600), cpu: Duration::from_secs(600), ..limits() };
    assert_eq!(answer(outcome_within(&sandbox, code, control).await), "done");
}

#[tokio::test]
async fn threads_count_as_processes() {
    let sandbox = sandbox();
    let code = "
import threading
def handler(i, c):
    stop = threading.Event()
    for n in range(200): threading.Thread(target=stop.wait, daemon=True).start()
";
    let refused = failure(outcome(&sandbox, code).await);
    assert_eq!(refused.message, "can't start new thread");
    processes::only_those_at_rest(sandbox.launcher_pid()).await;
}

#[tokio::test]
async fn output_over_its_limit_is_not_taken() {
    let sandbox = sandbox();
    let code = "def handler(i, c):\n    return 'x' * 5000\n";
    let small = Limits { output: 4096, ..limits() };
    assert_eq!(outcome_within(&sandbox, code, small).await, Outcome::OutputTooLarge { limit: 4096 });
    let large = Limits { output: 5002, ..limits() };
    assert_eq!(answer(outcome_within(&sandbox, code, large).await).as_str().unwrap().len(), 5000);
}

#[tokio::test]
async fn a_log_over_its_limit_is_cut_and_says_so() {
    let sandbox = sandbox();
    let code = "import os\ndef handler(i, c):\n    while True:\n        print('x' * 99)\n        os.write(2, b'y' * 100)\n";
    let limits = Limits { wall: Duration::from_millis(500), log_bytes: 10_000, ..limits() };
    let (report, lines) = report(&sandbox, zygote(code), limits).await;
    assert_eq!((&report.outcome, report.logs_truncated), (&Outcome::TimedOut(Clock::Wall), true));
    let (last, kept) = lines.split_last().unwrap();
    assert_eq!(last.source, LogSource::Sandbox);
    assert!(kept.iter().map(|line| line.text.len()).sum::<usize>() <= 10_000);
}

#[tokio::test]
async fn bombs_at_load_time_have_the_same_names() {
    let sandbox = sandbox();
    let heap = "held = []\nwhile True: held.append(b'x' * (1 << 20))\n";
    assert_eq!(outcome(&sandbox, heap).await, Outcome::MemoryExceeded);
    let busy = Limits { cpu: Duration::from_millis(300), ..limits() };
    assert_eq!(outcome_within(&sandbox, "while True: pass\n", busy).await, Outcome::TimedOut(Clock::Cpu));
}

#[tokio::test]
async fn processes_that_a_module_starts_on_the_side_count_together() {
    let sandbox = sandbox();
    // CLONE_PARENT makes each a child of init, as a call is; each alone is within its limit.
    let code = format!(
        "
import ctypes, time
libc = ctypes.PyDLL(None)
for n in range(12):
    if libc.syscall({}, {}, 0, 0, 0, 0) == 0:
        held = [b'x' * (1 << 20) for _ in range(50)]
        while True: time.sleep(60)
while True: time.sleep(60)
",
        libc::SYS_clone,
        libc::CLONE_PARENT | libc::SIGCHLD
    );
    let limits = Limits { memory: 64 << 20, ..limits() };
    assert_eq!(outcome_within(&sandbox, &code, limits).await, Outcome::MemoryExceeded);
}
