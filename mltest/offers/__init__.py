"""What a part may offer beyond its protocol, one module per subject.

The protocols in `mltest.system` are what a part needs to be one. The ones in here open single items further: a feature
catalogue with a policy, a log of a hyperparameter search, a deployment that can be drilled. A part that does not have
them leaves those items *not demonstrated*, with the sentence that tells how to offer them.
"""

from __future__ import annotations

from typing import Any

from mltest.evidence import ReasonCode, Withheld


def require(part: Any, attribute: str, how: str) -> Any:
    """What a part offers under that name. Raises Withheld, telling `how` to offer it, when it is absent or None."""
    found = getattr(part, attribute, None)
    if found is None:
        raise Withheld(how, ReasonCode.PART_MISSING)
    return found
