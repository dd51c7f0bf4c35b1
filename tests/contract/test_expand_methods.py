"""What every preset of every expand method keeps, whatever its weights; a new method is tested without a line here."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from cases import Case, cases
from torch import Tensor

import headroom
from headroom import methods
from headroom.colour.code_ends import CRUSHED_BELOW_CODE
from headroom.image import Photo
from headroom.methods.contract import ExpandInput
from headroom.restore.reduce import pad_input

SLOW_PARAMETERS = 30_000_000
DARK = CRUSHED_BELOW_CODE / 255


@pytest.fixture(params=cases("expand", slow_parameters=SLOW_PARAMETERS))
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture
def weights(case: Case, tmp_path: Path) -> Path | None:
    return case.write_weights(tmp_path) if case.takes_weights else None


def inputs(height: int, width: int, count: int = 1, seed: int = 0) -> ExpandInput:
    generator = torch.Generator().manual_seed(seed)
    encoded = (1.4 * torch.rand(count, 3, height, width, generator=generator)).clamp(max=1)
    return ExpandInput(encoded, encoded**2.2, (encoded == 1).float(), (encoded < DARK).float())


@torch.inference_mode()
def run(case: Case, given: ExpandInput, seed: int = 0) -> Tensor:
    network = case.network
    return case.method.run(network, given, torch.Generator().manual_seed(seed), lambda _: None)


def photo(height: int, width: int) -> Photo:
    generator = np.random.default_rng(height + width)
    return Photo(np.minimum(generator.integers(0, 330, (height, width, 3)), 255).astype(np.uint8), 8)


def accepts(case: Case, multiple: int) -> bool:
    """Try sides that are odd multiples, which are multiples of nothing larger."""
    least = -(-case.preset.capabilities.minimum_size_px // multiple)
    sides = [multiple * (least + extra + (least + extra + 1) % 2) for extra in (0, 2)]
    try:
        return run(case, inputs(*sides)).shape[2:] == tuple(sides)
    except RuntimeError:
        return False


def test_the_size_multiple_is_honest(case: Case) -> None:
    declared = case.preset.capabilities.size_multiple
    discovered = next(multiple for multiple in (1, 2, 4, 8, 16, 32, 64, 128) if accepts(case, multiple))
    assert declared % discovered == 0
    assert accepts(case, declared)


def test_capabilities_fit_together(case: Case) -> None:
    capabilities = case.preset.capabilities
    assert capabilities.size_multiple >= 1
    assert capabilities.minimum_size_px >= 1
    assert capabilities.tile_px >= 2 * capabilities.overlap_px
    assert (capabilities.peak_bytes_per_pixel > 0) == case.takes_weights
    smallest = -(-capabilities.minimum_size_px // capabilities.size_multiple) * capabilities.size_multiple
    assert run(case, inputs(smallest, smallest)).shape == (1, 3, smallest, smallest)
    if not capabilities.invents_content:
        assert not run(case, inputs(smallest, smallest)).any()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 70), (31, 33), (64, 32)])
def test_any_size_gives_a_finite_gain_of_that_size(case: Case, height: int, width: int) -> None:
    capabilities = case.preset.capabilities
    given = pad_input(inputs(height, width), capabilities.size_multiple, capabilities.minimum_size_px)
    before = given.mapped(torch.clone)
    gain = run(case, given)
    assert gain.shape == given.encoded.shape
    assert torch.isfinite(gain).all()
    assert all(torch.equal(*pair) for pair in zip(given, before, strict=True))  # type: ignore[arg-type]


def test_photos_of_a_batch_do_not_see_each_other(case: Case) -> None:
    capabilities = case.preset.capabilities
    given = pad_input(inputs(48, 40, count=2), capabilities.size_multiple, capabilities.minimum_size_px)
    both = run(case, given)
    for i in range(2):
        alone = run(case, given.mapped(partial(torch.narrow, dim=0, start=i, length=1)))
        torch.testing.assert_close(both[i : i + 1], alone, atol=1e-3, rtol=1e-3)


def test_randomness_comes_from_the_generator_alone(case: Case) -> None:
    capabilities = case.preset.capabilities
    given = pad_input(inputs(40, 50), capabilities.size_multiple, capabilities.minimum_size_px)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    one = run(case, given, seed=4)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(1)
    assert torch.equal(one, run(case, given, seed=4))


def test_progress_rises_to_one(case: Case) -> None:
    capabilities = case.preset.capabilities
    given = pad_input(inputs(32, 32), capabilities.size_multiple, capabilities.minimum_size_px)
    told: list[float] = []
    network = case.network
    with torch.inference_mode():
        case.method.run(network, given, torch.Generator(), told.append)
    assert told == sorted(told)
    assert told[-1] == 1


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 70), (47, 33)])
def test_an_expanded_photo_is_honest(case: Case, weights: Path | None, height: int, width: int) -> None:
    one, other = (
        headroom.expand(photo(height, width), method=case.method.id, preset=case.preset_name, weights=weights, seed=2)
        for _ in range(2)
    )
    assert one.pixels.tobytes() == other.pixels.tobytes()
    assert np.isfinite(one.pixels).all()
    codes = photo(height, width).codes / 255
    light = np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
    crushed = (codes < DARK) & case.preset.capabilities.recovers_shadows
    measured = (codes < 1) & ~crushed
    np.testing.assert_allclose(one.pixels[measured], light[measured], rtol=1e-6)
    assert (one.pixels[codes == 1] >= 1).all()
    assert (one.pixels[crushed] >= 0).all()
    assert (one.pixels[crushed] <= DARK / 12.92 * (1 + 1e-6)).all()
    assert one.recovered is not None
    expected = (codes == 1).any(axis=2) & case.preset.capabilities.invents_content
    np.testing.assert_array_equal(one.recovered > 0, expected | crushed.any(axis=2))


@pytest.mark.usefixtures("no_network")
def test_nothing_is_fetched(case: Case, weights: Path | None) -> None:
    case.method.build(case.preset.settings)
    headroom.expand(photo(40, 40), method=case.method.id, preset=case.preset_name, weights=weights)


PEAK_OF_A_RUN = """
import resource, sys, torch
from headroom import methods
from headroom.methods.contract import ExpandInput

