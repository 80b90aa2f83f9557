"""The net: entity embeddings, a linear skip, two hidden layers, and three quantile heads that cannot cross.

Standardisation and imputation are its first layers, so that weights and encoders are one thing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from reference_system.encoding import Encoding

LARGEST_EMBEDDING = 10
EMBEDDING_SPREAD = 0.1


@dataclass(frozen=True)
class Architecture:
    """The shape of a net. `location` and `spread` are the target's scale, in minutes."""

    hidden: tuple[int, ...]
    dropout: float
    location: float
    spread: float


class QuantileNet(nn.Module):
    """Maps raw numbers (rows, numbers; NaN is missing) and codes (rows, categories) to p10, p50, p90 in minutes.

    Entity embeddings: Guo & Berkhahn 2016. Lower and upper quantile are the median minus and plus a softplus, so
    they cannot cross.
    """

    center: Tensor
    scale: Tensor
    fill: Tensor
    flagged: Tensor
    location: Tensor
    spread: Tensor

    def __init__(self, encoding: Encoding, architecture: Architecture) -> None:
        super().__init__()
        numbers = encoding.numbers
        self.register_buffer("center", _row([column.center for column in numbers]))
        self.register_buffer("scale", _row([column.scale for column in numbers]))
        # A column that must not miss values is filled with NaN: its absence then shows in the answer.
        self.register_buffer("fill", _row([column.fill if column.nullable else np.nan for column in numbers]))
        flagged = [index for index, column in enumerate(numbers) if column.flagged]
        self.register_buffer("flagged", torch.tensor(flagged, dtype=torch.int64))
        sizes = [len(column.vocabulary) + 1 for column in encoding.categories]
        self.embeddings = nn.ModuleList(_embedding(size) for size in sizes)
        width = len(numbers) + len(flagged) + sum(embedding_width(size) for size in sizes)
        self.skip = nn.Linear(width, 3)
        self.layers = nn.ModuleList()
        for wide in architecture.hidden:
            self.layers.append(
                nn.Sequential(nn.Linear(width, wide), nn.LayerNorm(wide), nn.SiLU(), nn.Dropout(architecture.dropout))
            )
            width = wide
        self.head = nn.Linear(width, 3)
        self.register_buffer("location", torch.tensor(architecture.location))
        self.register_buffer("spread", torch.tensor(architecture.spread))

    def forward(self, numbers: Tensor, codes: Tensor) -> Tensor:
        """Quantiles in minutes, shape (rows, 3), not decreasing along a row."""
        return self.stages(numbers, codes)["quantiles"]

    def stages(self, numbers: Tensor, codes: Tensor) -> dict[str, Tensor]:
        """Every intermediate result by name, in order of computation."""
        encoded = self._encoded(numbers, codes)
        found = {"encoded": encoded}
        hidden = encoded
        for index, layer in enumerate(self.layers, start=1):
            hidden = layer(hidden)
            found[f"layer_{index}"] = hidden
        raw: Tensor = self.head(hidden) + self.skip(encoded)
        found["heads"] = raw
        middle = raw[:, 1]
        lower = middle - functional.softplus(raw[:, 0])
        upper = middle + functional.softplus(raw[:, 2])
        found["quantiles"] = self.location + self.spread * torch.stack((lower, middle, upper), dim=1)
        return found

    def _encoded(self, numbers: Tensor, codes: Tensor) -> Tensor:
        missing = torch.isnan(numbers)
        known = torch.where(missing, self.fill, numbers)
        flags = missing.index_select(1, self.flagged).to(numbers.dtype)
        embedded = [embedding(codes[:, index]) for index, embedding in enumerate(self.embeddings)]
        return torch.cat(((known - self.center) / self.scale, flags, *embedded), dim=1)


def embedding_width(size: int) -> int:
    """Width of the embedding of a vocabulary of `size` codes."""
    return min(LARGEST_EMBEDDING, (size + 1) // 2)


def _embedding(size: int) -> nn.Embedding:
    embedding = nn.Embedding(size, embedding_width(size))
    # The default spread of 1 drowns the standardised numbers: 0.03 minutes of test error.
    nn.init.normal_(embedding.weight, std=EMBEDDING_SPREAD)
    return embedding


def _row(values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float32).reshape(1, -1)
