"""What LEDiff learns from (LEDiff, section 3.3; the weights of its terms are not published)."""

from __future__ import annotations

from torch import Tensor

from headroom.methods.lediff.critic import adversarial_losses
from headroom.methods.lediff.network import Decoded, Denoised
from headroom.nn.gradient_error import gradient_error
from headroom.nn.perceptual import LPIPS
from headroom.nn.ssim import ssim
from headroom.nn.texture_error import texture_error


def decoder_losses(decoded: Decoded, lost: float, perceptual: LPIPS | None = None) -> dict[str, Tensor]:
    """Compare N x 3 x H x W code values of logarithmic light, which look like pictures of low contrast.

    Args:
        decoded: What the decoder gives.
        lost: By how much more counts what the photo does not show.
        perceptual: Compares them as a network sees them.
    """
    codes, truth = decoded.codes.float(), decoded.truth
    losses = {
        "l1": ((1 + lost * decoded.lost) * (codes - truth).abs()).mean(),
        "gradient": gradient_error(codes, truth),
        "structure": 1 - ssim(codes, truth).mean(),
        "texture": texture_error(codes, truth),
    }
    if perceptual:
        losses["lpips"] = perceptual.to(codes.device)(*(2 * x.clamp(0, 1) - 1 for x in (codes, truth))).mean()
    return losses | (adversarial_losses(decoded.verdict) if decoded.verdict else {})


def denoising_loss(denoised: Denoised, lost: float, *, of_velocity: bool) -> Tensor:
    """Give the mean squared error of the noise, or of the velocity (Salimans and Ho 2022), whose steps count alike.

    Args:
        denoised: What the denoiser makes of noisy latents.
        lost: By how much more counts what the given exposure does not show.
        of_velocity: See above.
    """
    error = (denoised.estimate.float() - denoised.noise).square()
    if of_velocity:
        error = error / denoised.share
    return ((1 + lost * denoised.lost) * error).mean()
