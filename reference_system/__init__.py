"""A complete ETA predictor on real flights: the worked example and the proving ground of the checks."""
