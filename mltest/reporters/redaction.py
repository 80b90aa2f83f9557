"""Keeps secrets out of every report: by their name, by their well-known shape, by their randomness, by their value.

A report is made to be passed on. Evidence may quote an exception, and exceptions quote connection strings; so each
reporter redacts what it is given, and whoever knows the process environment adds the values that it holds.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any

from mltest.reporters.printable import shorten
from mltest.scorecard import Scorecard

REDACTED = "[redacted]"
LONGEST_TEXT = 20_000
"""Characters that a single text of a report may have; the rest is counted and left out."""
LARGEST_FIGURE = 500_000
"""Characters that a figure or table may have; a larger one is left out, and its place says so."""

_SECRET_NAME = r"(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|dsn)"  # noqa: S105
_SECRET_WORD = r"(?:^|[_-])(?:pass|pwd|pw|key|auth|authorization|cookie|cookies|creds|webhook|salt)(?:$|[_-])"  # noqa: S105
_NAMED = re.compile(
    rf"(?i)(?<![\w-])([\w-]{{0,40}}{_SECRET_NAME}[\w-]{{0,40}}[\"']?\s{{0,3}}[=:]\s{{0,3}}[\"']?)[^\s\"'&,;]+"
)
_IS_SECRET_NAME = re.compile(rf"(?i){_SECRET_NAME}|{_SECRET_WORD}")
_HEADER = re.compile(r"(?i)(authorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:basic|bearer|token)?\s{0,3})[^\s\"',;]+")
_BEARER = re.compile(r"(?i)(\bbearer )[A-Za-z0-9._~+/=-]{16,}")
_USERINFO = re.compile(r"(\b[A-Za-z][A-Za-z0-9+.-]{1,20}://)[^\s/@]{1,500}@")
_KNOWN_SHAPE = re.compile(
    r"\bgh[pousr]_[A-Za-z0-9]{16,}|\bgithub_pat_\w{16,}|\bglpat-[\w-]{16,}|\bsk-[\w-]{16,}|\bAKIA[0-9A-Z]{12,}"
    r"|\bxox[abprs]-[\w-]{10,}|\bAIza[\w-]{20,}|\bhf_[A-Za-z0-9]{20,}|\bpypi-[\w-]{20,}"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]+)?"
    r"|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.{0,8000}?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
_HOME = re.compile(r"(?<![\w/.-])(?:/home/[^/\s]+|/Users/[^/\s]+|/root)(?=/)")
_WORD = re.compile(r"[A-Za-z0-9+=-]{32,}")
_WORDS_OF_MARKUP = re.compile(r">[^<]+|(?:aria-label|href)=\"[^\"]*")
_RANDOM_BITS = 4.3
"""Bits a character above which mixed-case text of 32 characters or more is random; identifiers stay below 4.2."""
_OVERLAP = 600
_SHORTEST_SECRET = 6


_OURS = frozenset({"id", "item", "section", "sections", "basis", "effort", "environment", "kind", "better", "schema"})
"""Fields that hold words of the rubric and of this package: an environment in which a secret is called `manual` must
not take the keys from a document that programs read."""
_LONGEST_WORD_OF_OURS = 64
_WORD_OF_OURS = re.compile(r"[a-z][a-z0-9_]*(?:[./-][a-z0-9_]+)*")


def redact(text: str, secrets: frozenset[str] = frozenset()) -> str:
    """`text` without what looks like a secret, without the literal `secrets`, and with home folders as `~`."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = _without_half(text.replace(secret, REDACTED), secret)
    text = _KNOWN_SHAPE.sub(REDACTED, text)
    for pattern in (_HEADER, _NAMED, _BEARER):
        text = pattern.sub(rf"\g<1>{REDACTED}", text)
    text = _USERINFO.sub(rf"\g<1>{REDACTED}@", text)
    return _HOME.sub("~", _WORD.sub(_random_word, text))


