"""Training of the refiner: what it starts from, what learns, and what its own file holds."""

from __future__ import annotations

from pathlib import Path

import gmodiff_tiny as tiny
import pytest
import torch
import torch.nn.functional as F
from moving_brackets import moving

from headroom.errors import UsageError
from headroom.methods.gmodiff.adapting import shipped
from headroom.methods.gmodiff.method import METHOD
from headroom.methods.gmodiff.refine_training import RefinerLoss, loss, predict, prepare
from headroom.methods.gmodiff.refiner import Refiner
from headroom.methods.gmodiff.reliability import unreliable
from headroom.nn.gain_network import GainNetwork
from headroom.nn.latent.prior import LatentPrior
from headroom.weights.writer import pack

NOTHING = RefinerLoss(needs_parts=False)
SETTINGS = [pytest.param(tiny.COMPACT, id="compact"), pytest.param(tiny.PAPER, id="paper")]


def prepared(settings=tiny.COMPACT) -> Refiner:  # type: ignore[no-untyped-def]
    network = tiny.refiner(settings)
    prepare(network, NOTHING)
    return network


@pytest.mark.parametrize("settings", SETTINGS)
def test_adapters_and_what_is_new_learn(settings) -> None:  # type: ignore[no-untyped-def]
    network = prepared(settings)
    tiny.moved(network)
    loss(network, moving(side_px=64), RefinerLoss(needs_parts=False, mask=1.0))["total"].backward()
    trained = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    reached = {name for name, parameter in network.named_parameters() if parameter.grad is not None}
    assert trained == reached
    whole = {name for name in trained if "lora" not in name}
    parts = {"tokens", "skips", "regressor", "denoiser"} | ({"residual"} if settings.keeps_map else set())
    assert {name.split(".")[0] for name in whole} == parts
    assert {name for name in whole if name.startswith("denoiser")} == {
        f"denoiser.conv_in.base_layer.{kind}" for kind in ("weight", "bias")
    }
    assert {name.split(".")[1] for name in whole if name.startswith("regressor")} == {
        "encoder_adapt_convs",
        "seg_conv_layers",
    }


def test_the_loss_is_the_error_of_map_light_and_mask() -> None:
    network, batch = prepared(), moving(side_px=64)
    tiny.moved(network)
    network.eval()
    with torch.no_grad():
        terms = loss(network, batch, RefinerLoss(needs_parts=False, light=2.0, gradient=0.5, mask=0.3))
        found = network(batch.inputs)
        light = predict(network, batch)
    true_gain = torch.log(1 + 100 * batch.truth / (batch.encoded[:, 1] + 1 / 64)) / torch.tensor(101.0).log()
    torch.testing.assert_close(terms["gain"], (found.refined.gain - true_gain).abs().mean())
    error = (torch.log(1 + 5000 * light) - torch.log(1 + 5000 * batch.truth)) / torch.tensor(5001.0).log()
    torch.testing.assert_close(terms["light"], error.abs().mean())
    wrong = unreliable(found.regressed.light, batch.truth)
    torch.testing.assert_close(
        terms["mask"], F.binary_cross_entropy(torch.sigmoid(found.regressed.unreliable), wrong), rtol=1e-4, atol=1e-5
    )
    total = terms["gain"] + 2 * terms["light"] + 0.5 * terms["gradient"] + 0.3 * terms["mask"]
    torch.testing.assert_close(terms["total"], total)


def test_steps_lower_the_error_of_the_map() -> None:
    network, batch = prepared(), moving(side_px=64)
    settings = RefinerLoss(needs_parts=False, mask=1.0)
    optimiser = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=1e-3)
    losses = []
    for _ in range(20):
        terms = loss(network, batch, settings)
        losses.append((float(terms["gain"].detach()), float(terms["mask"].detach())))
        optimiser.zero_grad()
        terms["total"].backward()
        optimiser.step()
    assert losses[-1][0] < 0.9 * losses[0][0]
    assert losses[-1][1] < 0.99 * losses[0][1]


def files(folder: Path) -> tuple[Path, ...]:
    """Write the parts as they come: by their own names, the prior's first layer not yet widened."""
    torch.manual_seed(3)
    refiner = tiny.refiner(tiny.COMPACT)
    expecting = GainNetwork(tiny.COMPACT.expecting)
    parts = {"prior": LatentPrior.of(tiny.COMPACT.prior), "expecting": expecting, "regressor": refiner.regressor}
    for name, network in parts.items():
        pack(network.state_dict(), folder / f"{name}.safetensors", {})
    return tuple(folder / f"{name}.safetensors" for name in parts)


def test_the_shared_files_and_its_own_make_the_trained_network(tmp_path: Path) -> None:
    from headroom.weights.reader import load_into, read_state_dict

    parts, inputs = files(tmp_path), moving(side_px=64).inputs
    trained = tiny.refiner(tiny.COMPACT)
    prepare(trained, RefinerLoss(parts=parts))
    tiny.moved(trained)
    own = shipped(trained.state_dict())
    assert not any(name.startswith(("autoencoder", "denoiser.mid")) and "lora" not in name for name in own)
    shared = parts[:2]  # the regressor is in its own
    state = {name: value for path in shared for name, value in read_state_dict(path).items()} | own
    plain = tiny.refiner(tiny.COMPACT)
    load_into(plain, METHOD.own_names(state), "the three files")
    with torch.no_grad():
        torch.testing.assert_close(plain(inputs).light, trained.eval()(inputs).light, atol=1e-5, rtol=1e-4)


def test_training_starts_from_the_regressor(tmp_path: Path) -> None:
    parts, batch = files(tmp_path), moving(side_px=64)
    network = tiny.refiner(tiny.COMPACT)
    prepare(network, RefinerLoss(parts=parts))
    with torch.no_grad():
        regressed = network.regressor(batch.inputs).light
        unclipped = batch.encoded[:, 1] < 250 / 255
        torch.testing.assert_close(predict(network, batch)[unclipped], regressed[unclipped])


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"loss\.parts is missing"):
        prepare(tiny.refiner(tiny.COMPACT), RefinerLoss())
    with pytest.raises(UsageError, match=r"loss\.parts: holds no weights of expecting, regressor\. Add"):
        prepare(tiny.refiner(tiny.COMPACT), RefinerLoss(parts=files(tmp_path)[:1]))
    with pytest.raises(UsageError, match=r"loss\.vgg16 or loss\.dists is missing"):
        prepare(tiny.refiner(tiny.COMPACT), RefinerLoss(needs_parts=False, texture=1.0))


def test_only_refiners_are_prepared() -> None:
    with pytest.raises(TypeError, match="Linear is not a refiner of gmodiff"):
        prepare(torch.nn.Linear(1, 1), NOTHING)
