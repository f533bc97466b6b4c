"""The zygote: loads one function, then forks one confined process for each call.

Started by the jail's init as `runner.py <filter>`; its socket with init is descriptor 3. The protocol is told in
docs/sandbox-protocol.md. Everything here shares its process with the function's own module, so nothing here is
trusted by the host: the host believes init, and what arrives on a call's socket speaks for that call only.
"""

import ctypes
import gc
import io
import linecache
import os
import resource
import socket
import struct
import sys
import traceback
import types
from _thread import allocate_lock

# By name, because a handler may replace what the module holds.
from json import dumps, loads

HELLO, LOAD, READY, INVOKE, LOG, EMIT, CALL, RESULT, ERROR, FORK, FORKED = 1, 2, 3, 4, 5, 6, 7, 9, 10, 13, 14
ASK, ANSWER = 11, 12
# Services of a CALL.
HTTP = 1
CONTROL = 3
LONGEST_PACKET = 64 << 10
LONGEST_MESSAGE = 4 << 10
LONGEST_TRACEBACK = 24 << 10
LONGEST_PROGRESS = 200
# Of a question to the host; one that is larger would break the protocol.
LONGEST_HEAD = 64 << 10
LARGEST_BODY = 8 << 20
LONGEST_ASK = 32 << 10
# A frame of output goes out in one send, so that it stays whole whoever else writes.
LOG_PIECE = 8 << 10
FILE = "<function>"
# No exception can have this name.
UNCONFINED = "not confined"

libc = ctypes.PyDLL(None, use_errno=True)
ARM = os.uname().machine == "aarch64"
SYS_CLONE, SYS_CAPSET, SYS_SECCOMP = (220, 91, 277) if ARM else (56, 126, 317)
SYS_LANDLOCK = (444, 445, 446)
SYS_CLOSE_RANGE = 436
NEWNS, NEWUSER, NEWPID = 0x00020000, 0x10000000, 0x20000000
PARENT, SET_CHILD_TID, CLEAR_CHILD_TID, SIGCHLD = 0x00008000, 0x01000000, 0x00200000, 17
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
INSIDE = 1000
CAPABILITY_HEADER, NO_CAPABILITIES = struct.pack("=Ii", 0x20080522, 0), bytes(24)


def frame(kind, payload):
    return struct.pack(">IB", len(payload), kind) + payload


def message(number, fields):
    return frame(number, told(fields))


def checked(step, answer):
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{step}: {os.strerror(number)}")
    return answer


def describe(error):
    """An exception for the function's author: its own frames only."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    try:
        lines = "".join(traceback.format_exception(type(error), error, trace))
        text = str(error)
    except Exception:
        lines, text = "", "the exception cannot be printed"
    return {
        "kind": type(error).__name__[:200],
        "message": text[:LONGEST_MESSAGE],
        "traceback": lines[-LONGEST_TRACEBACK:],
    }


def told(fields):
    """What people read: a character that is none becomes a question mark rather than an error."""
    return dumps(fields, ensure_ascii=False, allow_nan=False, default=str).encode("utf-8", "replace")


# --- zygote ---------------------------------------------------------------------------------------------------------


def load(source):
    """Executes the function's module and gives its handler."""
    if source["check"]:
        return check
    if source["packages"]:
        use_packages(source["packages"])
    code = source["code"]
    linecache.cache[FILE] = (len(code), None, code.splitlines(True), FILE)
    module = types.ModuleType("function")
    module.__file__ = FILE
    sys.modules["function"] = module
    exec(compile(code, FILE, "exec", dont_inherit=True), module.__dict__)
    for name in source["entrypoints"]:
        handler = module.__dict__.get(name)
        if callable(handler):
            return handler
    wanted = " or ".join(f"def {name}(input, context)" for name in source["entrypoints"])
    raise NameError(f"the code defines no {wanted}")


