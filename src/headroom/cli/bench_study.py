"""`headroom bench study`: asks people which results they prefer, and counts what they said."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headroom.cli.console import progress_bar, say, show_json, show_table
from headroom.cli.dataset_argument import DATASET_HELP
from headroom.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from headroom.benchmark.preferences import Answers, Preference


def study(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", exists=True, help="Folders of results; with --count, answers.")
    ],
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Page to write, as HTML.")] = None,
    count: Annotated[bool, typer.Option("--count", help="Count the answers that pages saved.")] = False,
    dataset: Annotated[str | None, typer.Option(metavar="DATASET", help=f"Show inputs too. {DATASET_HELP}")] = None,
    images: Annotated[int, typer.Option(min=1, metavar="N", help="Images to show, drawn at random.")] = 20,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Seed of what is drawn, order and sides.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="With --count, print one JSON object a row.")] = False,
) -> None:
    """Ask people which results they prefer.

    Writes one HTML file that works offline: pairs of results of the same image, blind and in random order, answered by
    keys or mouse. Its button saves the answers as a file. All pictures of an image are in one brightness and one tone
    curve, results that are SDR pictures already too; only enhanced photos are shown as they are.

    With --count, reads such files and prints how often each method was preferred, with the Wilson interval (95 %) of
    its share and the sign test's p-value. Both take answers as independent, which those of one person are only in part.
    """
    if count:
        _count(paths, json=json)
    elif out is None:
        raise UsageError("A study needs a file. Add -o study.html, or --count to count answers.")
    else:
        _write(paths, out, dataset, images, seed)


def _write(folders: Sequence[Path], out: Path, dataset: str | None, images: int, seed: int) -> None:
    from headroom.benchmark.datasets import look_of, open_dataset
    from headroom.benchmark.run_file import read_run
    from headroom.benchmark.study import common_names, draw_trials, study_pictures
    from headroom.benchmark.study_page import to_study_page
    from headroom.files import write_atomically

    methods = _methods(folders)
    items = {item.name: item for item in open_dataset(dataset)} if dataset else {}
    trials = draw_trials(common_names(methods), list(methods), images=images, seed=seed)
    run = next(filter(None, map(read_run, folders)), None)
    look = look_of(dataset or (run.dataset if run else ""))
    with progress_bar() as display:
        pictures = dict(display.track(study_pictures(trials, methods, items, look=look), description="pictures"))
    write_atomically(out, to_study_page(trials, pictures).encode())
    say(f"{len(trials)} pairs")
    print(out)


def _methods(folders: Sequence[Path]) -> dict[str, Path]:
    """Name methods by their folders."""
    if files := [path for path in folders if not path.is_dir()]:
        raise UsageError(f"{files[0]}: is no folder of results. Add --count to count answers.")
    methods = {folder.resolve().name: folder for folder in folders}
    return methods if len(methods) == len(folders) else {str(folder): folder for folder in folders}


def _count(paths: Sequence[Path], *, json: bool) -> None:
    from headroom.benchmark.preferences import count_preferences

    people, failed = _read(paths)
    preferences = count_preferences(answer for person in people for answer in person.answers)
    say(f"{sum(len(person.answers) for person in people)} answers of {len(people)} people")
    if json:
        for preference in preferences:
            show_json(_record(preference))
    elif preferences:
        headings = ("METHOD", "AGAINST", "PREFERRED", "OF", "SAME", "SHARE", "95 %", "P")
        show_table([headings, *map(_row, preferences)])
    if failed:
        raise typer.Exit(1)


def _read(paths: Sequence[Path]) -> tuple[list[Answers], bool]:
    """Read the answers of each person once; says what cannot be read."""
    from headroom.benchmark.preferences import read_answers

    people: list[Answers] = []
    failed = False
    for path in paths:
        try:
            person = read_answers(path)
        except InputError as error:
            say(f"error: {error}")
            failed = True
            continue
        if people and person.study != people[0].study:
            raise UsageError(f"{path}: answers study {person.study}, others {people[0].study}. Count one at a time.")
        if person in people:
            say(f"{path}: is a copy of another file and counts once")
        else:
            people.append(person)
    return people, failed


def _record(preference: Preference) -> dict[str, Any]:
    low, high = preference.interval()
    return {
        "method": preference.method,
        "against": preference.against or None,
        "preferred": preference.preferred,
        "decided": preference.decided,
        "same": preference.same,
        "share": round(preference.share, 6) if preference.decided else None,
        "low": round(low, 6),
        "high": round(high, 6),
        "p": preference.p_value(),
    }


def _row(preference: Preference) -> tuple[str, ...]:
    low, high = preference.interval()
    return (
        preference.method,
        preference.against or "all others",
        str(preference.preferred),
        str(preference.decided),
        str(preference.same),
        f"{preference.share:.1%}" if preference.decided else "-",
        f"{low:.1%} to {high:.1%}",
        f"{preference.p_value():.2g}",
    )