method_id, preset, side_px = sys.argv[1], sys.argv[2], int(sys.argv[3])
torch.set_num_threads(1)
method = methods.load(method_id)
network = method.build(method.presets[preset].settings).eval()
peaks = []
for side in (method.presets[preset].capabilities.size_multiple * 2, side_px):
    encoded = torch.rand(1, 3, side, side)
    with torch.inference_mode():
        method.run(network, ExpandInput(encoded, encoded, (encoded > 0.9).float()), torch.Generator(), lambda _: None)
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
print((peaks[1] - peaks[0]) / side_px**2)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the peak is in other units")
def test_a_run_takes_no_more_memory_than_declared(case: Case) -> None:
    capabilities = case.preset.capabilities
    arguments = [case.method.id, case.preset_name, str(capabilities.working_side_px or capabilities.tile_px)]
    done = subprocess.run([sys.executable, "-c", PEAK_OF_A_RUN, *arguments], capture_output=True, text=True, check=True)
    assert float(done.stdout) <= max(capabilities.peak_bytes_per_pixel, 1)


def test_weights_survive_their_own_names(case: Case) -> None:
    state = case.network.state_dict()
    renamed = case.method.own_names(state)
    assert renamed.keys() == state.keys()
    assert all(torch.equal(renamed[name], state[name]) for name in state)


def test_a_method_is_called_by_its_folder() -> None:
    for method_id in methods.available():
        method = methods.load(method_id)
        assert method.id == method_id
        assert method.default_preset in method.presets
        assert all(text.strip() for text in (method.summary, *(each.summary for each in method.presets.values())))