def use_packages(directory):
    """Imports from `directory` too, after everything else. What its `.pth` files run, runs here."""
    import site

    # Their threads would not be there after the fork, and whoever waits for them would wait for ever.
    for library in ("OPENBLAS", "OMP", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    site.addsitedir(directory)


def check(code, _context):
    """Says where `code` does not parse, or None."""
    try:
        compile(code, FILE, "exec", dont_inherit=True)
    except SyntaxError as error:
        line, column = max(error.lineno or 1, 1), max(error.offset or 1, 1)
        return {"line": line, "column": column, "message": error.msg}
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        return {"line": 1, "column": 1, "message": str(error) or type(error).__name__}
    return None


def thread_id_address():
    """Where the C library keeps this thread's id: the kernel writes the child's there, as its own fork would."""
    libc.pthread_self.restype = ctypes.c_void_p
    start = libc.pthread_self()
    words = (ctypes.c_int * 512).from_address(start)
    found = [index for index, word in enumerate(words) if word == os.getpid()]
    return start + 4 * found[0] if len(found) == 1 else 0


def clone(flags, tid):
    flags |= PARENT | SIGCHLD
    if tid:
        flags |= SET_CHILD_TID | CLEAR_CHILD_TID
    words = (flags, 0, 0, 0, tid) if ARM else (flags, 0, 0, tid, 0)
    return libc.syscall(SYS_CLONE, *map(ctypes.c_long, words))


def may_nest(steps):
    """Whether this host lets a call have namespaces of its own: tried once, up to the id map."""
    if "nest" not in steps:
        return False
    ours, theirs = socket.socketpair()
    words = (NEWUSER | NEWPID | NEWNS | SIGCHLD, 0, 0, 0, 0)
    ctypes.pythonapi.PyOS_BeforeFork()
    pid = libc.syscall(SYS_CLONE, *map(ctypes.c_long, words))
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
        try:
            nest()
            theirs.send(b"y")
        finally:
            os._exit(0)
    ctypes.pythonapi.PyOS_AfterFork_Parent()
    theirs.close()
    answer = ours.recv(1)
    ours.close()
    if pid > 0:
        os.waitpid(pid, 0)
    return answer == b"y"


def main():
    control = socket.socket(fileno=CONTROL)
    packet, descriptors, _, _ = socket.recv_fds(control, LONGEST_PACKET, 1)
    steps = loads(packet[5:])["steps"]
    with open(descriptors[0], "rb") as file:
        source = loads(file.read())
    try:
        handler = load(source)
    except BaseException as error:
        control.send(message(ERROR, {**describe(error), "call": None}))
        os._exit(0)
    serve(control, handler, Confinement(steps, source["limits"], may_nest(steps)))


def serve(control, handler, confinement):
    """Forks a process for each FORK, until init hangs up.

    Whatever a call needs is made here, before the fork: each page that the child writes to is copied for it.
    """
    call = Call(handler, confinement)
    control.send(message(READY, {"nested": confinement.nested, "landlock": confinement.landlock_version}))
    namespaces = NEWUSER | NEWPID | NEWNS if confinement.nested else 0
    tid = thread_id_address()
    gc.collect()
    gc.freeze()
    gc.disable()
    while True:
        packet, descriptors, _, _ = socket.recv_fds(control, LONGEST_PACKET, 2)
        if not packet:
            os._exit(0)
        number = loads(packet[5:])["call"]
        ctypes.pythonapi.PyOS_BeforeFork()
        pid = clone(namespaces, tid)
        if pid == 0:
            ctypes.pythonapi.PyOS_AfterFork_Child()
            try:
                control.detach()
                call.run(*descriptors)
            finally:
                os._exit(70)
        failure = ctypes.get_errno()
        ctypes.pythonapi.PyOS_AfterFork_Parent()
        for descriptor in descriptors:
            os.close(descriptor)
        if pid < 0:
            failed = {"kind": "zygote", "message": os.strerror(failure), "traceback": None, "call": number}
            control.send(message(ERROR, failed))
        else:
            control.send(message(FORKED, {"call": number, "pid": pid}))


# --- confinement of one call ------------------------------------------------------------------------------------------


def write_file(path, text):
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text)
    finally:
        os.close(descriptor)


ID_MAP = b"%d %d 1" % (INSIDE, INSIDE)


