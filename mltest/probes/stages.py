"""Which stage of a pipeline something happened in, told by whatever it raises."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mltest.evidence import PartFailure, Withheld


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Turns any exception in the block into a PartFailure that names the stage; an outcome of a probe passes."""
    try:
        yield
    except Withheld:
        raise
    except Exception as error:
        text = " ".join(str(error).split())[:400]
        raise PartFailure(f"the pipeline broke in its stage `{name}`: {type(error).__name__}: {text}") from error
