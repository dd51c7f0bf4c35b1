from __future__ import annotations

import numpy as np
import pytest
import torch
from pictures import noisy_photo, srgb_to_light

from headroom.colour.transfer import decode_codes
from headroom.nn.gain import upsample_gain
from headroom.restore.compose import cells_to_rows, compose


@pytest.mark.parametrize("strip_rows", [1, 7, 16, 100])
def test_the_result_does_not_depend_on_the_strips(strip_rows: int) -> None:
    photo = noisy_photo(1, 37, 29, 0.3)
    generator = np.random.default_rng(0)
    weight = generator.integers(0, 256, photo.codes.shape, dtype=np.uint8) * (photo.codes == 255)
    gain = generator.normal(1, 2, photo.codes.shape).astype(np.float32)
    pixels, recovered = compose(
        lambda start, stop: decode_codes(photo.codes[start:stop], photo.encoding, photo.bit_depth),
        weight,
        lambda start, stop: torch.from_numpy(gain[start:stop]),
        strip_rows=strip_rows,
        max_gain_stops=2.0,
        progress=lambda _: None,
    )
    expected = srgb_to_light(photo.codes / 255) * 2 ** (np.clip(gain, 0, 2) * (weight / 255))
    np.testing.assert_allclose(pixels, expected, rtol=1e-5)
    np.testing.assert_allclose(recovered, weight.max(axis=2) / 255, rtol=1e-6)


@pytest.mark.parametrize(
    ("height", "width", "cell_px"), [(40, 30, 1), (41, 30, 4), (100, 7, 9), (23, 64, 64), (1, 1, 5)]
)
@pytest.mark.parametrize("strip_rows", [1, 5, 18, 64])
def test_rows_are_those_of_the_whole_upsampled_grid(height: int, width: int, cell_px: int, strip_rows: int) -> None:
    generator = torch.Generator().manual_seed(0)
    rows, columns = -(-height // cell_px), -(-width // cell_px)
    gain = 4 * torch.rand(1, 3, rows, columns, generator=generator)
    share = torch.rand(1, 3, rows, columns, generator=generator).round()
    whole = upsample_gain(gain, share, (rows * cell_px, columns * cell_px))[0, :, :height, :width].permute(1, 2, 0)
    gain_rows = cells_to_rows(gain, share, cell_px, width)
    for start in range(0, height, strip_rows):
        stop = min(start + strip_rows, height)
        torch.testing.assert_close(gain_rows(start, stop), whole[start:stop], rtol=1e-4, atol=1e-4)
