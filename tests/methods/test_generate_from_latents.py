"""Light of latents that are of no photo."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import headroom
from headroom.errors import UsageError
from headroom.methods import load
from headroom.methods.contract import LatentsInput
from headroom.methods.lediff.expanding import scale_of
from headroom.methods.lediff.exposer import COMPACT_LEDIFF, ExposeOptions
from headroom.methods.lediff.handed_in import light_of
from headroom.methods.lediff.network import LEDiff, build
from headroom.nn.latent.settings import COMPACT
from headroom.restore.reduce import full_input
from headroom.weights.writer import pack

LATENTS = torch.randn(1, 4, 8, 16, generator=torch.Generator().manual_seed(0))
PICTURE = np.random.default_rng(0).integers(20, 256, (64, 128, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def network() -> LEDiff:
    torch.manual_seed(3)
    prior = replace(
        COMPACT,
        autoencoder={**COMPACT.autoencoder, "block_out_channels": (16, 16, 16)},
        denoiser={**COMPACT.denoiser, "block_out_channels": (16, 16, 16), "attention_head_dim": 2},
    )
    made = build(replace(COMPACT_LEDIFF, prior=prior, options=ExposeOptions(steps=2)))
    return made.eval()


@torch.inference_mode()
def light(network: LEDiff, inputs: LatentsInput, seed: int = 0) -> Tensor:
    return light_of(network, inputs, torch.Generator().manual_seed(seed), lambda _share: None)


@pytest.mark.parametrize("wraps", [False, True])
def test_latents_become_light_by_the_seed(network: LEDiff, wraps: bool) -> None:
    one, again, other = (light(network, LatentsInput(LATENTS, wraps=wraps), seed) for seed in (1, 1, 2))
    assert one.shape == (1, 3, 64, 128)
    assert one.isfinite().all()
    assert (one >= 0).all()
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_light_is_as_bright_as_the_picture(network: LEDiff) -> None:
    seen = full_input(PICTURE, PICTURE == 255)
    free, scaled = light(network, LatentsInput(LATENTS)), light(network, LatentsInput(LATENTS, seen))
    assert float(scale_of(scaled, seen, "highlights")) == pytest.approx(1, rel=1e-4)
    torch.testing.assert_close(scaled / scaled.mean(), free / free.mean(), rtol=1e-3, atol=1e-4)


def test_shadows_alone_are_not_enough(network: LEDiff) -> None:
    with pytest.raises(UsageError, match="no highlights"):
        light(LEDiff(None, network.shadows), LatentsInput(LATENTS))


@pytest.mark.parametrize(
    ("latents", "options", "problem"),
    [
        (LATENTS, {"method": "hybrid_ae"}, "hybrid_ae expands photos, and latents mean nothing to it. Use lediff"),
        (LATENTS, {"prompt": "a lamp"}, "lediff compact reads no words"),
        (LATENTS.repeat(2, 1, 1, 1), {}, r"latents of 2 x 4 x 8 x 16: give those of one picture, 4 x h x w"),
        (LATENTS[:, :3], {}, "give those of one picture"),
        (LATENTS[0, 0], {}, "give those of one picture"),
        (LATENTS[..., :7], {}, "multiples of 4"),
        (LATENTS / 0, {}, "not finite"),
        (LATENTS, {"picture": PICTURE[:-1]}, r"a picture of \(63, 128, 3\), uint8: its latents are"),
    ],
)
def test_what_are_no_latents_is_refused(latents: Tensor, options: dict[str, object], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        headroom.expand_latents(latents, **options)  # type: ignore[arg-type]


@pytest.mark.slow
def test_generated_light_is_hdr_and_says_so(tmp_path: Path) -> None:
    method = load("lediff")
    torch.manual_seed(0)
    path = tmp_path / "random.safetensors"
    pack(method.build(method.presets["compact"].settings).state_dict(), path, {})
    made = headroom.generate(method="lediff", weights=path, size_px=(100, 50), steps=2, seed=4)
    assert isinstance(made, headroom.Hdr)
    assert made.pixels.shape == (50, 100, 3)
    assert np.isfinite(made.pixels).all()
    assert made.recovered is not None
    assert (made.recovered == 1).all()
    assert made.provenance["generated"] is True
    assert (made.provenance["method"], made.provenance["drawn_by"]) == ("lediff", "latent_prior")
