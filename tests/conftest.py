"""Settings that every test runs under."""

import torch

# Two OpenMP threads beside any other busy process make small operations a thousand times slower.
torch.set_num_threads(1)
