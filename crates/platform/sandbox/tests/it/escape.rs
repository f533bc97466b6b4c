//! Ways out of the jail. Each attack succeeds first without its guards, then fails in the jail with its errno.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use safeconduct_sandbox::{Guard, Identity, OrgSlot, Sandbox, ZygoteSpec};
use serde_json::{Value, json};

use crate::fixture::{answer, limits, outcome, outcome_without, report, sandbox, settings, zygote};

/// Wraps `attack()`: `{'done': …}` when it succeeds, `{'errno': …}` when the kernel refuses.
const PRELUDE: &str = "
import ctypes, os, socket, struct
libc = ctypes.CDLL(None, use_errno=True)

def system(number, *arguments):
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return checked(libc.syscall(ctypes.c_long(number), *words))

def checked(answer):
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return answer

def handler(input, context):
    try: return {'done': attack()}
    except OSError as error: return {'errno': error.errno}
";

struct Attack {
    sandbox: Sandbox,
    code: String,
}

impl Attack {
    fn new(attack: &str) -> Self {
        Self {
            sandbox: sandbox(),
            code: format!("{PRELUDE}\ndef attack():\n    {}\n", attack.trim().replace('\n', "\n    ")),
        }
    }

    /// The control: without these guards it must get what it wants.
    async fn succeeds_without(&self, guards: &[Guard], with: Value) -> &Self {
        assert_eq!(
            answer(outcome_without(&self.sandbox, &self.code, guards).await),
            json!({"done": with}),
            "{}",
            self.code
        );
        self
    }

    async fn fails_with(&self, errno: i32) {
        assert_eq!(
            answer(outcome(&self.sandbox, &self.code).await),
            json!({"errno": errno}),
            "{}",
            self.code
        );
    }

    async fn fails_with_any(&self, errnos: [i32; 2]) {
        let got = answer(outcome(&self.sandbox, &self.code).await);
        assert!(errnos.iter().any(|errno| got == json!({"errno": errno})), "{got}: {}", self.code);
    }

    async fn gets(&self, with: Value) {
        assert_eq!(answer(outcome(&self.sandbox, &self.code).await), json!({"done": with}), "{}", self.code);
    }
}

/// A file of the server's user that nobody else may read, in a directory that everybody may enter.
fn secret_file() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::Builder::new()
        .permissions(fs::Permissions::from_mode(0o755))
        .tempdir_in("/var/tmp")
        .unwrap();
    let path = directory.path().join("key");
    fs::write(&path, "the key").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    (directory, path)
}

/// A process of the server's user with a secret in its environment.
struct Victim(Child);

