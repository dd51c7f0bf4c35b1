from __future__ import annotations

import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from headroom.errors import InsufficientMemory
from headroom.methods.contract import Capabilities
from headroom.restore.plan import free_memory, make_plan

WHOLE = Capabilities(working_side_px=384, peak_bytes_per_pixel=700)
TILED = Capabilities(size_multiple=32, tile_px=512, overlap_px=128, peak_bytes_per_pixel=2000)
PLENTY = 64 * 2**30


@given(height=st.integers(1, 65_500), width=st.integers(1, 65_500))
def test_the_whole_photo_fits_the_working_size_and_strips_end_between_cells(height: int, width: int) -> None:
    plan = make_plan(height, width, WHOLE, free_bytes=2**40)
    assert -(-max(height, width) // plan.cell_px) <= 384
    assert plan.cell_px == 1 or -(-max(height, width) // (plan.cell_px - 1)) > 384  # no coarser than it has to be
    assert plan.strip_rows >= plan.cell_px
    assert plan.strip_rows % plan.cell_px == 0
    assert plan.tile_px == 0


def test_tiles_shrink_with_memory_but_stay_twice_their_overlap() -> None:
    sides = {
        make_plan(1000, 1000, TILED, free_bytes=free * 2**20).tile_px for free in (200, 250, 400, 600, 1000, 10_000)
    }
    assert sides == {256, 512}
    no_overlap = Capabilities(tile_px=512, peak_bytes_per_pixel=2000)
    assert make_plan(1000, 1000, no_overlap, free_bytes=110 * 2**20).tile_px == 128


@pytest.mark.parametrize("capabilities", [WHOLE, TILED])
def test_what_cannot_fit_is_refused_with_both_sizes(capabilities: Capabilities) -> None:
    with pytest.raises(InsufficientMemory, match=r"^10000 x 5000 pixels need about [\d.]+ GiB, and 0\.5 GiB") as caught:
        make_plan(5000, 10_000, capabilities, free_bytes=2**29)
    needed = float(re.findall(r"need about ([\d.]+)", str(caught.value))[0])
    make_plan(5000, 10_000, capabilities, free_bytes=int((needed + 0.05) * 2**30))
    with pytest.raises(InsufficientMemory):
        make_plan(5000, 10_000, capabilities, free_bytes=int((needed - 0.05) * 2**30))


def test_free_memory_is_plausible() -> None:
    assert 2**20 < free_memory() < 2**50


@pytest.mark.parametrize(("half", "has_it", "dtype"), [(True, True, torch.bfloat16), (True, False, torch.float32),
                                                       (False, True, torch.float32)])  # fmt: skip
def test_half_precision_is_for_processors_that_multiply_it(
    monkeypatch: pytest.MonkeyPatch, half: bool, has_it: bool, dtype: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": has_it}, raising=False)
    assert make_plan(100, 100, Capabilities(half_precision=half), PLENTY).dtype == dtype