def nest():
    """One user and one group in the new user namespace: those that the zygote has."""
    write_file("/proc/self/setgroups", b"deny")
    write_file("/proc/self/gid_map", ID_MAP)
    write_file("/proc/self/uid_map", ID_MAP)


def mount(kind, at, flags, options):
    return libc.mount(kind, at, kind, ctypes.c_ulong(flags), options)


def lower(kind, limit):
    """Never above what is allowed already, which would be refused."""
    hard = resource.getrlimit(kind)[1]
    return limit if hard == resource.RLIM_INFINITY else min(hard, limit)


class Confinement:
    """What a call does to itself between its fork and the handler's code. `steps` come from the host, in order."""

    EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
    # File system rights by version of Landlock; an older kernel handles fewer.
    RIGHTS = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF}
    # Truncating and device control: what a writable device needs beside writing.
    DEVICE_RIGHTS = 0xC000
    # Abstract sockets and signals stay within the call.
    SCOPES = 3
    WITHOUT_NAMESPACES = ("nest", "scratch", "processes")

    def __init__(self, steps, limits, nested):
        self.steps = [getattr(self, step) for step in steps if nested or step not in self.WITHOUT_NAMESPACES]
        self.nested = nested
        self._scratch = b"size=%d,nr_inodes=65536,mode=0700" % limits["storage"]
        self._limits = [
            (kind, (lower(kind, limits[name]),) * 2)
            for kind, name in (
                (resource.RLIMIT_CPU, "cpu_seconds"),
                (resource.RLIMIT_NPROC, "processes"),
                (resource.RLIMIT_NOFILE, "open_files"),
                (resource.RLIMIT_FSIZE, "file_size"),
            )
        ]
        self._prepare_filter(bytes.fromhex(sys.argv[1]))
        self.landlock_version = libc.syscall(SYS_LANDLOCK[0], None, ctypes.c_long(0), 1)
        if self.landlock_version > 0:
            self._prepare_landlock(self.landlock_version)

    def _prepare_filter(self, program):
        self._instructions = ctypes.create_string_buffer(program, len(program))
        self._program = struct.pack("@HxxxxxxP", len(program) // 8, ctypes.addressof(self._instructions))

    def _prepare_landlock(self, version):
        rights = self.RIGHTS.get(version, 0xFFFF)
        networks = struct.pack("=Q", 0) if version >= 4 else b""
        scopes = struct.pack("=Q", self.SCOPES) if version >= 6 else b""
        self._ruleset = struct.pack("=Q", rights) + networks + scopes
        self._ruleset_size = ctypes.c_long(len(self._ruleset))
        reading = self.EXECUTE | self.READ_FILE | self.READ_DIR
        device = reading | self.WRITE_FILE | rights & self.DEVICE_RIGHTS
        self._rules = [
            struct.pack("=Qi", allowed, os.open(path, os.O_PATH | os.O_CLOEXEC))
            for path, allowed in (("/", reading), ("/dev", device))
        ]
        self._scratch_rights = rights

    def apply(self):
        for step in self.steps:
            step()

    def nest(self):
        nest()

    def scratch(self):
        checked("scratch", mount(b"tmpfs", b"/tmp", MS_NOSUID | MS_NODEV, self._scratch))
        os.chdir("/tmp")

    def processes(self):
        """Its own `/proc`; where the host forbids that, an empty one, never the zygote's."""
        flags = MS_NOSUID | MS_NODEV | MS_NOEXEC
        for options in (b"hidepid=invisible,subset=pid", b"hidepid=2"):
            if mount(b"proc", b"/proc", flags, options) == 0:
                return
        checked("processes", mount(b"tmpfs", b"/proc", flags | MS_RDONLY, b"size=4k,nr_inodes=2"))

    def resources(self):
        for kind, limit in self._limits:
            resource.setrlimit(kind, limit)

    def landlock(self):
        """Reading everywhere, writing to its own `/tmp` and to devices. Where the kernel has no Landlock, the
        read-only root says the same alone."""
        if self.landlock_version < 1:
            return
        rules = checked("landlock", libc.syscall(SYS_LANDLOCK[0], self._ruleset, self._ruleset_size, 0))
        scratch = os.open("/tmp", os.O_PATH | os.O_CLOEXEC)
        for rule in (*self._rules, struct.pack("=Qi", self._scratch_rights, scratch)):
            checked("landlock", libc.syscall(SYS_LANDLOCK[1], rules, 1, rule, 0))
        checked("landlock", libc.syscall(SYS_LANDLOCK[2], rules, 0))
        os.close(scratch)
        os.close(rules)

    def dumpable(self):
        checked("dumpable", libc.prctl(4, 0, 0, 0, 0))

    def capabilities(self):
        checked("capabilities", libc.syscall(SYS_CAPSET, CAPABILITY_HEADER, NO_CAPABILITIES))

    def narrowing(self):
        checked("narrowing", libc.syscall(SYS_SECCOMP, 1, 0, self._program))

    def descriptors(self):
        checked("descriptors", libc.syscall(SYS_CLOSE_RANGE, 4, ctypes.c_uint(0xFFFFFFFF), 0))


# --- one call -----------------------------------------------------------------------------------------------------------


class Context:
    """What the handler gets beside its input."""

    def __init__(self, fields, log, progress, http, ask):
        self.__dict__.update(fields)
        self.execution_id = self.run_id
        self.log = log
        self.progress = progress
        self.http = http
        self.ask = ask

    def __repr__(self):
        return f"<context of {self.run_id}>"


class Log:
    """`context.log("text", key=value)`, or with a level as method."""

    def __init__(self, emit):
        self._emit = emit

    def __call__(self, text, level="info", **fields):
        self._emit(level, text, fields)

    def debug(self, text, **fields):
        self._emit("debug", text, fields)

    def info(self, text, **fields):
        self._emit("info", text, fields)

    def warning(self, text, **fields):
        self._emit("warning", text, fields)

    def error(self, text, **fields):
        self._emit("error", text, fields)


class HttpBlocked(PermissionError):
    """No egress rule of this version allows the request, or it leads where nothing may be called."""


class HttpFailed(OSError):
    """The request was allowed and came to nothing."""


class Headers(dict):
    """Names in lower case, however they are asked for."""

    def __getitem__(self, name):
        return super().__getitem__(name.lower())

    def __setitem__(self, name, value):
        super().__setitem__(name.lower(), value)

    def __contains__(self, name):
        return super().__contains__(name.lower())

    def get(self, name, default=None):
        return super().get(name.lower(), default)


class Response:
    """What came back."""

    def __init__(self, head, content):
        self.status = self.status_code = head["status"]
        self.url = head["url"]
        self.headers = Headers()
        for name, value in head["headers"]:
            self.headers[name] = f"{self.headers[name]}, {value}" if name in self.headers else value
        self.content = content

    @property
    def ok(self):
        return self.status < 400

    @property
    def text(self):
        _, _, charset = self.headers.get("content-type", "").partition("charset=")
        charset = charset.split(";")[0].strip(" \"'") or "utf-8"
        try:
            return self.content.decode(charset, "replace")
        except LookupError:
            return self.content.decode("utf-8", "replace")

    def json(self):
        return loads(self.content)

    def raise_for_status(self):
        if not self.ok:
            raise HttpFailed(f"{self.url} answered {self.status}")

    def __repr__(self):
        return f"<response {self.status}>"


class Http:
    """`context.http`: requests that the host makes, by the version's egress rules."""

    Blocked = HttpBlocked
    Failed = HttpFailed

    def __init__(self, ask):
        self._ask = ask

    def request(
        self, method, url, *, headers=None, params=None, json=None, data=None, auth=None, timeout=30, redirects=True
    ):
        if params:
            from urllib.parse import urlencode

            url, mark, fragment = str(url).partition("#")
            url += ("&" if "?" in url else "?") + urlencode(params, doseq=True) + mark + fragment
        pairs = headers.items() if hasattr(headers, "items") else headers or ()
        pairs = [(str(name), value if isinstance(value, str) else str(value)) for name, value in pairs]
        kind, body = self._body(json, data)
        if kind and not any(name.lower() == "content-type" for name, _ in pairs):
            pairs.append(("content-type", kind))
        head = {"method": str(method).upper(), "url": str(url), "headers": pairs, "timeout": float(timeout)}
        head["redirects"] = bool(redirects)
        head["auth"] = [str(part) for part in auth] if auth else None
        answer, content = self._ask(HTTP, head, body)
        if "status" in answer:
            return Response(answer, content)
        if "blocked" in answer:
            raise HttpBlocked(answer["blocked"])
        if "invalid" in answer:
            raise ValueError(answer["invalid"])
        raise HttpFailed(answer["failed"])

    @staticmethod
    def _body(json, data):
        if json is not None and data is not None:
            raise ValueError("give json or data, not both")
        if json is not None:
            return "application/json", dumps(json, ensure_ascii=False, allow_nan=False).encode()
        if data is None:
            return None, b""
        if isinstance(data, (bytes, bytearray, memoryview)):
            return None, bytes(data)
        if isinstance(data, str):
            return None, data.encode()
        from urllib.parse import urlencode

        return "application/x-www-form-urlencoded", urlencode(data, doseq=True).encode()

    def get(self, url, **options):
        return self.request("GET", url, **options)

    def head(self, url, **options):
        return self.request("HEAD", url, **options)

    def post(self, url, **options):
        return self.request("POST", url, **options)

    def put(self, url, **options):
        return self.request("PUT", url, **options)

    def patch(self, url, **options):
        return self.request("PATCH", url, **options)

    def delete(self, url, **options):
        return self.request("DELETE", url, **options)


class Output(io.RawIOBase):
    """Standard output or error of the call's own process; processes that it forks write to the descriptor."""

    def __init__(self, call, descriptor):
        self._call = call
        self._descriptor = descriptor

    def writable(self):
        return True

    def fileno(self):
        return self._descriptor

    def write(self, data):
        data = bytes(data)
        if not self._call.is_own():
            return os.write(self._descriptor, data)
        for start in range(0, len(data), LOG_PIECE):
            self._call.send(LOG, bytes((self._descriptor,)) + data[start : start + LOG_PIECE])
        return len(data)


def text_output(call, descriptor):
    raw = io.BufferedWriter(Output(call, descriptor), LOG_PIECE)
    return io.TextIOWrapper(raw, "utf-8", "backslashreplace", line_buffering=True)


class Call:
    """The forked process: confines itself, takes context and input, runs the handler, answers."""

    SOCKET = CONTROL

    def __init__(self, handler, confinement):
        self._handler = handler
        self._confinement = confinement
        self._process = 0
        self._lock = allocate_lock()
        self._streams = text_output(self, 1), text_output(self, 2)
        self._log = Log(self._emit)
        self._http = Http(self._call)
        self._asking = allocate_lock()
        self._asked = 0
        self._replied = True
        os.register_at_fork(after_in_child=self._leave)

    def is_own(self):
        return os.getpid() == self._process

    def send(self, kind, payload):
        rest = frame(kind, payload)
        with self._lock:
            while rest:
                rest = rest[os.write(self.SOCKET, rest) :]

    def run(self, conversation, raw):
        self._process = os.getpid()
        os.dup2(conversation, self.SOCKET)
        os.dup2(raw, 1)
        os.dup2(raw, 2)
        os.close(conversation)
        os.close(raw)
        sys.stdout, sys.stderr = self._streams
        try:
            self._confinement.apply()
        except OSError as error:
            self._fail({"kind": UNCONFINED, "message": f"the call cannot be confined: {error}", "traceback": None})
        try:
            self._answer()
        except BaseException as error:
            self._flush()
            self._fail(describe(error))

    def _leave(self):
        """A process that the handler forked does not speak for the call."""
        if self._process:
            os.close(self.SOCKET)

    def _answer(self):
        context, given = self._receive()
        gc.enable()
        context = Context(context, self._log, self._progress, self._http, self._ask)
        output = self._handler(given, context)
        if isinstance(output, types.GeneratorType):
            output = self._interview(output)
        try:
            answer = dumps(output, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
        except (TypeError, ValueError, RecursionError) as error:
            # No frame of the author's is to blame, and the library's are nothing to him.
            self._flush()
            kind = type(error).__name__
            self._fail({"kind": kind, "message": f"The answer is not JSON: {error}", "traceback": None})
        self._flush()
        self._end(RESULT, answer)

    def _fail(self, failure):
        self._end(ERROR, told({**failure, "call": None}))

    def _end(self, kind, payload):
        # A process that the handler forked may come back here too; the answer is not its to give.
        if self.is_own():
            self.send(kind, payload)
        os._exit(0)

    def _receive(self):
        length, _kind = struct.unpack(">IB", self._read(5))
        payload = self._read(length)
        (split,) = struct.unpack_from(">I", payload)
        return loads(payload[4 : 4 + split]), loads(payload[4 + split :])

    def _read(self, length):
        data = bytearray(length)
        view = memoryview(data)
        while view:
            count = os.readv(self.SOCKET, [view])
            if count == 0:
                os._exit(0)
            view = view[count:]
        return data

    def _call(self, service, head, body=b""):
        """Asks the host for what the jail has no way to."""
        head = told(head)
        if len(head) > LONGEST_HEAD or len(body) > LARGEST_BODY:
            raise ValueError("a request has at most 64 KB of address and headers, and 8 MB of body")
        payload = self._exchange(CALL, lambda number: struct.pack(">IBI", number, service, len(head)) + head + body)
        _number, split = struct.unpack_from(">II", payload)
        return loads(payload[8 : 8 + split]), bytes(payload[8 + split :])

    def _exchange(self, kind, payload):
        """Says one thing to the host and reads what it says to that. One at a time: threads take turns."""
        if not self.is_own():
            raise RuntimeError("a forked process cannot ask the host; do it in the first one")
        with self._asking:
            if not self._replied:
                raise RuntimeError("the reply to an earlier question was interrupted")
            self._asked, self._replied = self._asked + 1, False
            self.send(kind, payload(self._asked))
            length, _kind = struct.unpack(">IB", self._read(5))
            answer = self._read(length)
            self._replied = True
        return answer

    def _flush(self):
        for stream in {sys.stdout, sys.stderr, *self._streams}:
            try:
                stream.flush()
            except Exception:
                pass

    def _progress(self, fraction=None, message=None):
        """`context.progress(0.4, "four of ten")`: the last word is what others see, a few times a second."""
        if fraction is not None:
            fraction = float(fraction)
            if not 0 <= fraction <= 1:
                raise ValueError("progress is a fraction from 0 to 1")
        if message is not None:
            message = str(message)[:LONGEST_PROGRESS]
        if self.is_own():
            self.send(EMIT, b"\x01" + told({"fraction": fraction, "message": message}))

    def _ask(self, prompt, schema=None, expires_in=None):
        """`context.ask("Deploy?", schema={"type": "boolean"})`: waits for the answer, and gives it."""
        prompt = str(prompt).encode("utf-8", "replace").decode()
        expires_in = None if expires_in is None else float(expires_in)
        question = {"prompt": prompt, "schema": schema, "expires_in": expires_in}
        asked = dumps(question, ensure_ascii=False, allow_nan=False).encode()
        if len(asked) > LONGEST_ASK:
            raise ValueError(f"a question is at most {LONGEST_ASK} bytes long")
        self._flush()
        answer = loads(self._exchange(ASK, lambda _: asked))
        if "refused" in answer:
            raise ValueError(answer["refused"])
        return answer["answer"]

    def _interview(self, handler):
        """A handler that yields its questions is sent the answers; what it returns is its own."""
        try:
            asked = next(handler)
            while True:
                try:
                    if not isinstance(asked, dict):
                        raise TypeError('a handler yields questions: {"prompt": …, "schema": …}')
                    answer = self._ask(**asked)
                except Exception as error:
                    asked = handler.throw(error)
                else:
                    asked = handler.send(answer)
        except StopIteration as done:
            return done.value

    def _emit(self, level, text, fields):
        self._flush()
        try:
            line = told({"level": level, "text": str(text), "fields": fields})
        except ValueError:
            line = told({"level": level, "text": str(text), "fields": {"fields": repr(fields)}})
        if self.is_own():
            self.send(LOG, b"\x03" + line)
        else:
            os.write(2, line + b"\n")


main()
