"""torchvision as a reference; beside a CPU build of torch it does not import without help."""

import importlib.util
import sys

import pytest
import torch


@pytest.fixture(scope="session")
def torchvision():
    if importlib.util.find_spec("torchvision") is None:
        pytest.skip("the reference, torchvision, is not installed")
    library = None
    try:
        import torchvision
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        # Its compiled operators are missing; their schemas are all that the import asks for.
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision
    yield torchvision
    del library