def secrets_of(environment: Mapping[str, str]) -> frozenset[str]:
    """The values of those variables whose names say that they are secret; very short values are no secret.

    A value of several lines is known by each of its lines, by its `repr`, and with its blanks run together, as
    exceptions quote it.
    """
    values = {value for name, value in environment.items() if _IS_SECRET_NAME.search(name)}
    written = {form for v in values for form in (v, *v.splitlines(), repr(v)[1:-1], " ".join(v.split()))}
    return frozenset(form for form in map(str.strip, written) if len(form) >= _SHORTEST_SECRET)


def without_secrets(value: Any, secrets: frozenset[str]) -> Any:
    """A copy of a frozen record of the scorecard with every text redacted."""
    return _walk(value, lambda text: redact(text, secrets))


def redacted(scorecard: Scorecard, secrets: frozenset[str] = frozenset(), longest: int = LONGEST_TEXT) -> Scorecard:
    """The same scorecard with every text redacted and at most `longest` characters long; large figures are left out."""

    def clean(text: str) -> str:
        # Redacting a little beyond the cut keeps the cut from halving a secret, which would hide its shape.
        seen = longest + _OVERLAP
        return shorten(redact(text[:seen], secrets), longest, unseen=max(0, len(text) - seen))

    figures = {
        digest: _redact_figure(content, secrets)
        for digest, content in scorecard.figures.items()
        if len(content) <= LARGEST_FIGURE
    }
    plain: Scorecard = _walk(replace(scorecard, figures={}), clean)
    return replace(plain, figures=figures)


def _redact_figure(content: str, secrets: frozenset[str]) -> str:
    """A figure or table of which only the words are redacted, so that it stays the SVG or JSON that it is."""
    if content.lstrip().startswith("<"):
        return _WORDS_OF_MARKUP.sub(lambda words: _redact_unless_data(words[0], secrets), content)
    try:
        table = json.loads(content)
    except ValueError:
        return redact(content, secrets)
    return json.dumps(_walk(table, lambda text: redact(text, secrets)))


def _redact_unless_data(words: str, secrets: frozenset[str]) -> str:
    return words if words.startswith('href="data:') else redact(words, secrets)


def _walk(value: Any, clean: Callable[[str], str]) -> Any:
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, tuple):
        return tuple(_walk(part, clean) for part in value)
    if isinstance(value, list):
        return [_walk(part, clean) for part in value]
    if isinstance(value, Mapping):
        return dict(_entry(clean(key), entry, clean) for key, entry in value.items())
    if is_dataclass(value) and not isinstance(value, type):
        changed = {f.name: _field(f.name, getattr(value, f.name), clean) for f in fields(value)}
        return replace(value, **changed)
    return value


def _field(name: str, value: Any, clean: Callable[[str], str]) -> Any:
    ids = name == "items" and all(isinstance(entry, str) for entry in value)
    if name not in _OURS and not ids:
        return _walk(value, clean)
    return _walk(value, lambda text: text if _is_word_of_ours(text) else clean(text))


def _is_word_of_ours(text: str) -> bool:
    return len(text) <= _LONGEST_WORD_OF_OURS and _WORD_OF_OURS.fullmatch(text) is not None


def _without_half(text: str, secret: str) -> str:
    """`text` without the head of a secret at its very end, where somebody cut it."""
    longest = min(len(secret) - 1, len(text))
    half = next((n for n in range(longest, _SHORTEST_SECRET - 1, -1) if text.endswith(secret[:n])), 0)
    return text[: len(text) - half] + REDACTED if half else text


def _entry(key: str, value: Any, clean: Callable[[str], str]) -> tuple[str, Any]:
    hidden = isinstance(value, str) and _IS_SECRET_NAME.search(key) is not None
    return key, REDACTED if hidden else _walk(value, clean)


def _random_word(match: re.Match[str]) -> str:
    word = match[0]
    mixed = any(c.isdigit() for c in word) and any(c.islower() for c in word) and any(c.isupper() for c in word)
    return REDACTED if mixed and _entropy(word) > _RANDOM_BITS else word


def _entropy(word: str) -> float:
    """Shannon entropy of the characters of `word`, in bits a character."""
    return -sum(n / len(word) * math.log2(n / len(word)) for n in Counter(word).values())