impl Victim {
    fn start() -> Self {
        Self(Command::new("sleep").arg("3600").env("VICTIM", "the key").stdin(Stdio::null()).spawn().unwrap())
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[tokio::test]
async fn a_host_file_of_the_servers_user_does_not_exist() {
    let (_directory, path) = secret_file();
    let attack = Attack::new(&format!("return open('{}').read()", path.display()));
    attack
        .succeeds_without(&[Guard::Root, Guard::Identity], json!("the key"))
        .await
        .fails_with(libc::ENOENT)
        .await;
}

#[tokio::test]
async fn even_with_the_hosts_files_in_sight_another_host_user_cannot_read_them() {
    // Own identity is the one case in which this guard does not exist; `doctor` notes it.
    if settings().identity == Identity::Own {
        return;
    }
    let (_directory, path) = secret_file();
    let attack = Attack::new(&format!("return open('{}').read()", path.display()));
    let without_root = outcome_without(&attack.sandbox, &attack.code, &[Guard::Root]).await;
    assert_eq!(answer(without_root), json!({"errno": libc::EACCES}));
}

#[tokio::test]
async fn a_link_to_a_host_file_leads_nowhere() {
    let (_directory, path) = secret_file();
    let link = format!("os.symlink('{}', '/tmp/link')\nreturn open('/tmp/link').read()", path.display());
    let attack = Attack::new(&link);
    attack
        .succeeds_without(&[Guard::Root, Guard::Identity], json!("the key"))
        .await
        .fails_with(libc::ENOENT)
        .await;
    let up = format!("return open('/tmp/../../../../..{}').read()", path.display());
    Attack::new(&up).fails_with(libc::ENOENT).await;
}

#[tokio::test]
async fn the_host_cannot_be_written_to() {
    let (directory, _) = secret_file();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let attack =
        Attack::new(&format!("return open('{}/planted', 'w').write('x')", directory.path().display()));
    attack.succeeds_without(&[Guard::Root, Guard::Landlock], json!(1)).await.fails_with(libc::ENOENT).await;
    assert!(directory.path().join("planted").exists());
}

#[tokio::test]
async fn the_shared_interpreter_and_the_runner_cannot_be_written_to() {
    let runner = "import sys\npath = sys.modules['__main__'].__file__\nreturn open(path, 'r+').write('#')";
    let attack = Attack::new(runner);
    attack.succeeds_without(&[Guard::Root, Guard::Landlock], json!(1)).await.fails_with(libc::EROFS).await;
    // Refused by its owner already, or by the mount where the server's user owns the interpreter.
    Attack::new("return open(os.__file__, 'r+').write('#')")
        .fails_with_any([libc::EACCES, libc::EROFS])
        .await;
    Attack::new("return open('/planted', 'w').write('#')").fails_with(libc::EROFS).await;
}

#[tokio::test]
async fn landlock_forbids_what_the_mounts_would_allow() {
    let attack = Attack::new("return open('/proc/self/comm', 'w').write('x')");
    attack
        .succeeds_without(&[Guard::Landlock, Guard::Dumpable], json!(1))
        .await
        .fails_with(libc::EACCES)
        .await;
}

#[tokio::test]
async fn the_environment_holds_four_harmless_words() {
    let attack = Attack::new("return sorted(os.environ)");
    attack.gets(json!(["HOME", "LANG", "PATH", "TMPDIR"])).await;
}

#[tokio::test]
async fn the_servers_processes_and_their_environment_do_not_exist() {
    let victim = Victim::start();
    let without = [Guard::Processes, Guard::Root, Guard::Identity, Guard::Landlock, Guard::Nesting];
    let attack = Attack::new(&format!("return open('/proc/{}/cmdline').read()", victim.pid()));
    attack.succeeds_without(&without, json!("sleep\u{0}3600\u{0}")).await.fails_with(libc::ENOENT).await;
    // The user namespace guards it even where `/proc` is the host's and the user the same; it cannot be taken away.
    let environ = Attack::new(&format!("return open('/proc/{}/environ').read()", victim.pid()));
    let unguarded = outcome_without(&environ.sandbox, &environ.code, &without).await;
    assert_eq!(answer(unguarded), json!({"errno": libc::EACCES}));
    environ.fails_with(libc::ENOENT).await;
    let listing = Attack::new("return [name for name in os.listdir('/proc') if name.isdigit()]");
    listing.gets(json!(["1"])).await;
}

#[tokio::test]
async fn the_servers_processes_cannot_be_signalled() {
    let victim = Victim::start();
    let attack = Attack::new(&format!("os.kill({}, 0)\nreturn True", victim.pid()));
    let without = [Guard::Processes, Guard::Root, Guard::Identity, Guard::Landlock, Guard::Nesting];
    attack.succeeds_without(&without, json!(true)).await.fails_with(libc::ESRCH).await;
}

#[tokio::test]
async fn another_organizations_zygote_is_in_nobodys_sight() {
    let sandbox = sandbox();
    // Looks for interpreters of other jails and for code in their memory.
    let search = "
import os
def read(pid, file):
    with open(f'/proc/{pid}/{file}', 'rb') as content: return content.read()
def handler(input, context):
    seen, read_from = 0, 0
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            if b'runner.py' not in read(pid, 'cmdline') or int(pid) == os.getpid(): continue
            if int(read(pid, 'stat').rpartition(b')')[2].split()[1]) == os.getppid(): continue
            seen += 1
            read(pid, 'maps')
            read_from += 1
        except OSError: pass
    return [seen > 0, read_from]
";
    let of = |slot, code: &str, guards: &[Guard]| {
        let version = format!("{slot} {guards:?}");
        ZygoteSpec::new(OrgSlot::new(slot).unwrap(), version, code, &["handler"]).without(guards)
    };
    let theirs = "def handler(i, c):\n    return 'code of another organization'\n";
    let exposed =
        [Guard::Processes, Guard::Root, Guard::Identity, Guard::Landlock, Guard::Nesting, Guard::Dumpable];
    // Seen without the guards; its memory stays closed even then, because its user namespace is another.
    for (guards, expected) in [(&exposed[..], json!([true, 0])), (&[], json!([false, 0]))] {
        sandbox.warm(&of(8, theirs, &[]), &limits()).await.unwrap();
        let searched = report(&sandbox, of(9, search, guards), limits()).await.0.outcome;
        assert_eq!(answer(searched), expected, "without {guards:?}");
    }
}

#[tokio::test]
async fn a_call_cannot_write_to_its_zygote() {
    let write = "
with open('/proc/30001/maps') as maps:
    line = next(line for line in maps if ' rw-p ' in line)
with open('/proc/30001/mem', 'r+b', buffering=0) as memory:
    memory.seek(int(line.split('-')[0], 16))
    byte = memory.read(1)
    memory.seek(int(line.split('-')[0], 16))
    return memory.write(byte)
";
    let attack = Attack::new(write);
    attack
        .succeeds_without(&[Guard::Nesting, Guard::Landlock], json!(1))
        .await
        .fails_with(libc::ENOENT)
        .await;
}

#[tokio::test]
async fn a_call_cannot_signal_its_zygote() {
    let attack = Attack::new("os.kill(30001, 0)\nreturn True");
    attack
        .succeeds_without(&[Guard::Nesting, Guard::Landlock], json!(true))
        .await
        .fails_with(libc::ESRCH)
        .await;
    // Landlock alone is in the way too, where namespaces are not nested.
    let scoped = outcome_without(&attack.sandbox, &attack.code, &[Guard::Nesting]).await;
    assert_eq!(answer(scoped), json!({"errno": libc::EPERM}));
}

#[tokio::test]
async fn what_a_call_writes_to_memory_no_other_call_sees() {
    let code = "
shared = bytearray(b'clean')
def handler(input, context):
    seen = bytes(shared).decode()
    shared[:] = b'dirty'
    return seen
";
    let sandbox = sandbox();
    for _ in 0..3 {
        assert_eq!(answer(outcome(&sandbox, code).await), "clean");
    }
}

#[tokio::test]
async fn the_hosts_network_does_not_exist() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let attack = Attack::new(&format!("socket.create_connection(('127.0.0.1', {port}), 5)\nreturn True"));
    attack.succeeds_without(&[Guard::Network], json!(true)).await.fails_with(libc::ECONNREFUSED).await;
    Attack::new("socket.create_connection(('192.0.2.1', 80), 5)").fails_with(libc::ENETUNREACH).await;
    Attack::new("socket.create_connection(('2001:db8::1', 80), 5)").fails_with(libc::ENETUNREACH).await;
    let only = Attack::new("return [name for _, name in socket.if_nameindex()]");
    // Asking the kernel for interfaces takes a netlink socket.
    only.succeeds_without(&[Guard::Syscalls], json!(["lo"])).await.fails_with(libc::EPERM).await;
}

#[tokio::test]
async fn sockets_past_the_network_namespace_are_refused() {
    for family in [libc::AF_NETLINK, libc::AF_VSOCK, libc::AF_ALG, libc::AF_PACKET] {
        let attack = Attack::new(&format!("socket.socket({family}, socket.SOCK_RAW).close()\nreturn True"));
        attack.fails_with(libc::EPERM).await;
    }
    let netlink =
        Attack::new(&format!("socket.socket({}, socket.SOCK_RAW).close()\nreturn True", libc::AF_NETLINK));
    netlink.succeeds_without(&[Guard::Syscalls], json!(true)).await;
}

#[tokio::test]
async fn a_descriptor_cannot_be_fetched_over_an_abstract_socket() {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixListener};
    let (_directory, path) = secret_file();
    let name = format!("sandbox-test-{}", std::process::id());
    let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let file = fs::File::open(path).unwrap();
    let helper = tokio::task::spawn_blocking(move || {
        use std::os::fd::AsFd;
        let (stream, _) = listener.accept().unwrap();
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = rustix::net::SendAncillaryBuffer::new(&mut space);
        let descriptors = [file.as_fd()];
        assert!(control.push(rustix::net::SendAncillaryMessage::ScmRights(&descriptors)));
        let flags = rustix::net::SendFlags::empty();
        rustix::net::sendmsg(&stream, &[std::io::IoSlice::new(b"x")], &mut control, flags).unwrap();
        (listener, stream)
    });
    let attack = Attack::new(&format!(
        "peer = socket.socket(socket.AF_UNIX)\npeer.connect('\\0{name}')\n\
         _, descriptors, _, _ = socket.recv_fds(peer, 1, 1)\nreturn os.read(descriptors[0], 100).decode()"
    ));
    attack.succeeds_without(&[Guard::Network, Guard::Landlock], json!("the key")).await;
    let _still_listening = helper.await.unwrap();
    attack.fails_with(libc::ECONNREFUSED).await;
    // With the host's abstract names in sight Landlock still says no.
    let scoped = outcome_without(&attack.sandbox, &attack.code, &[Guard::Network]).await;
    assert_eq!(answer(scoped), json!({"errno": libc::EPERM}));
}

