"""Personal data that nobody declared: what well-kept validators recognise among the texts that a system put out.

email-validator, phonenumbers and python-stdnum decide what is an address, a telephone number, a bank account. A text
decides only where chance is out of the question: an e-mail address, an international number that is dialled, an IBAN,
or a whole column of payment cards. Digits alone are flight numbers, seconds and weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mltest.evidence import ReasonCode, Withheld

if TYPE_CHECKING:
    import pyarrow as pa

MOST_VALUES = 5_000
"""Distinct texts of a column that are looked at."""
FEWEST_CARDS = 5
"""Distinct numbers that pass the check digit; one in ten does by chance, so five in a row do once in 100,000."""
_AROUND = "\"'<>()[]{},;|= \t\n\r"


@dataclass(frozen=True)
class Identified:
    """`count` distinct values of a kind in one column or text. `certain` ones decide, the others inform."""

    place: str
    kind: str
    count: int
    certain: bool


def of_table(place: str, table: pa.Table, known: frozenset[str], declared: frozenset[str]) -> tuple[Identified, ...]:
    """What the text columns of a table hold, but for `known` values and what `declared` columns hold."""
    import pyarrow as pa
    import pyarrow.types as pt

    found: list[Identified] = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        plain = column.cast(column.type.value_type) if pt.is_dictionary(column.type) else column
        if pt.is_string(plain.type) or pt.is_large_string(plain.type):
            values = plain.cast(pa.string()).drop_null().unique().slice(0, MOST_VALUES).to_pylist()
            told = [value for value in values if value not in declared]
            found += of_texts(f"{place}, column {name!r}", told, known)
    return tuple(found)


def of_texts(place: str, texts: Sequence[str], known: frozenset[str]) -> tuple[Identified, ...]:
    """What some texts hold, by kind."""
    recognised: dict[str, set[str]] = {kind: set() for kind in _RECOGNISERS}
    told = 0
    for text in texts:
        told += bool(text.strip())
        for kind, recognise in _RECOGNISERS.items():
            recognised[kind] |= {value for value in recognise(text) if value not in known}
    found = []
    for kind, values in recognised.items():
        enough = len(values) >= FEWEST_CARDS and len(values) == told if kind == _CARD else bool(values)
        if values:
            found.append(Identified(place, kind, len(values), certain=enough))
    return tuple(found)


def require_validators() -> None:
    """Raises Withheld when the validators are not installed."""
    from importlib.util import find_spec

    missing = [name for name in ("email_validator", "phonenumbers", "stdnum") if find_spec(name) is None]
    if missing:
        raise Withheld(
            f"{', '.join(missing)} is not installed, and recognises what nobody declared: "
            "pip install 'pytest-ml-score[privacy]'",
            ReasonCode.PART_MISSING,
        )


def _words(text: str) -> Iterator[str]:
    for separator in _AROUND:
        text = text.replace(separator, " ")
    return iter(text.split())


def _addresses(text: str) -> Iterator[str]:
    if "@" not in text:
        return
    from email_validator import EmailNotValidError, validate_email

    for word in _words(text):
        if "@" in word:
            try:
                yield validate_email(word.strip(".:"), check_deliverability=False).normalized
            except EmailNotValidError:
                continue


def _telephones(text: str) -> Iterator[str]:
    if "+" not in text:
        return
    import phonenumbers

    for match in phonenumbers.PhoneNumberMatcher(text, None):
        yield phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164)


def _accounts(text: str) -> Iterator[str]:
    if len(text) < 15:
        return
    from stdnum import iban

    for word in (text, *_words(text)):
        if 15 <= len(word) <= 42 and word[:2].isalpha() and word[2:4].isdigit() and iban.is_valid(word):
            yield iban.compact(word)


def _cards(text: str) -> Iterator[str]:
    figures = text.replace(" ", "").replace("-", "")
    if not (13 <= len(figures) <= 19 and figures.isdigit()):
        return
    from stdnum import luhn

    if luhn.is_valid(figures) and figures[0] in "3456":
        yield figures


_CARD = "payment card number"
_RECOGNISERS: Mapping[str, Callable[[str], Iterator[str]]] = {
    "e-mail address": _addresses,
    "telephone number": _telephones,
    "bank account (IBAN)": _accounts,
    _CARD: _cards,
}
