#!/usr/bin/env python3
"""Makes crates/domains/sign_in/data/breached.bin: passwords that stood in breaches, as a compact sorted file.

    scripts/breached-passwords.py OUT LIST...

Each LIST has one password a line, plain or gzipped, or is a Python module with a dictionary that has them under `passwords`
(`frequency_lists.py` of zxcvbn). What is checked in was made from the two lists that come with Django
(`common-passwords.txt.gz`, BSD) and zxcvbn (MIT), both on PyPI. A larger list – such as one's own from a breach corpus –
works the same.

The file: `SFCBP1` and two zero bytes, then the first six bytes of the SHA-256 of each password in lower case, sorted, each
once. A password that is not on the list is taken for one with probability entries / 2^48.
"""

import ast
import gzip
import hashlib
import pathlib
import sys


def passwords(path):
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8", "replace")
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            for key, value in zip(getattr(node, "keys", []), getattr(node, "values", [])):
                if getattr(key, "value", None) == "passwords":
                    texts = (part.value for part in ast.walk(value) if isinstance(part, ast.Constant))
                    yield from max(texts, key=len).split(",")
    else:
        yield from text.splitlines()


def main(out, *lists):
    known = {word.strip().lower() for name in lists for word in passwords(pathlib.Path(name))}
    hashes = {hashlib.sha256(word.encode()).digest()[:6] for word in known if len(word) >= 4}
    pathlib.Path(out).write_bytes(b"SFCBP1\0\0" + b"".join(sorted(hashes)))
    print(f"{out}: {len(hashes)} passwords")


main(*sys.argv[1:])