#[tokio::test]
async fn no_descriptor_but_the_calls_own_is_open() {
    let attack = Attack::new("return sorted(int(fd) for fd in os.listdir('/proc/self/fd'))[:-1]");
    attack.gets(json!([0, 1, 2, 3])).await;
    let without = answer(outcome_without(&attack.sandbox, &attack.code, &[Guard::Descriptors]).await);
    assert!(without["done"].as_array().unwrap().len() > 4, "{without}");
}

#[tokio::test]
async fn no_process_can_be_traced() {
    let trace = "
pid = os.fork()
if pid == 0:
    import time
    while True: time.sleep(60)
return checked(libc.ptrace(16, pid, None, None))
";
    let attack = Attack::new(trace);
    attack
        .succeeds_without(&[Guard::Syscalls, Guard::Dumpable], json!(0))
        .await
        .fails_with(libc::EPERM)
        .await;
    let read = format!(
        "own = ctypes.create_string_buffer(8)\nvector = struct.pack('PN', ctypes.addressof(own), 8)\nreturn system({}, os.getpid(), vector, 1, vector, 1, 0)",
        libc::SYS_process_vm_readv
    );
    Attack::new(&read).succeeds_without(&[Guard::Syscalls], json!(8)).await.fails_with(libc::EPERM).await;
}

