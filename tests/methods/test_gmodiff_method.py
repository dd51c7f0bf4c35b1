"""The method as a whole: what it says without weights, and what it merges with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import headroom
from headroom import methods
from headroom.errors import WeightsError
from headroom.image import Bracket, Encoding, Photo
from headroom.methods.gmodiff.method import METHOD
from headroom.restore.bracket_input import choose_slots, merge_input, pad_merge_input
from headroom.restore.network import load_network
from headroom.weights.writer import pack


def still_bracket(height: int = 40, width: int = 56) -> Bracket:
    """Photograph waves of light from shadow to beyond full scale, three times, without noise."""
    rows, columns = np.mgrid[:height, :width]
    light = 0.5 * np.exp(2.5 * np.sin(rows / 9) * np.cos(columns / 7))[..., None] * np.array([1.0, 0.8, 0.6])
    codes = [np.clip(light * 2.0**ev, 0, 1) ** (1 / 2.2) for ev in (-2, 0, 2)]
    photos = tuple(Photo(np.rint(code * 65535).astype(np.uint16), 16, Encoding(transfer="gamma22")) for code in codes)
    return Bracket(photos, (-2.0, 0.0, 2.0), 1)


def test_without_weights_it_says_what_to_give() -> None:
    expected = (
        r"^No weights ship for gmodiff regressor_paper\. Give a safetensors file of it, or use the preset compact\.$"
    )
    with pytest.raises(WeightsError, match=expected):
        headroom.merge(still_bracket(), method="gmodiff", preset="regressor_paper")


def test_the_weights_that_ship_merge_a_bracket() -> None:
    made = headroom.merge(still_bracket(), method="gmodiff")
    assert made.provenance["weights_sha256"]
    assert np.isfinite(made.pixels).all()


def test_another_method_stays_the_default() -> None:
    assert METHOD.id != methods.MERGES_BY_DEFAULT


def test_an_untrained_regressor_merges_a_bracket(tmp_path: Path) -> None:
    torch.manual_seed(0)
    path = tmp_path / "untrained.safetensors"
    pack(METHOD.build(METHOD.presets["regressor"].settings).state_dict(), path, {})
    frames = still_bracket()
    merged = headroom.merge(frames, method="gmodiff", preset="regressor", weights=path)
    assert merged.provenance["weights_sha256"]
    short = (frames.frames[0].codes / 65535) ** 2.2 * 4
    visible = short < 3.5
    np.testing.assert_allclose(merged.pixels[visible], short[visible], rtol=0.05, atol=2e-3)


def test_the_predicted_map_becomes_the_gain_map_of_a_jpeg(tmp_path: Path) -> None:
    frames = still_bracket(48, 64)
    made = headroom.merge(frames, method="gmodiff", predicted=True, align=False)
    assert made.recovered is not None
    assert 0 < made.recovered.min() < made.recovered.max() < 1  # where the network doubts itself
    assert made.provenance["predicted"]
    loaded = load_network("gmodiff", made.provenance["preset"], None, torch.device("cpu"))
    light = [(frame.codes / 65535).astype(np.float32) ** 2.2 for frame in frames.frames]
    exposures = (0.25, 1.0, 4.0)
    seen = merge_input(light, exposures, 1, choose_slots(exposures, 1, (3, 3)))
    padded = pad_merge_input(seen, loaded.preset.capabilities.size_multiple, 1)
    with torch.inference_mode():
        expected = 4 * loaded.network(padded).light[0, :, :48, :64].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(made.pixels, expected, atol=2e-3, rtol=2e-3)  # in bfloat16 where the processor has it
    headroom.write_hdr(made, tmp_path / "map.jpg")
    shown = headroom.expand(headroom.read_photo(tmp_path / "map.jpg")).pixels  # by the map that it carries
    lit = expected.max(axis=-1) > 0.05
    assert np.quantile(np.abs(np.log2(shown[lit] / expected[lit])), 0.95) < 0.15
