"""EfficientNet-Lite0 as a measure sees it: the public network, with the weights of its package."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from made_codes import texture

from headroom.metrics.networks.efficientnet_lite import FEATURES, load_efficientnet_lite

PICTURE = torch.from_numpy(texture(1)[:128, :128].astype(np.float32) / 255).permute(2, 0, 1)[None]


def test_it_computes_what_the_public_implementation_does() -> None:
    """Of `efficientnet_lite_pytorch` 0.1.0: the means of what its block 10 gives for (255 x - 127) / 128."""
    features = load_efficientnet_lite()(PICTURE)[0]
    strongest = features.abs().topk(6).indices
    assert strongest.tolist() == [70, 36, 56, 53, 27, 105]
    expected = [10.01188, 6.81344, -5.38042, 5.37991, 5.21411, 5.05854]
    assert features[strongest].tolist() == pytest.approx(expected, abs=1e-4)
    assert float(features.abs().mean()) == pytest.approx(2.035175, abs=1e-5)


def test_any_size_has_as_many_features() -> None:
    assert load_efficientnet_lite()(PICTURE[:, :, :65, :33]).shape == (1, FEATURES)
