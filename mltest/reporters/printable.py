"""Foreign text made safe to show: no control characters, no escape sequences, no invisible direction changes.

Names of features, slices and tests, messages of exceptions and servers all come from outside. A terminal obeys what
it is told by them; a browser would let a right-to-left override rewrite a line. What a reader cannot see is dropped.
"""

from __future__ import annotations

import re
import unicodedata

_ESCAPE_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]{0,4096}(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS: titles, links
    r"|\x9b[0-?]*[ -/]*[@-~]"
    r"|\x1b[@-Z\\^_]?"
)
_BLANK = re.compile(" {2,}")
_LEFT_OUT = re.compile(r" \.\.\. \((\d[\d,]{0,20}) more characters left out\)\Z")
_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cn"})
_SURROGATE = "Cs"
_UNKNOWN = "\N{REPLACEMENT CHARACTER}"


def printable(text: str) -> str:
    """`text` on one line with what can be seen of it; a lone surrogate, which no file can hold, becomes U+FFFD."""
    if text.isascii() and text.isprintable():
        return text
    return _BLANK.sub(" ", "".join(map(_shown, _ESCAPE_SEQUENCE.sub("", text))))


def shorten(text: str, longest: int, unseen: int = 0) -> str:
    """At most `longest` characters of `text`, with the count of those left out in plain sight.

    `unseen` counts characters that were cut before; so does the count that an earlier call left at the end.
    """
    earlier = _LEFT_OUT.search(text)
    if earlier:
        text, unseen = text[: earlier.start()], unseen + int(earlier[1].replace(",", ""))
    left_out = max(0, len(text) - longest) + unseen
    return f"{text[:longest].rstrip()} ... ({left_out:,} more characters left out)" if left_out else text


def _shown(character: str) -> str:
    if character.isspace():
        return " "
    category = unicodedata.category(character)
    if category == _SURROGATE:
        return _UNKNOWN
    return "" if category in _INVISIBLE else character
