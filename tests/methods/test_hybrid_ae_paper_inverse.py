"""Recovering a scene's scale from its unclipped pixels, given predictions whose truth is known."""

import pytest
import torch

from headroom.methods.hybrid_ae.inverse import fit_peak_and_scale, log2_gain


def scene(peak, *, seed=0, size=(1, 3, 48, 64)):
    """Radiance from 0 to `peak`, and what a perfect network predicts for it."""
    generator = torch.Generator().manual_seed(seed)
    radiance = peak ** torch.rand(size, generator=generator, dtype=torch.float64) * 0.9
    radiance.flatten(1)[:, 0], radiance.flatten(1)[:, 1] = 0, peak
    predicted = 2 * torch.log(1 + radiance) / torch.log(torch.tensor(1.0 + peak, dtype=torch.float64)) - 1
    return radiance.float(), predicted.float()


def photograph(radiance, unit):
    light = radiance * unit
    return light.clamp(max=1), (light >= 1).float()


@pytest.mark.parametrize("peak", [4.0, 32.0, 1024.0])
@pytest.mark.parametrize("unit", [0.02, 0.4])
def test_perfect_prediction_gives_back_the_scene(peak, unit):
    radiance, predicted = scene(peak)
    light, clipped = photograph(radiance, unit)
    gain = log2_gain(predicted, light, clipped)
    visible = light > 2**-12
    torch.testing.assert_close((light * gain.exp2())[visible], (radiance * unit)[visible], rtol=2e-3, atol=1e-4)


def test_peak_between_grid_points_is_within_an_eighth_of_a_stop():
    radiance, predicted = scene(55.0)
    light, _ = photograph(radiance, 0.1)
    fitted, unit = fit_peak_and_scale(predicted[light < 1], light[light < 1])
    assert abs((fitted / 55).log2()) <= 0.13
    assert unit == pytest.approx(0.1, rel=0.1)


def test_a_third_of_wrong_predictions_does_not_count():
    radiance, predicted = scene(32.0)
    light, clipped = photograph(radiance, 0.2)
    wrong = torch.rand(predicted.shape, generator=torch.Generator().manual_seed(5)) < 0.33
    fitted, unit = fit_peak_and_scale(torch.where(wrong, -0.5, predicted)[clipped == 0], light[clipped == 0])
    assert fitted == pytest.approx(32.0)
    assert unit == pytest.approx(0.2, rel=0.01)


def test_exposure_of_the_photo_does_not_change_the_gain():
    radiance, predicted = scene(32.0)
    light, clipped = photograph(radiance, 0.4)
    same = clipped == 0
    gain, darker = (log2_gain(predicted, factor * light, clipped) for factor in (1.0, 0.5))
    torch.testing.assert_close(gain[same & (light > 0.01)], darker[same & (light > 0.01)], atol=1e-3, rtol=0)


def test_pictures_of_a_batch_do_not_see_each_other():
    both = [scene(peak, seed=seed) for seed, peak in enumerate((8.0, 256.0))]
    radiance, predicted = (torch.cat(parts) for parts in zip(*both, strict=True))
    light, clipped = photograph(radiance, 0.1)
    gain = log2_gain(predicted, light, clipped)
    for i in range(2):
        assert torch.equal(gain[i : i + 1], log2_gain(predicted[i : i + 1], light[i : i + 1], clipped[i : i + 1]))


@pytest.mark.parametrize("light", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("predicted", [-1.0, 0.0, 1.0])
@pytest.mark.parametrize("clipped", [0.0, 1.0])
def test_flat_pictures_give_a_finite_gain(light, predicted, clipped):
    planes = (torch.full((1, 3, 32, 32), value) for value in (predicted, light, clipped))
    assert torch.isfinite(log2_gain(*planes)).all()


def test_flat_grey_photo_keeps_its_brightness():
    planes = (torch.full((1, 3, 32, 32), value) for value in (0.3, 0.5, 0.0))
    torch.testing.assert_close(log2_gain(*planes), torch.zeros(1, 3, 32, 32), atol=1e-5, rtol=0)