#[tokio::test]
async fn nothing_can_be_mounted() {
    let attack =
        Attack::new("return checked(libc.mount(b'tmpfs', b'/tmp', b'tmpfs', ctypes.c_ulong(6), b'size=1m'))");
    let without = [Guard::Syscalls, Guard::Narrowing, Guard::Landlock, Guard::Identity];
    attack.succeeds_without(&without, json!(0)).await.fails_with(libc::EPERM).await;
    let umount = Attack::new("return checked(libc.umount2(b'/tmp', 2))");
    umount.succeeds_without(&without, json!(0)).await.fails_with(libc::EPERM).await;
    let modern = format!("return system({}, b'tmpfs', 0) > 2", libc::SYS_fsopen);
    Attack::new(&modern).succeeds_without(&without, json!(true)).await.fails_with(libc::EPERM).await;
}

#[tokio::test]
async fn no_namespace_can_be_made() {
    let attack = Attack::new(&format!("return checked(libc.unshare({}))", libc::CLONE_NEWUSER));
    attack
        .succeeds_without(&[Guard::Syscalls, Guard::Narrowing], json!(0))
        .await
        .fails_with(libc::EPERM)
        .await;
    // What the zygote may do to make a call, the call may not.
    let flags = libc::CLONE_NEWUSER | libc::CLONE_NEWPID | libc::CLONE_NEWNS | libc::SIGCHLD;
    let clone = Attack::new(&format!(
        "pid = system({}, {flags}, 0, 0, 0, 0)\nif pid == 0: os._exit(0)\nreturn pid > 0",
        libc::SYS_clone
    ));
    clone.succeeds_without(&[Guard::Narrowing], json!(true)).await.fails_with(libc::EPERM).await;
    let other = Attack::new(&format!(
        "pid = system({}, {}, 0, 0, 0, 0)\nif pid == 0: os._exit(0)\nreturn pid > 0",
        libc::SYS_clone,
        libc::CLONE_NEWUSER | libc::CLONE_NEWNET | libc::SIGCHLD
    ));
    other
        .succeeds_without(&[Guard::Syscalls, Guard::Narrowing], json!(true))
        .await
        .fails_with(libc::ENOSYS)
        .await;
    // A filter cannot read the flags of clone3, so it does not exist.
    let clone3 = Attack::new(&format!("return system({}, b'\\0' * 64, 1)", libc::SYS_clone3));
    let without = answer(outcome_without(&clone3.sandbox, &clone3.code, &[Guard::Syscalls]).await);
    assert_eq!(without, json!({"errno": libc::EINVAL}));
    clone3.fails_with(libc::ENOSYS).await;
}

#[tokio::test]
async fn there_is_no_keyring() {
    let attack = Attack::new(&format!(
        "return system({}, b'user', b'name', b'value', 5, ctypes.c_long(-2)) > 0",
        libc::SYS_add_key
    ));
    attack.succeeds_without(&[Guard::Syscalls], json!(true)).await.fails_with(libc::EPERM).await;
    let keyctl = Attack::new(&format!("return system({}, 0, ctypes.c_long(-2), 1) > 0", libc::SYS_keyctl));
    keyctl.succeeds_without(&[Guard::Syscalls], json!(true)).await.fails_with(libc::EPERM).await;
}

