"""What every preset of every merge method keeps, whatever its weights; a new method is tested without a line here."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from cases import Case, cases
from numpy.typing import NDArray
from torch import Tensor

import headroom
from headroom.image import Bracket, Encoding, Hdr, Photo
from headroom.limits import LIMITS
from headroom.methods.contract import MergeInput
from headroom.nn.tiles import tiles
from headroom.restore.bracket_input import pad_merge_input

SLOW_PARAMETERS = 2_000_000


@pytest.fixture(params=cases("merge", slow_parameters=SLOW_PARAMETERS))
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture
def weights(case: Case, tmp_path: Path) -> Path | None:
    return case.write_weights(tmp_path) if case.takes_weights else None


def inputs(height: int, width: int, frames: int = 3, reference: int | None = None) -> MergeInput:
    """Make a smooth scene, of which each frame sees noise of its own and a square of its own."""
    generator = torch.Generator().manual_seed(height + width + frames)
    rows, columns = torch.arange(height)[:, None] / 9, torch.arange(width) / 7
    phases = 6 * torch.rand(1, 1, 3, 1, 1, generator=generator)
    light = 0.5 + 0.5 * torch.sin(rows + phases) * torch.cos(columns - phases)
    exposure = 4.0 ** torch.arange(frames)[None]
    own = light**3 * exposure[..., None, None, None]
    own = own + 0.02 * torch.randn(own.shape, generator=generator)
    for i in range(frames):
        own[:, i, :, : height // 3, i * width // frames : (i + 1) * width // frames] = torch.rand(
            1, generator=generator
        )
    encoded = own.clamp(0, 1) ** (1 / 2.2)
    place = torch.tensor([frames // 2 if reference is None else reference])
    return MergeInput(encoded, encoded**2.2 / exposure[..., None, None, None], exposure, place)


def padded(case: Case, given: MergeInput) -> MergeInput:
    capabilities = case.preset.capabilities
    return pad_merge_input(given, capabilities.size_multiple, capabilities.minimum_size_px)


def three(case: Case, height: int, width: int) -> MergeInput:
    """Make inputs of about three frames, as many as the method takes."""
    fewest, most = case.preset.capabilities.frames
    return padded(case, inputs(height, width, min(max(3, fewest), most)))


@torch.inference_mode()
def run(case: Case, given: MergeInput, seed: int = 0) -> Tensor:
    """Give the light; what a method says beside it is a chance."""
    network = case.network
    found = case.method.run(network, given, torch.Generator().manual_seed(seed), lambda _: None)
    light, chance = found[:, :3], found[:, 3:]
    assert chance.shape[1] <= 1
    assert ((chance >= 0) & (chance <= 1)).all()
    return light


def bracket(height: int, width: int, *, moving: bool = True) -> Bracket:
    """Make three 16-bit frames of a scene that reaches from shadow to beyond their range."""
    generator = np.random.default_rng(height + width)
    rows, columns = np.mgrid[:height, :width]
    light = 0.5 * np.exp(3 * np.sin(rows / 9)[..., None] * np.cos(columns / 7)[..., None] + generator.normal(0, 0.1, 3))
    photos = []
    for i, ev in enumerate((-2, 0, 2)):
        seen = light.copy()
        if moving:
            seen[height // 4 : height // 2, i * width // 4 : (i + 1) * width // 4] = 0.05
        codes = np.clip(seen * 2.0**ev + generator.normal(0, 2e-3, seen.shape), 0, 1) ** (1 / 2.2)
        photos.append(Photo(np.rint(codes * 65535).astype(np.uint16), 16, Encoding(transfer="gamma22")))
    return Bracket(tuple(photos), (-2.0, 0.0, 2.0), 1)


def light_of(photo: Photo) -> NDArray[np.floating]:
    return (photo.codes / 65535) ** 2.2


def accepts(case: Case, multiple: int) -> bool:
    """Try sides that are odd multiples, which are multiples of nothing larger."""
    capabilities = case.preset.capabilities
    least = -(-capabilities.minimum_size_px // multiple)
    sides = [multiple * (least + extra + (least + extra + 1) % 2) for extra in (0, 2)]
    try:
        return run(case, inputs(*sides, frames=capabilities.frames[1])).shape[2:] == tuple(sides)
    except RuntimeError:
        return False


def test_the_size_multiple_is_honest(case: Case) -> None:
    declared = case.preset.capabilities.size_multiple
    discovered = next(multiple for multiple in (1, 2, 4, 8, 16, 32, 64, 128) if accepts(case, multiple))
    assert declared % discovered == 0
    assert accepts(case, declared)


def test_capabilities_fit_together(case: Case) -> None:
    capabilities = case.preset.capabilities
    fewest, most = capabilities.frames
    assert 1 <= fewest <= most <= LIMITS.bracket_frames
    assert capabilities.size_multiple >= 1
    assert capabilities.minimum_size_px >= 1
    assert capabilities.working_side_px is None  # detail of a merge is at full resolution
    assert capabilities.tile_px > 2 * capabilities.overlap_px
    assert capabilities.tile_px % capabilities.size_multiple == 0
    assert capabilities.peak_bytes_per_pixel > 0


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 70), (31, 33)])
def test_any_size_gives_finite_light_of_that_size(case: Case, height: int, width: int) -> None:
    given = three(case, height, width)
    before = [tensor.clone() for tensor in given]
    light = run(case, given)
    assert light.shape == given.encoded[:, 0].shape
    assert torch.isfinite(light).all()
    assert light.min() >= 0
    assert all(torch.equal(*pair) for pair in zip(given, before, strict=True))


def test_any_number_of_frames_and_any_reference(case: Case) -> None:
    fewest, most = case.preset.capabilities.frames
    for frames in {fewest, min(most, 4), most}:
        for reference in range(frames):
            light = run(case, padded(case, inputs(24, 24, frames, reference=reference)))
            assert torch.isfinite(light).all()


def test_brackets_of_a_batch_do_not_see_each_other(case: Case) -> None:
    given = three(case, 48, 40)
    other = three(case, 48, 40)._replace(encoded=given.encoded.flip(-1), linear=given.linear.flip(-1))
    both = run(case, MergeInput(*map(torch.cat, zip(given, other, strict=True))))
    torch.testing.assert_close(both[:1], run(case, given), atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(both[1:], run(case, other), atol=1e-4, rtol=1e-3)


def test_randomness_comes_from_the_generator_alone(case: Case) -> None:
    given = three(case, 40, 50)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    one = run(case, given, seed=4)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(1)
    assert torch.equal(one, run(case, given, seed=4))


def test_progress_rises_to_one(case: Case) -> None:
    told: list[float] = []
    network = case.network
    with torch.inference_mode():
        case.method.run(network, three(case, 32, 32), torch.Generator(), told.append)
    assert told == sorted(told)
    assert told[-1] == 1


def test_tiles_give_what_the_whole_gives(case: Case) -> None:
    capabilities = case.preset.capabilities
    if not capabilities.exact_tiles:
        pytest.skip("what it sees of a tile is normalised by all of that tile")
    multiple = capabilities.size_multiple
    side = max(2 * capabilities.overlap_px, capabilities.minimum_size_px, 32) // multiple * multiple + 2 * multiple
    whole = three(case, side, 2 * side - capabilities.overlap_px)
    expected = run(case, whole)
    joined = torch.zeros_like(expected)
    for rows, columns, fade in tiles(*expected.shape[2:], side, capabilities.overlap_px, multiple):
        cut = whole._replace(encoded=whole.encoded[..., rows, columns], linear=whole.linear[..., rows, columns])
        joined[..., rows, columns] += run(case, cut) * torch.from_numpy(fade[..., 0])
    torch.testing.assert_close(joined, expected, atol=1e-3, rtol=0)


def test_a_merged_bracket_is_honest(case: Case, weights: Path | None) -> None:
    frames = bracket(47, 65)
    merged = merge(case, weights, frames)
    assert merged.pixels.tobytes() == merge(case, weights, frames).pixels.tobytes()
    assert np.isfinite(merged.pixels).all()
    assert merged.pixels.min() >= 0
    assert merged.pixels.max() <= 4 * (1 + 1e-6)  # full scale of the shortest frame
    reference = light_of(frames.frames[1])
    clipped = reference == 1
    assert (merged.pixels[clipped] >= 1 - 1e-3).all()
    assert merged.recovered is not None
    assert merged.recovered.shape == (47, 65)
    assert 0 <= merged.recovered.min() <= merged.recovered.max() <= 1


def test_the_order_of_the_frames_changes_nothing(case: Case, weights: Path | None) -> None:
    frames = bracket(33, 40)
    merged = {
        merge(
            case, weights, Bracket(tuple(frames.frames[i] for i in order), ev_in(frames, order), order.index(1))
        ).pixels.tobytes()
        for order in itertools.permutations(range(3))
    }
    assert len(merged) == 1


def ev_in(frames: Bracket, order: Sequence[int]) -> tuple[float, ...]:
    assert frames.exposures_ev is not None
    return tuple(frames.exposures_ev[i] for i in order)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_identical_frames_give_the_frame_back(case: Case, weights: Path | None, count: int) -> None:
    photo = bracket(40, 50).frames[1]
    merged = merge(case, weights, Bracket((photo,) * count, (0.0,) * count, 0))
    np.testing.assert_allclose(merged.pixels, light_of(photo), atol=1e-4)


def test_an_exposed_scene_that_stands_still_comes_back(case: Case, weights: Path | None) -> None:
    frames = bracket(40, 50, moving=False)
    merged = merge(case, weights, frames)
    reference = light_of(frames.frames[1])
    unclipped = reference < 0.9
    # Within the noise of the reference, 2e-3 in every pixel, but for the few that lie farther out.
    assert np.quantile(np.abs(merged.pixels - reference)[unclipped], 0.99) < 3 * 2e-3 + 0.02
    assert merged.recovered is not None
    assert merged.recovered[unclipped.all(axis=-1)].mean() < 0.05


@pytest.mark.usefixtures("no_network")
def test_nothing_is_fetched(case: Case, weights: Path | None) -> None:
    case.method.build(case.preset.settings)
    merge(case, weights, bracket(40, 40))


def merge(case: Case, weights: Path | None, frames: Bracket) -> Hdr:
    return headroom.merge(frames, method=case.method.id, preset=case.preset_name, weights=weights, seed=2)


PEAK_OF_A_RUN = """
import resource, sys, torch
from headroom import methods
from headroom.methods.contract import MergeInput

