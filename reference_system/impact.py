"""What an arrival time is worth to those who act on it, in minutes of waiting; lower is better.

A gate crew and whoever picks up passengers come at the predicted minute. A plane that is later than that makes them
wait, a minute for a minute. A plane that is earlier makes a full cabin wait for its gate: those minutes count three
times, but the first five cost nothing, for a crew is in its place five minutes ahead. Nobody has clocked these waits;
they are computed from replayed predictions and landings, which is why the metric is declared as simulated.
"""

from __future__ import annotations

import numpy as np

from reference_system.flights import Floats

NAME = "minutes_waited"
CABIN_TO_CREW = 3.0
AHEAD = 5.0


def minutes_waited(predicted: Floats, happened: Floats) -> Floats:
    """Weighted minutes of waiting for each flight, shape (rows,), from minutes predicted and minutes that came."""
    late = happened - predicted
    waited: Floats = np.maximum(late, 0.0) + CABIN_TO_CREW * np.maximum(-late - AHEAD, 0.0)
    return waited