#[tokio::test]
async fn kernel_surface_beside_the_point_is_refused() {
    for (number, arguments) in [
        (libc::SYS_bpf, "0, b'\\0' * 128, 128"),
        (libc::SYS_io_uring_setup, "1, b'\\0' * 128"),
        (libc::SYS_userfaultfd, "1"),
        (libc::SYS_perf_event_open, "b'\\0' * 128, 0, -1, -1, 0"),
        (libc::SYS_shmget, "0, 4096, 0o1600"),
    ] {
        Attack::new(&format!("return system({number}, {arguments})")).fails_with(libc::EPERM).await;
    }
    let ring = Attack::new(&format!("return system({}, 1, b'\\0' * 128) > 2", libc::SYS_io_uring_setup));
    ring.succeeds_without(&[Guard::Syscalls], json!(true)).await;
    let segment = Attack::new(&format!("return system({}, 0, 4096, 0o1600) >= 0", libc::SYS_shmget));
    segment.succeeds_without(&[Guard::Syscalls], json!(true)).await;
}

#[tokio::test]
async fn there_are_no_capabilities_and_no_way_to_any() {
    let sets = "
with open('/proc/self/status') as status:
    lines = dict(line.split(':', 1) for line in status)
return [int(lines[name], 16) for name in ('CapInh', 'CapPrm', 'CapEff', 'CapAmb')] + [lines['NoNewPrivs'].strip()]
";
    let attack = Attack::new(sets);
    attack.gets(json!([0, 0, 0, 0, "1"])).await;
    let without = answer(outcome_without(&attack.sandbox, &attack.code, &[Guard::Identity]).await);
    assert_ne!(without["done"][2], 0, "{without}");
    Attack::new("os.setuid(0)\nreturn True").fails_with(libc::EINVAL).await;
    Attack::new("os.setgroups([])\nreturn True").fails_with(libc::EPERM).await;
}

#[tokio::test]
async fn limits_cannot_be_raised() {
    let attack = Attack::new(
        "import resource\ntry: resource.setrlimit(resource.RLIMIT_NPROC, (1000, 1000))\n\
         except ValueError: raise PermissionError(1, 'refused')\nreturn True",
    );
    attack.succeeds_without(&[Guard::Resources], json!(true)).await.fails_with(libc::EPERM).await;
}

#[tokio::test]
async fn a_call_sees_neither_files_nor_memory_of_a_call_beside_it() {
    let sandbox = sandbox();
    let code = "
import os, time
def handler(input, context):
    open('/tmp/mine-' + context.run_id, 'w').close()
    print('made')
    end = time.monotonic() + 20
    while not input and time.monotonic() < end: time.sleep(0.01)
    return {'files': os.listdir('/tmp'), 'processes': [name for name in os.listdir('/proc') if name.isdigit()]}
";
    let (mut first, mut lines) = crate::fixture::call(zygote(code), limits());
    first.limits.wall = std::time::Duration::from_secs(60);
    first.context.run_id = "first".into();
    let cancel = first.cancel.clone();
    let beside = async {
        lines.recv().await.unwrap();
        let (mut second, _lines) = crate::fixture::call(zygote(code), limits());
        second.input = b"1".to_vec();
        second.context.run_id = "second".into();
        let seen = answer(sandbox.call(second).await.unwrap().outcome);
        cancel.cancel();
        seen
    };
    let (_, seen) = tokio::join!(sandbox.call(first), beside);
    assert_eq!(seen, json!({"files": ["mine-second"], "processes": ["1"]}));
}

#[tokio::test]
async fn secrets_of_one_call_are_in_no_later_calls_memory() {
    let sandbox = sandbox();
    // Reads its own memory, which the guards taken away here would forbid. The pattern does not match itself.
    let code = "
import re
def handler(input, context):
    with open('/proc/self/maps') as maps, open('/proc/self/mem', 'rb', buffering=0) as mem:
        for line in maps:
            if ' rw-p ' not in line or '[stack]' in line: continue
            start, end = (int(part, 16) for part in line.split()[0].split('-'))
            mem.seek(start)
            if re.search(rb'secret-of-[o]ne', mem.read(end - start)): return True
    return False
";
    for (secret, found) in [("secret-of-one", true), ("secret-of-two", false)] {
        let spec = zygote(code).without(&[Guard::Dumpable, Guard::Landlock]);
        let (mut call, _lines) = crate::fixture::call(spec, limits());
        call.context.secrets.insert("KEY".into(), types::Secret::new(secret.to_owned()));
        assert_eq!(answer(sandbox.call(call).await.unwrap().outcome), found, "{secret}");
    }
}
