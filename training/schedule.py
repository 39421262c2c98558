"""The learning rate over a run: linear warm-up, constant, linear decay."""

from training.recipe import Optimisation


def rate_at(step: int, optimisation: Optimisation) -> float:
    """Factor on the highest learning rate at a step, counted from 0."""
    warmup = max(1.0, optimisation.warmup * optimisation.steps)
    decay = max(1.0, optimisation.decay * optimisation.steps)
    up = (step + 1) / warmup
    down = (optimisation.steps - step) / decay
    return max(0.0, min(1.0, up, down))
