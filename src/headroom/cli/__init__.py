"""The command line: one file per verb.

Results go to stdout and talk to stderr. Verb files import what they run inside the verb, so that `--help` is instant.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code, as `headroom.cli.app` says.

    Ctrl-C is no traceback from the start on, while the verbs are still being imported.
    """
    try:
        from headroom.cli.app import main as run

        run(arguments)
    except KeyboardInterrupt:
        sys.exit(130)