method_id, preset, side_px, frames = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(1)
method = methods.load(method_id)
network = method.build(method.presets[preset].settings).eval()
exposure = 4.0 ** torch.arange(frames)[None]
peaks = []
for side in (max(2 * method.presets[preset].capabilities.size_multiple, 16), side_px):
    encoded = torch.rand(1, frames, 3, side, side)
    given = MergeInput(encoded, encoded / exposure[..., None, None, None], exposure, torch.tensor([frames // 2]))
    with torch.inference_mode():
        method.run(network, given, torch.Generator(), lambda _: None)
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
print((peaks[1] - peaks[0]) / side_px**2)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the peak is in other units")
def test_a_run_takes_no_more_memory_than_declared(case: Case) -> None:
    capabilities = case.preset.capabilities
    arguments = [case.method.id, case.preset_name, str(capabilities.tile_px), str(capabilities.frames[1])]
    done = subprocess.run([sys.executable, "-c", PEAK_OF_A_RUN, *arguments], capture_output=True, text=True, check=True)
    assert float(done.stdout) <= capabilities.peak_bytes_per_pixel


def test_weights_survive_their_own_names(case: Case) -> None:
    state = case.network.state_dict()
    renamed = case.method.own_names(state)
    assert renamed.keys() == state.keys()
    assert all(torch.equal(renamed[name], state[name]) for name in state)
