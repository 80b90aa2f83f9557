"""The forms in which a value may turn up among bytes: as text, encoded, as a number in memory, or as a plain hash.

A hash without a key counts as the value itself: whoever has a list of telephone numbers or licence plates hashes them
all and looks. A keyed hash (HMAC) is found by nobody who lacks the key, and is not looked for.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

LONG_ENOUGH = 9
"""Letters and digits from which on a text is unmistakable in small and in capital letters too."""
_FIGURES = 8
_HASHED = 12
_HASHES = ("md5", "sha1", "sha256", "sha512")


def plain_forms(value: Any) -> tuple[bytes, ...]:
    """The value as somebody would print it."""
    return tuple(dict.fromkeys(text.encode() for text in _texts(value)))


def forms(value: Any) -> dict[bytes, str]:
    """Patterns of bytes, each with the name of its form."""
    found: dict[bytes, str] = {}
    for text in _texts(value):
        for name, pattern in _encoded(text):
            found.setdefault(pattern, name)
    for pattern in _in_memory(value):
        found.setdefault(pattern, "as a number in memory")
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, float):
        yield _truncated(value)
    elif isinstance(value, int):
        yield str(value)
        yield f"{value:,}"
    elif isinstance(value, datetime | date):
        yield from (value.strftime(form) for form in ("%Y-%m-%d", "%Y%m%d", "%m/%d/%Y", "%d.%m.%Y"))
    else:
        text = str(value)
        yield text
        if sum(map(str.isalnum, text)) >= LONG_ENOUGH:
            yield from (text.lower(), text.upper())


def _truncated(value: float) -> str:
    """The first figures, which a longer and a shorter print have in common."""
    text, figures = repr(value), 0
    for place, sign in enumerate(text):
        figures += sign.isdigit()
        if figures == _FIGURES:
            return text[: place + 1]
    return text


def _encoded(text: str) -> Iterator[tuple[str, bytes]]:
    plain = text.encode()
    yield "in plain text", plain
    yield "in UTF-16", text.encode("utf-16-le")[:-1]
    yield "in hexadecimal", plain.hex().encode()
    yield "in hexadecimal", plain.hex().upper().encode()
    yield "percent-encoded", quote(text, safe="").encode()
    for shift in range(3):
        yield "in base64", _inner_base64(plain, shift)
        yield "in base64", _inner_base64(plain, shift).replace(b"+", b"-").replace(b"/", b"_")
    for name in _HASHES:
        digest = hashlib.new(name, plain, usedforsecurity=False)
        yield f"as a {name} hash without a key", digest.hexdigest()[:_HASHED].encode()
        yield f"as a {name} hash without a key", base64.b64encode(digest.digest())[:_HASHED]


def _inner_base64(plain: bytes, shift: int) -> bytes:
    """What is the same in base64 whatever stands before and after, where the text begins `shift` bytes into a group."""
    padded = b"\0" * shift + plain
    begin = -(-shift * 8 // 6)
    end = len(padded) * 8 // 6
    return base64.b64encode(padded)[begin:end]


def _in_memory(value: Any) -> Iterator[bytes]:
    if isinstance(value, float):
        yield struct.pack("<d", value)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield struct.pack("<q", value)
        yield struct.pack("<d", float(value))
