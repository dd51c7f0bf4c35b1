"""The command line: one file per verb.

Results go to stdout and talk to stderr. Verb files import what they run inside the verb, so that `--help` is instant.
"""

from headroom.cli.app import main

__all__ = ["main"]
