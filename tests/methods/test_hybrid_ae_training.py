"""Training the published networks: they learn, filters do what the slides say, and what is missing is named."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from headroom.data.camera import CameraSettings, photograph
from headroom.data.expansion import to_batch
from headroom.errors import UsageError, WeightsError
from headroom.methods import hybrid_ae
from headroom.methods.contract import ExpandBatch
from headroom.methods.hybrid_ae.losses import PaperLoss
from headroom.methods.hybrid_ae.method import METHOD
from headroom.methods.hybrid_ae.preprocessing import normalise_hdr, normalise_ldr
from headroom.methods.hybrid_ae.training import TRAINING
from headroom.nn.mobilenet_v3 import MobileNetV3Features
from headroom.nn.perceptual import LPIPS
from headroom.training.recipe import read_recipe
from headroom.training.tasks import training_of

FOLDER = Path(hybrid_ae.__file__).parent
TRAINED = TRAINING["paper"]
L1_ONLY = TRAINED.loss_settings(lpips=0, encoder="random")


@pytest.fixture(scope="module")
def batch():
    """Four photos of smooth scenes with a lamp each."""
    y, x = torch.meshgrid(torch.linspace(0, 1, 64), torch.linspace(0, 1, 64), indexing="ij")
    centres = torch.tensor([[0.3, 0.3], [0.7, 0.4], [0.5, 0.6], [0.4, 0.8]]).view(4, 2, 1, 1)
    lamp = torch.exp(-((x - centres[:, :1]) ** 2 + (y - centres[:, 1:]) ** 2) / 0.02)
    scenes = 0.4 + 0.3 * torch.stack((x, y, 1 - x)) + 20 * lamp
    return to_batch(photograph(scenes, CameraSettings(low_key_chance=0), torch.Generator().manual_seed(0)))


def built(preset):
    torch.manual_seed(0)
    network = METHOD.build(METHOD.presets[preset].settings)
    TRAINED.prepare(network, L1_ONLY)
    return network


@pytest.mark.parametrize("preset", ["paper", "model_b", "unet"])
def test_some_steps_lower_the_loss_and_leave_the_encoder(preset, batch):
    network = built(preset)
    encoder = {key: value.clone() for key, value in network.state_dict().items() if key.startswith("encoder.")}
    optimiser = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=9e-4, betas=(0.5, 0.999))
    losses = []
    for step in range(12):
        torch.manual_seed(step)
        total = TRAINED.loss(network, batch, L1_ONLY)["total"]
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        losses.append(total.item())
    assert np.mean(losses[-3:]) < 0.9 * np.mean(losses[:3])
    after = network.state_dict()
    assert all(torch.equal(after[key], value) for key, value in encoder.items())
    assert bool(encoder) == (preset != "unet")


def test_a_rejected_pair_counts_nothing(batch):
    network = built("unet")
    sun = batch._replace(truth=batch.truth.clone())
    sun.truth[1, :, 0, 0] = 5000
    others = ExpandBatch(*(tensor[[0, 2, 3]] for tensor in batch))
    torch.manual_seed(5)
    with_it = TRAINED.loss(network, sun, L1_ONLY)
    torch.manual_seed(5)
    without_it = TRAINED.loss(network, others, L1_ONLY)
    torch.testing.assert_close(with_it["total"], without_it["total"])
    assert (with_it["kept"].item(), without_it["kept"].item()) == (0.75, 1.0)


def test_a_batch_of_rejected_pairs_has_no_gradient_but_a_number(batch):
    network = built("unet")
    dark = batch._replace(encoded=batch.encoded * 0.1)
    losses = TRAINED.loss(network, dark, L1_ONLY)
    losses["total"].backward()
    assert (losses["total"].item(), losses["kept"].item()) == (0, 0)
    assert all((p.grad == 0).all() for p in network.parameters())


@pytest.mark.parametrize("preset", ["paper", "unet"])
def test_prediction_keeps_what_was_measured_and_never_darkens(preset, batch):
    with torch.no_grad():
        result = TRAINED.predict(built(preset), batch)
    measured = batch.clipped == 0
    assert measured.any()
    assert not measured.all()
    torch.testing.assert_close(result[measured], batch.linear[measured])
    assert (result >= batch.linear * (1 - 1e-6)).all()
    assert torch.isfinite(result).all()


def test_files_that_are_given_are_used(tmp_path, batch):
    torch.manual_seed(1)
    lpips, encoder = LPIPS(), MobileNetV3Features()
    heads = {f"lin{i}.model.1.weight": head.weight.data.abs_() for i, head in enumerate(lpips.heads)}
    paths = {name: tmp_path / f"{name}.safetensors" for name in ("lpips_backbone", "lpips_heads", "encoder")}
    for path, state in zip(paths.values(), (lpips.features.state_dict(), heads, encoder.state_dict()), strict=True):
        save_file(state, path)
    settings = TRAINED.loss_settings(**paths)
    network = METHOD.build(METHOD.presets["model_b"].settings)
    TRAINED.prepare(network, settings)
    assert all(torch.equal(value, encoder.state_dict()[key]) for key, value in network.encoder.state_dict().items())
    plain = ExpandBatch(*(tensor[:, :, :1, :1].expand(-1, -1, 64, 64) for tensor in batch))  # Flips change nothing.
    target, _ = normalise_hdr(plain.truth)
    with torch.no_grad():
        expected = PaperLoss(lpips)(network(normalise_ldr(plain.encoded)), target)
        torch.testing.assert_close(TRAINED.loss(network, plain, settings)["total"], expected)


def test_missing_files_are_named():
    network = METHOD.build(METHOD.presets["unet"].settings)
    with pytest.raises(UsageError, match=r"lpips_backbone or loss\.lpips_heads is missing.*loss\.lpips = 0"):
        TRAINED.prepare(network, TRAINED.loss_settings())
    nowhere = TRAINED.loss_settings(lpips_backbone="nowhere.safetensors", lpips_heads="heads.safetensors")
    with pytest.raises(WeightsError, match=r"nowhere\.safetensors"):
        TRAINED.prepare(network, nowhere)
    with pytest.raises(UsageError, match=r"loss\.encoder is missing"):
        TRAINED.prepare(METHOD.build(METHOD.presets["model_b"].settings), TRAINED.loss_settings(lpips=0))


@pytest.mark.parametrize("preset", METHOD.presets)
@pytest.mark.parametrize("suffix", ["", "_debug"])
def test_each_preset_has_a_recipe_that_reads(preset, suffix):
    training = training_of("hybrid_ae", preset)
    path = FOLDER / f"{training.recipe}{suffix}.toml"
    read_recipe(path, {"run.preset": preset}).table("loss", training.loss_settings)
    with pytest.raises(UsageError, match=r"unknown key loss\.vgg"):
        read_recipe(path, {"loss.vgg": 1}).table("loss", training.loss_settings)


def test_the_recipe_has_the_numbers_of_the_slides():
    recipe = read_recipe(FOLDER / "recipe_paper.toml")
    optimiser, weights = recipe.optimiser, recipe.table("loss", TRAINED.loss_settings)
    assert (optimiser.kind, optimiser.learning_rate, optimiser.betas) == ("adam", 9e-4, (0.5, 0.999))
    assert (recipe.run.batch_size, weights.l1, weights.lpips) == (16, 2, 3)


@pytest.mark.parametrize(("method", "preset"), [("linear", None), ("hybrid_ae", "huge"), ("nothing", None)])
def test_what_cannot_be_trained_is_refused(method, preset):
    with pytest.raises(UsageError):
        training_of(method, preset)
