"""Names for planes that nobody can undo without a key, so that a log can forget a plane that it cannot name.

A plain hash would not do: there are fewer than a million tail numbers, and whoever has a list of them hashes them all.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

KEY_FILE = "subjects.key"
_KEY_BYTES = 32


def key_of(home: Path) -> bytes:
    """The secret of the system below `home`, made when it is first asked for and readable by its owner alone."""
    home.mkdir(parents=True, exist_ok=True)
    path = home / KEY_FILE
    if not path.exists():
        staged = home / f"{KEY_FILE}.{os.getpid()}"
        with open(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
            stream.write(secrets.token_bytes(_KEY_BYTES))
        try:
            os.link(staged, path)
        except FileExistsError:
            pass
        finally:
            staged.unlink()
    return path.read_bytes()


def pseudonym(key: bytes, tailnum: str | None) -> str | None:
    """The HMAC-SHA256 of a tail number in 32 hexadecimal figures; None without one."""
    return None if tailnum is None else hmac.new(key, tailnum.encode(), hashlib.sha256).hexdigest()[:32]
