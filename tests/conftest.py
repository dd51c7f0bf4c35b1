"""Settings that every test runs under."""

import torch
from hypothesis import settings

# Two OpenMP threads beside any other busy process make small operations a thousand times slower.
torch.set_num_threads(1)

# How long an example takes says how busy the machine is, not whether it is right.
settings.register_profile("any-machine", deadline=None)
settings.load_profile("any-machine")
