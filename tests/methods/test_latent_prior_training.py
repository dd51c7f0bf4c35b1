from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence

from headroom import methods
from headroom.methods.contract import GenerateBatch, GenerateInput, Sampling
from headroom.methods.latent_prior.losses import colour_error, readout_error
from headroom.methods.latent_prior.network import Autoencoded, Denoised, TrainedPrior
from headroom.methods.latent_prior.training import LatentPriorLoss, loss, predict, prepare
from headroom.nn.gradient_error import gradient_error
from headroom.nn.texture_error import texture_error

DENOISER = LatentPriorLoss(stage="denoiser", draws=3)


def built(settings: LatentPriorLoss | None = None) -> TrainedPrior:
    torch.manual_seed(0)
    method = methods.load("latent_prior")
    network = method.build(method.presets["compact"].settings)
    assert isinstance(network, TrainedPrior)
    prepare(network, settings or LatentPriorLoss())
    return network


def batch(count: int = 2, side: int = 32) -> GenerateBatch:
    return GenerateBatch(torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(count)))


def generate(network: nn.Module, given: GenerateInput, seed: int = 0) -> tuple[Tensor, list[float]]:
    told: list[float] = []
    run = methods.load("latent_prior").run
    with torch.inference_mode():
        return run(network, given, torch.Generator().manual_seed(seed), told.append), told


def test_pictures_are_drawn_by_the_generator_alone() -> None:
    network = built().eval()
    given = GenerateInput(2, 32, 64, Sampling(steps=3))
    before = torch.get_rng_state()
    one, told = generate(network, given)
    assert torch.equal(torch.get_rng_state(), before)
    assert one.shape == (2, 3, 32, 64)
    assert torch.isfinite(one).all()
    assert told == sorted(told)
    assert told[-1] == 1
    assert torch.equal(one, generate(network, given)[0])
    assert not torch.equal(one, generate(network, given, seed=1)[0])


def test_the_divergence_is_that_of_normal_distributions() -> None:
    network = built()
    result = network(batch().pictures)
    assert isinstance(result, Autoencoded)
    posterior = network.posterior(batch().pictures)
    expected = kl_divergence(Normal(posterior.mean, posterior.deviation), Normal(0.0, 1.0)).mean()
    torch.testing.assert_close(result.divergence, expected)


def test_each_stage_trains_its_part_alone() -> None:
    parts = ("autoencoder.", "denoiser.", "learned_context")
    for settings, trained in ((LatentPriorLoss(), parts[:1]), (DENOISER, parts[1:])):
        network = built(settings)
        loss(network, batch(), settings)["total"].backward()
        moved = {name for name, parameter in network.named_parameters() if parameter.grad is not None}
        assert moved == {name for name, _ in network.named_parameters() if name.startswith(trained)}


def test_latents_are_normalised_by_what_training_saw() -> None:
    network = built()
    given = batch(4, 64).pictures
    with torch.no_grad():
        network(given)
        one_update = (network.latent_mean.clone(), network.latent_deviation.clone())
        seen = network.posterior(given).mean
        for _ in range(600):
            network._remember(seen)
        before = network.eval().latent_mean.clone()
        latents = network.encode(given)
        network(given)
    torch.testing.assert_close(one_update[0], 0.01 * seen.mean((0, 2, 3)))
    torch.testing.assert_close(one_update[1], 0.99 + 0.01 * seen.std((0, 2, 3)))
    torch.testing.assert_close(latents.mean((0, 2, 3)), torch.zeros(4), atol=0.05, rtol=0)
    torch.testing.assert_close(latents.std((0, 2, 3)), torch.ones(4), atol=0.05, rtol=0)
    assert torch.equal(network.latent_mean, before)  # in use, nothing moves


def test_the_denoiser_sees_steps_of_all_of_the_schedule() -> None:
    network = built(DENOISER)
    seen: list[Tensor] = []
    network.denoiser.register_forward_pre_hook(lambda _module, given: seen.append(given[1]))
    result = network(batch(4).pictures)
    assert isinstance(result, Denoised)
    assert result.noise.shape == (12, 4, 4, 4)
    steps = seen[0].sort().values
    assert ((steps >= torch.arange(12) * 1000 // 12) & (steps <= torch.arange(1, 13) * 1000 / 12)).all()


def test_predictions_are_latents_brought_back() -> None:
    network = built().eval()
    with torch.no_grad():
        posterior = network.posterior(batch().pictures)
        torch.testing.assert_close(predict(network, batch()), network.pictures_of(posterior.mean))


def test_gradient_error_is_the_slope_that_is_missing() -> None:
    ramp = torch.arange(16.0).expand(1, 3, 16, 16)
    assert gradient_error(ramp, 0.25 * ramp) == 0.75
    assert gradient_error(ramp.mT, ramp) == 2
    assert gradient_error(ramp + 5, ramp) == 0


def test_colour_error_is_that_of_cells() -> None:
    stripes = torch.arange(16).remainder(2).float().expand(1, 3, 16, 16)
    assert colour_error(stripes, torch.full_like(stripes, 0.5)) == 0
    assert colour_error(stripes + 0.25, stripes) == 0.25


def test_readout_error_is_what_linear_regression_leaves() -> None:
    generator = torch.Generator().manual_seed(0)
    pictures = torch.rand(2, 3, 64, 64, generator=generator)
    cells = nn.functional.avg_pool2d(pictures, 8)
    mixing = torch.randn(4, 3, generator=generator)
    whole = torch.einsum("lc,nchw->nlhw", mixing, cells) + 3
    assert readout_error(whole, pictures) < 0.01
    assert readout_error(torch.randn(2, 4, 8, 8, generator=generator), pictures) > 0.8
    grey = cells.mean(1, keepdim=True).expand(-1, 4, -1, -1)
    spread = 1 + 0.01**2 / float(cells.var())  # colours of noise are faint
    assert 2 / 3 / spread * 0.9 < readout_error(grey, pictures) < 2 / 3


def test_texture_error_prefers_a_sharp_guess_to_a_blur() -> None:
    generator = torch.Generator().manual_seed(0)
    truth, guess = torch.randn(2, 1, 3, 64, 64, generator=generator).unbind(0)
    blurred = torch.zeros_like(truth)
    assert nn.functional.l1_loss(guess, truth) > nn.functional.l1_loss(blurred, truth)
    assert texture_error(guess, truth) < 0.3 * texture_error(blurred, truth)
    assert texture_error(truth + 3, truth) < 1e-5
    # White noise loses a ninth of its variance to the blur.
    expected = (8 / 9) ** 0.5
    torch.testing.assert_close(texture_error(truth, blurred), torch.tensor(expected), atol=0.02, rtol=0)
