"""Every error that Headroom raises on purpose.

    HeadroomError
    ├── UsageError                 the call itself is wrong: an unknown option, method or preset
    ├── InputError                 one input cannot be used; others of the same batch still can
    │   ├── UnsupportedFormat      a kind of file, depth or layout that is not read
    │   ├── CorruptFile            a known kind of file whose content is damaged
    │   └── LimitExceeded          larger than `headroom.limits` allows
    ├── OutputError                the result cannot be written; what stood there before is untouched
    ├── DataError                  a folder of training or benchmark data is not as described
    └── EnvironmentProblem         this machine lacks something
        ├── MissingDependency      an optional package is not installed
        ├── InsufficientMemory     the plan does not fit, whatever the tile size
        └── WeightsError           weights are missing, damaged or belong to another network

Messages say what was wrong, the value, the limit where there is one, and the one thing to do next. The exit code and
the HTTP status of an error are those of its class.
"""

from __future__ import annotations


class HeadroomError(Exception):
    """Base of all errors raised on purpose."""

    exit_code = 1
    http_status = 500


class UsageError(HeadroomError):
    """The call is wrong, whatever the input."""

    exit_code = 2
    http_status = 400


class InputError(HeadroomError):
    """One input cannot be used."""

    exit_code = 1
    http_status = 422


class UnsupportedFormat(InputError):
    """A kind of file, depth or layout that Headroom does not read."""

    http_status = 415


class CorruptFile(InputError):
    """A known kind of file whose content is damaged or truncated."""


class LimitExceeded(InputError):
    """A file or image larger than the limits allow."""

    http_status = 413


class OutputError(HeadroomError):
    """The result cannot be written; an older file at that place is untouched."""

    exit_code = 3
    http_status = 507


class DataError(HeadroomError):
    """A data folder is not as described."""

    exit_code = 1


class EnvironmentProblem(HeadroomError):
    """This machine lacks something that the call needs."""

    exit_code = 3
    http_status = 503


class MissingDependency(EnvironmentProblem):
    """An optional package is not installed; the message holds the line to type."""


class InsufficientMemory(EnvironmentProblem):
    """The work does not fit into memory, however it is tiled."""

    http_status = 507


class WeightsError(EnvironmentProblem):
    """Weights are missing, damaged or made for another network."""
