"""The command line: one file per verb.

Results go to stdout and talk to stderr. Verb files import what they run inside the verb, so that `--help` is instant.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code, as `headroom.cli.app` says.

    Ctrl-C is one line and no traceback from the start on, while the verbs are still being imported.
    """
    try:
        from headroom.cli.app import main as run

        run(arguments)
    except (KeyboardInterrupt, SystemExit) as left:
        if isinstance(left, SystemExit) and left.code != _INTERRUPTED:  # typer makes that of a Ctrl-C in a verb
            raise
        print("interrupted; what is finished is kept", file=sys.stderr)
        sys.exit(_INTERRUPTED)
    finally:
        if arguments is None:
            # All is done or told; from here on Ctrl-C could only break the interpreter's own end, which takes a while.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
