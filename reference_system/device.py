"""The one place that decides where tensors live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch


def choose(wanted: Literal["auto", "cpu", "cuda"] = "auto") -> torch.device:
    """CUDA when it is present and not declined, else the CPU.

    Raises RuntimeError when CUDA is asked for by name and there is none.
    """
    import torch

    available = torch.cuda.is_available()
    if wanted == "cuda" and not available:
        raise RuntimeError("device is 'cuda', but this machine has no CUDA device: set device to auto or cpu")
    return torch.device("cuda" if available and wanted != "cpu" else "cpu")
