"""Verifies an evidence bundle with nothing but this file, a verifier key and the standard library.

    verify_bundle.py BUNDLE KEY        KEY: <name>+<key id>+<base64>

Written from the definitions: RFC 9162 section 2.1 (tree hash), C2SP signed-note and tlog-checkpoint, RFC 8032 (Ed25519),
and the form of the bundle as crates/base/evidence/src/bundle/mod.rs describes it. Prints one JSON object on success,
says why and exits with 1 otherwise.
"""

import base64
import hashlib
import json
import sys


def sha256(data):
    return hashlib.sha256(data).digest()


class Refused(Exception):
    pass


def require(condition, reason):
    if not condition:
        raise Refused(reason)


# --- RFC 8032, section 5.1, verification only ---------------------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def add(a, b):
    (x1, y1, z1, t1), (x2, y2, z2, t2) = a, b
    e, f = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    g, h = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def equal(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def decompress(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    require(y < P, "a point is not canonical")
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    require((x * x - square) % P == 0 and not (x == 0 and sign), "a point is not on the curve")
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = decompress((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def ed25519_verify(public, message, signature):
    require(len(public) == 32 and len(signature) == 64, "a key or signature has a wrong length")
    commitment, scalar = signature[:32], int.from_bytes(signature[32:], "little")
    require(scalar < L, "the signature is not canonical")
    challenge = int.from_bytes(hashlib.sha512(commitment + public + message).digest(), "little") % L
    left = multiply(scalar, BASE)
    right = add(decompress(commitment), multiply(challenge, decompress(public)))
    require(equal(left, right), "the signature does not verify")


# --- signed notes and checkpoints ---------------------------------------------------------------------------------


def open_checkpoint(note, key):
    name, identity, encoded = key.split("+", 2)
    encoded = base64.b64decode(encoded, validate=True)
    require(encoded[0] == 1 and len(encoded) == 33, "only Ed25519 log keys are known here")
    public = encoded[1:]
    key_id = sha256(name.encode() + b"\n\x01" + public)[:4]
    require(key_id.hex() == identity, "the key id does not belong to the key")
    text, separator, lines = note.rpartition("\n\n")
    require(separator, "not a signed note")
    text += "\n"
    signed = False
    for line in lines.splitlines():
        dash, signer, blob = line.split(" ")
        blob = base64.b64decode(blob, validate=True)
        if dash == "\u2014" and signer == name and blob[:4] == key_id:
            ed25519_verify(public, text.encode(), blob[4:])
            signed = True
    require(signed, "the key has not signed the checkpoint")
    origin, size, root = text.split("\n")[:3]
    require(origin == name, "the checkpoint is of another log")
    return int(size), base64.b64decode(root, validate=True)


# --- the tree -----------------------------------------------------------------------------------------------------


def split(length):
    return 1 << (length - 1).bit_length() - 1


def batch_root(leaves, size, nodes):
    """Folds the leaves (sorted index, leaf hash) and the roots of the subtrees without any of them."""
    nodes = iter(nodes)

    def fold(start, end, inside):
        if not inside:
            return next(nodes)
        if end - start == 1:
            return inside[0][1]
        middle = start + split(end - start)
        left = [leaf for leaf in inside if leaf[0] < middle]
        right = inside[len(left) :]
        return sha256(b"\x01" + fold(start, middle, left) + fold(middle, end, right))

    require(leaves and leaves[-1][0] < size, "a record lies outside the tree")
    require(len({index for index, _ in leaves}) == len(leaves), "two records claim one place")
    try:
        root = fold(0, size, leaves)
    except StopIteration:
        raise Refused("the proof is too short") from None
    require(next(nodes, None) is None, "the proof is too long")
    return root


def consistent(old_size, old_root, new_size, new_root, proof):
    """RFC 9162, section 2.1.4.2."""
    if old_size == new_size:
        return not proof and old_root == new_root
    if old_size == 0 or old_size > new_size:
        return False
    proof = list(proof)
    if old_size & (old_size - 1) == 0:
        proof.insert(0, old_root)
    if not proof:
        return False
    fn, sn = old_size - 1, new_size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = proof[0]
    for node in proof[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = sha256(b"\x01" + node + fr), sha256(b"\x01" + node + sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = sha256(b"\x01" + sr + node)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == old_root and sr == new_root


# --- the bundle ---------------------------------------------------------------------------------------------------


def verify(data, key):
    require(data.endswith(b"\n"), "the bundle ends early")
    lines = data[:-1].split(b"\n")
    require(lines[0] == b"safeconduct-bundle/1", "not a bundle of this version")
    words = [line.partition(b" ")[::2] for line in lines[1:]]
    require(words[-1] == (b"end", b"%d" % (len(lines) - 1)), "the bundle ends early")
    require(words[0][0] == b"org" and words[1][0] == b"first", "the head of the bundle is missing")
    org, first = words[0][1].decode(), int(words[1][1])

    number, leaves, erased, purges = first, [], [], []
    counts = {"records": 0, "withheld": 0, "erased": 0}
    nodes, grown, checkpoint, earlier = [], [], None, None
    position = 2
    while position < len(words) - 1:
        word, content = words[position]
        position += 1
        if word in (b"record", b"purge"):
            seq, _, clear = content.partition(b" ")
            head = json.loads(clear)
            require(head["v"] == 1 and head["org"] == org, "a record is not of this organization")
            private = None
            if position < len(words) and words[position][0] == b"private":
                private = words[position][1]
                position += 1
                require(sha256(private).hex() == head["private_hash"], "a private part was changed: " + head["id"])
                if head["kind"] == "audit.purged":
                    purges.append(json.loads(private)["data"])
            if word == b"record":
                require(head["org_seq"] == number, "a record is missing before " + head["id"])
                number += 1
                counts["withheld" if private is None else "records"] += 1
            else:
                require(head["kind"] == "audit.purged" and private is not None, "only purges stand outside the run")
            leaves.append((int(seq), sha256(b"\x00" + sha256(clear))))
        elif word == b"erased":
            seq, _, entry = content.partition(b" ")
            erased.append(number)
            number += 1
            counts["erased"] += 1
            leaves.append((int(seq), sha256(b"\x00" + bytes.fromhex(entry.decode()))))
        elif word == b"node":
            nodes.append(bytes.fromhex(content.decode()))
        elif word == b"checkpoint":
            checkpoint = open_checkpoint(json.loads(content), key)
        elif word == b"earlier":
            earlier = open_checkpoint(json.loads(content), key)
        elif word == b"grown":
            grown.append(bytes.fromhex(content.decode()))
        else:
            raise Refused("unknown line")

    require(checkpoint is not None, "there is no checkpoint")
    size, root = checkpoint
    require(batch_root(sorted(leaves), size, nodes) == root, "the records do not lead to the root")
    for missing in erased:
        require(any(purge["first"] <= missing <= purge["last"] for purge in purges), "an erasure is unexplained")
    if earlier is not None:
        require(consistent(*earlier, size, root, grown), "the log was rewritten")
    return {"org": org, "first": first, "last": number - 1, "tree_size": size, "root": root.hex(), **counts}


def main():
    path, key = sys.argv[1:]
    with open(path, "rb") as bundle:
        data = bundle.read()
    try:
        print(json.dumps(verify(data, key), sort_keys=True))
    except (Refused, ValueError, KeyError, TypeError) as reason:
        sys.exit(f"refused: {reason}")


if __name__ == "__main__":
    main()
