"""Answers questions about a log of test entries, straight from the definitions.

RFC 9162 section 2.1 (tree hash, PATH, SUBPROOF), C2SP tlog-tiles (paths, tiles, bundles), C2SP signed-note (keys).
Reads one JSON object from standard input, writes one to standard output. Standard library only.
"""

import base64
import functools
import hashlib
import json
import sys


def sha256(data):
    return hashlib.sha256(data).digest()


def entry(index):
    return sha256(b"entry %d" % index)


def split(length):
    """The largest power of two smaller than length."""
    return 1 << (length - 1).bit_length() - 1


@functools.lru_cache(maxsize=None)
def tree_hash(start, end):
    if start == end:
        return sha256(b"")
    if end - start == 1:
        return sha256(b"\x00" + entry(start))
    middle = start + split(end - start)
    return sha256(b"\x01" + tree_hash(start, middle) + tree_hash(middle, end))


def path(index, start, end):
    if end - start == 1:
        return []
    middle = start + split(end - start)
    if index < middle:
        return path(index, start, middle) + [tree_hash(middle, end)]
    return path(index, middle, end) + [tree_hash(start, middle)]


def subproof(old, start, end, known):
    """The old tree ends at leaf `old`; `known` while its root is what the verifier already has."""
    if old == end:
        return [] if known else [tree_hash(start, end)]
    middle = start + split(end - start)
    if old <= middle:
        return subproof(old, start, middle, known) + [tree_hash(middle, end)]
    return subproof(old, middle, end, False) + [tree_hash(start, middle)]


def place(index, width):
    groups = ["%03d" % (index % 1000)]
    while index := index // 1000:
        groups.insert(0, "x%03d" % (index % 1000))
    return "/".join(groups) + ("" if width == 256 else ".p/%d" % width)


def files(size):
    """Every tile and bundle of a log of this size with the digest of its bytes."""
    found = {}
    level = 0
    while hashes := size // 256**level:
        span = 256**level
        for index in range((hashes + 255) // 256):
            width = min(256, hashes - index * 256)
            row = range(index * 256, index * 256 + width)
            body = b"".join(tree_hash(i * span, (i + 1) * span) for i in row)
            found["tile/%d/%s" % (level, place(index, width))] = sha256(body).hex()
            if level == 0:
                bundle = b"".join(b"\x00\x20" + entry(i) for i in row)
                found["tile/entries/" + place(index, width)] = sha256(bundle).hex()
        level += 1
    return found


def verifier_key(name, kind, public):
    key = bytes([kind]) + bytes.fromhex(public)
    identifier = sha256(name.encode() + b"\n" + key)[:4]
    return "%s+%s+%s" % (name, identifier.hex(), base64.b64encode(key).decode())


def answer(question):
    pairs = question.get("pairs", [])
    return {
        "roots": [tree_hash(0, size).hex() for size in question.get("sizes", [])],
        "inclusion": [[node.hex() for node in path(index, 0, size)] for index, size in pairs],
        "consistency": [[node.hex() for node in subproof(index + 1, 0, size, True)] for index, size in pairs],
        "tiles": {str(size): files(size) for size in question.get("tiles", [])},
        "keys": [verifier_key(*key) for key in question.get("keys", [])],
    }


json.dump(answer(json.load(sys.stdin)), sys.stdout)
