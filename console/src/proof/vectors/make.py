"""Makes vectors.json with implementations that are not ours.

    pip install rfc8785 cryptography pymerkle && python3 make.py > vectors.json

Canonical JSON is rfc8785's, Ed25519 is cryptography's, roots are compared with pymerkle's; inclusion paths follow the
definition in RFC 9162 section 2.1.3.1. Nothing is random, so that a second run makes the same file.
"""

import base64
import hashlib
import json

import pymerkle
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NAME = "safeconduct.example/log"


def sha256(data):
    return hashlib.sha256(data).digest()


def tree_hash(leaves):
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0])
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + tree_hash(leaves[:half]) + tree_hash(leaves[half:]))


def path(index, leaves):
    if len(leaves) == 1:
        return []
    half = 1 << (len(leaves) - 1).bit_length() - 1
    if index < half:
        return path(index, leaves[:half]) + [tree_hash(leaves[half:])]
    return path(index - half, leaves[half:]) + [tree_hash(leaves[:half])]


def entries(size):
    return [sha256(b"entry %d" % index) for index in range(size)]


def checked_root(leaves):
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for leaf in leaves:
        tree.append_entry(leaf)
    assert tree.get_state() == tree_hash(leaves)
    return tree_hash(leaves)


def inclusion():
    pairs = [(index, size) for size in range(1, 18) for index in range(size)]
    pairs += [(index, 1000) for index in (0, 1, 511, 512, 767, 768, 991, 992, 999)]
    roots = {size: checked_root(entries(size)).hex() for size in {size for _, size in pairs}}
    for index, size in pairs:
        proof = [node.hex() for node in path(index, entries(size))]
        yield {"index": index, "size": size, "entry": entries(size)[index].hex(), "root": roots[size], "path": proof}


VALUES = [
    None,
    [],
    {},
    {"b": 1, "a": [True, False, None], "": ""},
    {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7},
    {"text": "\u20ac$\u000f\nA'B\"\\\\\"/\u2028\u007f\t\b\f\r"},
    {"numbers": [0, -1, 9007199254740991, -9007199254740991, 0.5, 1e21, 1e-7, 333333333.3333333]},
    {"act": [{"display": "Ada", "id": "usr_1", "kind": "user"}], "v": 1, "salt": "00ff", "data": {"z": ["y"], "a": "ü"}},
]


def canonical():
    for value in VALUES:
        text = rfc8785.dumps(value).decode()
        yield {"value": value, "text": text, "sha256": sha256(text.encode()).hex()}


SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = b"\x01" + SIGNER.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
KEY_ID = sha256(NAME.encode() + b"\n" + KEY)[:4]
VERIFIER = "%s+%s+%s" % (NAME, KEY_ID.hex(), base64.b64encode(KEY).decode())


def signed(size, root):
    text = "%s\n%d\n%s\n" % (NAME, size, base64.b64encode(root).decode())
    line = base64.b64encode(KEY_ID + SIGNER.sign(text.encode())).decode()
    return "%s\n\u2014 %s %s\n" % (text, NAME, line)


def note():
    root = checked_root(entries(1000))
    witness = base64.b64encode(b"\x00\x01\x02\x03" + bytes(72)).decode()
    note = signed(1000, root) + "\u2014 witness.example %s\n" % witness
    return {"key": VERIFIER, "note": note, "size": 1000, "root": root.hex()}


def fact():
    """The answer to a request for one fact that uses every member."""
    ident = lambda prefix, last: "%s_01kbc4w2xkf5b8r1mz0tq7n%s" % (prefix, last)
    user = {"kind": "user", "id": ident("usr", "3aa"), "display": "Ada \u00c9 \"Byron\""}
    agent = {"kind": "agent", "id": ident("agt", "3bb"), "display": "ops:triage"}
    clear = {
        "v": 1, "org": ident("org", "300"), "org_seq": 41, "id": ident("evt", "3cc"), "kind": "run.succeeded",
        "occurred_at": "2026-11-21T10:00:00.123Z", "outcome": "success", "severity": "info",
        "actor_kind": "agent", "actor_id": agent["id"], "target_type": "function", "target_id": ident("fn", "3dd"),
        "jti": ident("tok", "3ee"), "txn": ident("txn", "3ff"), "credential": ident("crd", "3gg"),
        "run": ident("run", "3hh"), "request": ident("req", "3jj"), "cause": ident("evt", "3kk"),
    }
    private = {
        "v": 1, "salt": "5a" * 32, "actor": agent["display"], "act": [user], "on_behalf_of": user, "target": "math:double",
        "data": {"duration_ms": 12, "names": ["a", "\u20ac"], "whole": True}, "ip": "192.0.2.7", "user_agent": "curl/8",
        "repeated": {"count": 3, "source": "192.0.2.0/24"}, "data_hash": {"bytes": 40000, "sha256": "ab" * 32},
    }
    private_bytes = rfc8785.dumps(private)
    clear_bytes = rfc8785.dumps(clear | {"private_hash": sha256(private_bytes).hex()})
    leaves = entries(13)
    leaves[5] = sha256(clear_bytes)
    answer = {name: clear[name] for name in ("id", "org", "org_seq", "kind", "occurred_at", "outcome", "severity")}
    answer |= {name: clear[name] for name in ("jti", "txn", "credential", "run", "request", "cause")}
    answer |= {name: private[name] for name in ("act", "on_behalf_of", "data", "data_hash", "repeated", "ip", "user_agent")}
    answer |= {
        "seq": 5, "actor": agent, "target": {"type": "function", "id": clear["target_id"], "name": private["target"]},
        "proof": {
            "seq": 5, "tree_size": 13, "clear": clear_bytes.decode(), "private": private_bytes.decode(),
            "entry": leaves[5].hex(), "leaf_hash": sha256(b"\x00" + leaves[5]).hex(),
            "path": [node.hex() for node in path(5, leaves)],
            "checkpoint": signed(13, checked_root(leaves)), "key": VERIFIER,
        },
    }
    return json.dumps(answer, separators=(",", ":"), ensure_ascii=False)


print(json.dumps({"canonical": list(canonical()), "inclusion": list(inclusion()), "note": note(), "fact": fact()}, indent=1))
