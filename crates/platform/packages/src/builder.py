"""Runs in a build jail: has uv resolve requirements, or install a lock, and hands the files to the host.

The jail's door is the only way out; the host believes nothing that this says beyond what it can check.
"""

import compileall
import http.client
import json
import os
import re
import subprocess
import sys
from py_compile import PycInvalidationMode
from urllib.parse import urlsplit

UV = "/safeconduct/tool"
ENVIRONMENT = "/tmp/environment"
CACHE = "/tmp/cache"
# Where calls will see it: tracebacks name this path.
FINAL = "/packages"
LAST_LINES = 40
PIECE = 256 << 10
# Test suites that packages bring along are not compiled: hardly anybody imports them.
TESTS = re.compile(r"[/\\]tests?[/\\]")


class Refused(Exception):
    pass


def handler(order, context):
    index = context.api_url
    if order["step"] == "lock":
        return lock(order["requirements"], index, context)
    install(order["lock"], index, context)
    hand_over(index)


def lock(requirements, index, context):
    options = ["--generate-hashes", "--no-header", "--annotation-style=line"]
    text = "".join(f"{one}\n" for one in requirements)
    return uv(["pip", "compile", *options, "-"], index, context, text)


def install(text, index, context):
    with open("/tmp/lock.txt", "w") as file:
        file.write(text)
    os.mkdir(ENVIRONMENT)
    options = ["--require-hashes", "--no-deps", "--link-mode=hardlink", "--target", ENVIRONMENT]
    uv(["pip", "install", *options, "--requirement", "/tmp/lock.txt"], index, context)
    context.log("compiling")
    compileall.compile_dir(
        ENVIRONMENT,
        quiet=2,
        rx=TESTS,
        stripdir=ENVIRONMENT,
        prependdir=FINAL,
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )


def uv(words, index, context, text=""):
    common = ["--no-config", "--no-build", "--no-python-downloads", "--python", sys.executable, "--color=never"]
    environment = {
        "HOME": "/tmp",
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "UV_CACHE_DIR": CACHE,
        "UV_DEFAULT_INDEX": f"{index}/simple",
        "UV_HTTP_TIMEOUT": "60",
        "UV_NO_PROGRESS": "1",
        "UV_CONCURRENT_DOWNLOADS": "8",
        "UV_CONCURRENT_INSTALLS": "2",
        "RAYON_NUM_THREADS": "2",
        "TOKIO_WORKER_THREADS": "2",
    }
    process = subprocess.Popen(
        [UV, *words, *common],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=open("/tmp/said.txt", "wb"),
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    try:
        process.stdin.write(text)
        process.stdin.close()
    except BrokenPipeError:
        pass
    lines = []
    for line in process.stderr:
        line = line.rstrip().replace(index, "the index")
        context.log(line)
        lines = [*lines[1 - LAST_LINES :], line]
    if process.wait() != 0:
        raise Refused("\n".join(lines) or f"uv ended with status {process.returncode}")
    with open("/tmp/said.txt", errors="replace") as file:
        return file.read()


def hand_over(index):
    place = urlsplit(index)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=60)
    connection.request("PUT", "/environment", body=records(), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
    answer = connection.getresponse()
    if answer.status != 200:
        raise Refused(answer.read(4096).decode("utf-8", "replace"))


def records():
    """Each file: a line of JSON that says its path and size, then its bytes. A line `{"end": true}` is the last."""
    for folder, folders, names in os.walk(ENVIRONMENT):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            # Links lead out of what is handed over; a wheel has none.
            if os.path.islink(path) or not os.path.isfile(path):
                continue
            with open(path, "rb") as file:
                status = os.fstat(file.fileno())
                relative = os.path.relpath(path, ENVIRONMENT)
                head = {"path": relative, "size": status.st_size, "executable": bool(status.st_mode & 0o100)}
                yield json.dumps(head).encode() + b"\n"
                left = status.st_size
                while left > 0:
                    piece = file.read(min(PIECE, left))
                    if not piece:
                        raise OSError(f"{relative} became shorter")
                    left -= len(piece)
                    yield piece
    yield b'{"end": true}\n'
