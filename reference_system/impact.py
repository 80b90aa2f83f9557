"""What an arrival time is worth to those who act on it, in weighted minutes of waiting; lower is better.

A gate crew is in its place `AHEAD` minutes before the predicted arrival. A plane that comes later makes the crew wait,
a minute for a minute; one that comes earlier makes a full cabin wait for its gate, and those minutes count three times.
With that weight a crew waits least if a quarter of the planes come before it, which the champion's errors in the months
of validation put at seven minutes ahead. A crew that came on the predicted minute would be served best by predictions
that are wrong on purpose: no loss that is the same on both sides could rank models by it.

Nobody has clocked these waits; they are computed from replayed predictions and landings, so that the metric is declared
as simulated.
"""

from __future__ import annotations

import numpy as np

from reference_system.flights import Floats

NAME = "minutes_waited"
CABIN_TO_CREW = 3.0
AHEAD = 7.0


def minutes_waited(predicted: Floats, happened: Floats) -> Floats:
    """Weighted minutes of waiting for each flight, shape (rows,), from minutes predicted and minutes that came."""
    after_the_crew = happened - (predicted - AHEAD)
    waited: Floats = np.maximum(after_the_crew, 0.0) + CABIN_TO_CREW * np.maximum(-after_the_crew, 0.0)
    return waited
