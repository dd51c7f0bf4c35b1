"""The `headroom` command: its verbs, and the edge of the process where every error ends."""

from __future__ import annotations

import io
import shlex
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from headroom._version import __version__
from headroom.cli import bench, convert, data, enhance, expand, generate, inspect, merge, methods, train, weights
from headroom.cli.console import say
from headroom.errors import HeadroomError
from headroom.nn.diffusers_alone import OWN_PROCESS

app = typer.Typer(
    name="headroom",
    help="Give a photograph back the dynamic range that its 8 bits lost.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help: greppable, and twice as fast
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.command("expand")(expand.expand)
app.command("merge")(merge.merge)
app.command("enhance")(enhance.enhance)
app.command("generate")(generate.generate)
app.command("convert")(convert.convert)
app.command("inspect")(inspect.inspect)
app.command("methods")(methods.methods)
app.add_typer(weights.app, name="weights")
app.command("train")(train.train)
app.add_typer(data.app, name="data")
app.add_typer(bench.app, name="bench")


def _print_version(asked: bool) -> None:
    if asked:
        print(f"headroom {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback when Headroom itself fails.")] = False,
) -> None:
    """Give a photograph back the dynamic range that its 8 bits lost."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code.

    Exit codes: 0 done, 1 some inputs failed, 2 wrong usage, 3 the machine lacks something, 70 a defect of Headroom,
    130 interrupted.
    """
    if arguments is None:
        OWN_PROCESS.set()
    words = sys.argv[1:] if arguments is None else list(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")  # a file name may be any bytes; it comes out as it went in
    try:
        app(words)
    except HeadroomError as error:
        say(f"error: {error}")
        sys.exit(error.exit_code)
    except Exception as error:
        if "--debug" in words:
            raise
        say(f"error: {type(error).__name__}: {error}")
        say(f"This is a defect of Headroom. For a report, run: headroom --debug {shlex.join(words)}")
        sys.exit(70)
