"""`headroom weights`: what ships, where it lies, whether it is intact, and how others' checkpoints become weights."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from headroom.cli.console import say, show_json, show_table
from headroom.errors import UsageError, WeightsError

if TYPE_CHECKING:
    from headroom.nn.latent.settings import Prediction
    from headroom.weights.importing import Import, Imported

_OF_CHECKPOINTS = {".bin", ".ckpt", ".pkl", ".pt", ".pth"}

app = typer.Typer(help="List, locate, verify and import weights.", no_args_is_help=True)


@app.command("list")
def list_weights(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per weights file.")] = False,
) -> None:
    """List the weights that ship, with their licences."""
    from headroom.weights.catalogue import records

    known = records().values()
    if json:
        for record in known:
            show_json(asdict(record))
        return
    show_table(
        [("NAME", "METHOD", "PRESET", "MB", "LICENCE", "COMMERCIAL USE")]
        + [
            (r.name, r.method, r.preset, f"{r.size_bytes / 1e6:.1f}", r.licence, "yes" if r.commercial else "no")
            for r in known
        ]
    )


@app.command()
def verify(
    names: Annotated[list[str] | None, typer.Argument(help="Catalogue names; all when none is given.")] = None,
) -> None:
    """Compare weights with the SHA-256 of the catalogue."""
    from headroom.weights.catalogue import records
    from headroom.weights.catalogue import verify as verify_weights

    damaged = 0
    for name in names or records():
        try:
            verify_weights(name)
        except WeightsError as error:
            damaged += 1
            say(f"error: {error}")
        else:
            print(f"{name}: intact")
    if damaged:
        raise typer.Exit(WeightsError.exit_code)


@app.command()
def path(name: Annotated[str, typer.Argument(help="Catalogue name.")]) -> None:
    """Print where weights lie."""
    from headroom.weights.catalogue import local_path

    print(local_path(name))


@app.command("import")
def import_weights(
    checkpoints: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="Checkpoints: .pth, .pt, .ckpt, .pkl, .bin or .safetensors.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="OUT", help="The .safetensors file, or the Stable Diffusion folder, to write."
        ),
    ],
    layout: Annotated[
        str | None, typer.Option("--as", metavar="LAYOUT", help="What the files are, where the keys leave a choice.")
    ] = None,
    dtype: Annotated[
        Literal["float16", "float32"] | None, typer.Option(help="What floats become; as they are when not given.")
    ] = None,
    tokenizer: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Folder with CLIP's vocab.json and merges.txt; looked for when not given."),
    ] = None,
    prediction: Annotated[
        Literal["epsilon", "v_prediction"],
        typer.Option(help="What the U-Net of a folder estimates; v in 2.1 of 768 px."),
    ] = "epsilon",
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists already.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per file.")] = False,
) -> None:
    """Turn checkpoints of others into weights for --weights.

    A checkpoint may hold a program. It is read in a process of its own, as data, and never run. Several files become
    one: a U-Net, an autoencoder and a text encoder, say.

    Where OUT is a folder, a Stable Diffusion becomes one in the layout of diffusers, for networks that read words.
    """
    is_file = out.suffix == ".safetensors"
    _check_output(out, is_file=is_file, force=force)
    import torch

    from headroom.methods.released import layouts
    from headroom.weights.importing import plan_import
    from headroom.weights.writer import write_one_by_one

    kind = None if dtype is None else torch.float16 if dtype == "float16" else torch.float32
    plan = plan_import(checkpoints, layouts(), layout=layout, dtype=kind)
    if is_file:
        write_one_by_one(plan.tensors, out, plan.metadata)
    else:
        _write_folder(plan, out, tokenizer, prediction)
    for found in plan.found:
        if json:
            show_json(asdict(found))
        else:
            _tell(found)
    if not json:
        print(out)


def _check_output(out: Path, *, is_file: bool, force: bool) -> None:
    if not is_file and out.suffix in _OF_CHECKPOINTS:
        raise UsageError(f"{out}: weights are written as safetensors. Let its name end in .safetensors.")
    if is_file and out.exists() and not force:
        raise UsageError(f"{out}: exists already. Add --force to replace it.")
    if not is_file and (out.is_file() or (out.is_dir() and any(out.iterdir()))):
        raise UsageError(f"{out}: exists already. Give a folder that is not there yet, or the name of a file.")


def _write_folder(plan: Import, out: Path, tokenizer: Path | None, prediction: Prediction) -> None:
    from headroom.nn.latent.folder_writing import write_folder
    from headroom.nn.latent.released import TEXT_ENCODER
    from headroom.nn.latent.vocabulary import HOW_TO_GET, find_vocabulary, read_vocabulary

    vocabulary = read_vocabulary(tokenizer) if tokenizer else find_vocabulary()
    write_folder(plan.tensors, out, plan.metadata, vocabulary=vocabulary, prediction=prediction)
    if not any(name.startswith(TEXT_ENCODER) for name in plan.tensors):
        say(f"warning: {out}: has no text encoder, without which no words are read. Import one together with the rest.")
    elif vocabulary is None:
        say(f"warning: {out}: has no tokenizer, without which no words are read. {HOW_TO_GET}.")


def _tell(found: Imported) -> None:
    from headroom.weights.reader import name_some

    say(f"{found.source}: {found.summary} (layout {found.layout}; licence, as far as known: {found.licence})")
    for part, (tensors, numbers) in found.parts.items():
        say(f"  {part}: {tensors} tensors, {numbers:,} numbers")
    for prefix, count in found.ignored.items():
        say(f"  left out, of no use here: {count} tensors {prefix}*")
    if found.unknown:
        say(f"  left out, unknown: {name_some(list(found.unknown))}")
    if found.passed_over:
        say(f"  not read: {name_some(list(found.passed_over))}")
