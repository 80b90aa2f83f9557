"""Model 1: the specification of the model is checked in, and a second person approved that very state."""

from __future__ import annotations

from typing import Any

import pytest

import mltest
from mltest.probes import reviewed_specification


@pytest.mark.ml_score("model.review")
def test_the_model_that_serves_was_made_from_what_a_second_person_approved(
    evidence: mltest.Evidence, ml_system: mltest.System, ml_registry: Any, ml_repository: Any
) -> None:
    """From the version to its commit, to the digest of the files that decide it, to a signed review of that digest.

    Held against content, so that a squash keeps its review and one more change loses it; settings in effect against the
    reviewed file. Who wrote and who reviewed is told by signatures: git's author field is no identity, and neither is a
    second name of one person. One person alone cannot pass.
    """
    chain = reviewed_specification.follow(ml_registry, ml_system.model, ml_repository, ml_system.training)
    evidence.measure("files_not_as_committed", len(chain.differing_files), limit=0, n=chain.n_files, unit="files")
    evidence.measure("content_not_on_the_branch", int(chain.on_branch is None), limit=0)
    evidence.measure("settings_not_as_reviewed", len(chain.differing_settings), limit=0, n=chain.n_settings)
    evidence.measure("reviews_of_this_content", len(chain.reviews), limit=1, better="higher", unit="reviews")
    evidence.measure("approvals_by_a_second_person", len(chain.approvals), limit=1, better="higher", unit="approvals")
    evidence.attach("from the model to its review", reviewed_specification.table(chain))
    failures = chain.failures()
    if failures:
        pytest.fail("; ".join(failures), pytrace=False)
    if chain.unreviewed_settings:
        evidence.withhold(chain.unreviewed())
