"""What every preset of every enhance method keeps, whatever its weights; a new method is tested without a line here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from cases import Case, cases
from torch import Tensor

import headroom
from headroom.image import Photo
from headroom.methods.contract import EnhanceInput, Sampling
from headroom.nn.padding import pad_to_multiple

SLOW_PARAMETERS = 10_000_000


@pytest.fixture(params=cases("enhance", slow_parameters=SLOW_PARAMETERS))
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture
def weights(case: Case, tmp_path: Path) -> Path:
    return case.write_weights(tmp_path)


def inputs(case: Case, height: int, width: int, count: int = 1) -> EnhanceInput:
    """Make photos whose middle is unknown, of a size that the network takes."""
    capabilities = case.preset.capabilities
    encoded = torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(0))
    unknown = torch.zeros(count, 1, height, width)
    unknown[:, :, height // 3 : -(-2 * height // 3), width // 3 : -(-2 * width // 3)] = 1
    padded = [pad_to_multiple(x, capabilities.size_multiple, capabilities.minimum_size_px) for x in (encoded, unknown)]
    return EnhanceInput(padded[0], padded[1], Sampling(steps=2))


@torch.inference_mode()
def run(case: Case, given: EnhanceInput, seed: int = 0) -> Tensor:
    network = case.network
    return case.method.run(network, given, torch.Generator().manual_seed(seed), lambda _: None)


def enhance(case: Case, weights: Path, photo: Photo) -> tuple[Photo, np.ndarray]:
    """Run one stage from photo to photo; also give where it may change the photo."""
    if not case.preset.capabilities.invents_content:
        result = headroom.enhance(photo, method=case.method.id, preset=case.preset_name, weights=weights, seed=2)
        return result, np.ones((photo.height, photo.width), bool)
    mask = np.zeros((photo.height, photo.width), np.uint8)
    mask[: photo.height // 3 + 1, : photo.width // 3 + 1] = 255
    result = headroom.enhance(
        photo,
        method=case.method.id,
        preset=case.preset_name,
        weights=weights,
        mask=mask,
        refine_only=True,
        steps=2,
        seed=2,
    )
    near = np.zeros(mask.shape, bool)
    near[: photo.height // 3 + 1, : photo.width // 3 + 1] = True
    return result, near


def noise(height: int, width: int, dtype: type = np.uint8) -> Photo:
    generator = np.random.default_rng(height + width)
    codes = generator.integers(0, np.iinfo(dtype).max, (height, width, 3), endpoint=True).astype(dtype)
    return Photo(codes, codes.itemsize * 8)


def accepts(case: Case, multiple: int) -> bool:
    """Try sides that are odd multiples, which are multiples of nothing larger."""
    least = -(-case.preset.capabilities.minimum_size_px // multiple)
    sides = [multiple * (least + extra + (least + extra + 1) % 2) for extra in (0, 2)]
    given = EnhanceInput(torch.rand(1, 3, *sides), torch.ones(1, 1, *sides), Sampling(steps=1))
    try:
        return run(case, given).shape[2:] == tuple(sides)
    except RuntimeError:
        return False


def test_the_size_multiple_is_honest(case: Case) -> None:
    declared = case.preset.capabilities.size_multiple
    discovered = next(multiple for multiple in (1, 2, 4, 8, 16, 32, 64, 128) if accepts(case, multiple))
    assert declared % discovered == 0
    assert accepts(case, declared)


def test_capabilities_fit_together(case: Case) -> None:
    capabilities = case.preset.capabilities
    assert capabilities.peak_bytes_per_pixel > 0
    # What sees a photo reduced cannot make up its detail, and what makes up detail has to see it.
    assert (capabilities.working_side_px is None) == case.preset.capabilities.invents_content
    assert any(not preset.capabilities.invents_content for preset in case.method.presets.values())


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 70), (65, 33)])
def test_any_size_gives_finite_codes_of_that_size(case: Case, height: int, width: int) -> None:
    given = inputs(case, height, width)
    before = given.encoded.clone(), given.unknown.clone()
    codes = run(case, given)
    assert codes.shape == given.encoded.shape
    assert torch.isfinite(codes).all()
    assert torch.equal(given.encoded, before[0]) and torch.equal(given.unknown, before[1])


def test_photos_of_a_batch_do_not_see_each_other(case: Case) -> None:
    if case.preset.capabilities.invents_content:
        pytest.skip("photos of a batch are drawn from other noise than photos alone")
    given = inputs(case, 48, 40, count=2)
    both = run(case, given)
    for i in range(2):
        alone = run(case, EnhanceInput(given.encoded[i : i + 1], given.unknown[i : i + 1]))
        torch.testing.assert_close(both[i : i + 1], alone, atol=1e-3, rtol=1e-3)


def test_randomness_comes_from_the_generator_alone(case: Case) -> None:
    given = inputs(case, 40, 50)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    one = run(case, given, seed=4)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(1)
    assert torch.equal(one, run(case, given, seed=4))
    assert torch.equal(one, run(case, given, seed=5)) != case.preset.capabilities.invents_content


def test_progress_rises_to_one(case: Case) -> None:
    told: list[float] = []
    network = case.network
    for unknown in (inputs(case, 32, 32).unknown, torch.zeros_like(inputs(case, 32, 32).unknown)):
        told.clear()
        with torch.inference_mode():
            case.method.run(network, inputs(case, 32, 32)._replace(unknown=unknown), torch.Generator(), told.append)
        assert told == sorted(told)
        assert told[-1] == 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 70), (97, 63)])
def test_an_enhanced_photo_is_a_photo(case: Case, weights: Path, height: int, width: int, dtype: type) -> None:
    photo = noise(height, width, dtype)
    one, near = enhance(case, weights, photo)
    other, _ = enhance(case, weights, photo)
    assert one.codes.dtype == dtype and one.codes.shape == photo.codes.shape
    assert one.codes.tobytes() == other.codes.tobytes()
    assert (one.bit_depth, one.encoding) == (photo.bit_depth, photo.encoding)
    np.testing.assert_array_equal(one.codes[~near], photo.codes[~near])


@pytest.mark.usefixtures("no_network")
def test_nothing_is_fetched(case: Case, weights: Path) -> None:
    case.method.build(case.preset.settings)
    enhance(case, weights, noise(40, 40))


PEAK_OF_A_RUN = """
import resource, sys, torch
from headroom import methods
from headroom.methods.contract import EnhanceInput, Sampling

