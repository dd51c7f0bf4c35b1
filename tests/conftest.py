"""Settings that every test runs under, and a machine without a network for those that ask for one."""

import socket

import pytest
import torch
from hypothesis import settings

# Two OpenMP threads beside any other busy process make small operations a thousand times slower.
torch.set_num_threads(1)

# How long an example takes says how busy the machine is, not whether it is right.
settings.register_profile("any-machine", deadline=None)
settings.load_profile("any-machine")


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that tries a connection."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
