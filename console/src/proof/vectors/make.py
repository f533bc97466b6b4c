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


def note():
    signer = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    key = b"\x01" + signer.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    key_id = sha256(NAME.encode() + b"\n" + key)[:4]
    root = checked_root(entries(1000))
    text = "%s\n%d\n%s\n" % (NAME, 1000, base64.b64encode(root).decode())
    line = base64.b64encode(key_id + signer.sign(text.encode())).decode()
    witness = base64.b64encode(b"\x00\x01\x02\x03" + bytes(72)).decode()
    return {
        "key": "%s+%s+%s" % (NAME, key_id.hex(), base64.b64encode(key).decode()),
        "note": "%s\n\u2014 %s %s\n\u2014 witness.example %s\n" % (text, NAME, line, witness),
        "size": 1000,
        "root": root.hex(),
    }


print(json.dumps({"canonical": list(canonical()), "inclusion": list(inclusion()), "note": note()}, indent=1))