method_id, preset, side_px = sys.argv[1], sys.argv[2], int(sys.argv[3])
torch.set_num_threads(1)
method = methods.load(method_id)
network = method.build(method.presets[preset].settings).eval()
peaks = []
for side in (method.presets[preset].capabilities.size_multiple * 2, side_px):
    given = EnhanceInput(torch.rand(1, 3, side, side), torch.ones(1, 1, side, side), Sampling(steps=1))
    with torch.inference_mode():
        method.run(network, given, torch.Generator(), lambda _: None)
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
print((peaks[1] - peaks[0]) / side_px**2)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the peak is in other units")
def test_a_run_takes_no_more_memory_than_declared(case: Case) -> None:
    capabilities = case.preset.capabilities
    arguments = [case.method.id, case.preset_name, str(capabilities.working_side_px or capabilities.tile_px)]
    done = subprocess.run([sys.executable, "-c", PEAK_OF_A_RUN, *arguments], capture_output=True, text=True, check=True)
    assert float(done.stdout) <= capabilities.peak_bytes_per_pixel


def test_weights_survive_their_own_names(case: Case) -> None:
    state = case.network.state_dict()
    renamed = case.method.own_names(state)
    assert renamed.keys() == state.keys()
    assert all(torch.equal(renamed[name], state[name]) for name in state)
