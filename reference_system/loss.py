"""The pinball loss (Koenker & Bassett 1978)."""

from __future__ import annotations

import torch
from torch import Tensor


def pinball(predicted: Tensor, target: Tensor, quantiles: Tensor) -> Tensor:
    """Mean over rows and levels of max(q e, (q - 1) e), with e = target - predicted.

    `predicted` has shape (rows, levels), `target` (rows,), `quantiles` (levels,); the result is a scalar in the
    target's unit. Raises ValueError when the shapes do not fit, since broadcasting would hide it.
    """
    if target.ndim != 1 or predicted.shape != (target.shape[0], quantiles.shape[0]):
        raise ValueError(
            f"pinball: predicted {tuple(predicted.shape)} does not fit target {tuple(target.shape)} "
            f"and {quantiles.shape[0]} quantiles"
        )
    error = target.unsqueeze(1) - predicted
    return torch.maximum(quantiles * error, (quantiles - 1) * error).mean()
