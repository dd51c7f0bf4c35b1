"""Networks that may compute in half precision do, and their gain hardly changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from headroom.restore.network import load_network
from headroom.restore.plan import make_plan
from headroom.restore.predict import Gains, Predictor

HEIGHT, WIDTH = 96, 128


def test_lediff_gives_the_same_gain_in_bfloat16() -> None:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    ramp = 2.6 * columns - 20 + 12 * np.sin(rows / 5)
    codes = np.clip(ramp[..., None] + (0, 9, -6), 0, 255).astype(np.uint8)
    loaded = load_network("lediff", "fast", None, torch.device("cpu"))
    assert loaded.preset.capabilities.half_precision
    plan = make_plan(HEIGHT, WIDTH, loaded.preset.capabilities)

    def gains_in(dtype: torch.dtype) -> Gains:
        return Predictor(loaded, replace(plan, dtype=dtype), 0, lambda _: None)(codes, codes == 255)

    exact, half = gains_in(torch.float32), gains_in(torch.bfloat16)
    for before, after, lost in zip(exact, half, (codes == 255, codes < 8), strict=True):
        change = (after(0, HEIGHT) - before(0, HEIGHT))[torch.from_numpy(lost)].abs()
        assert change.dtype == torch.float32
        assert 0 < change.mean() < 0.03  # stops
        assert change.max() < 0.2
