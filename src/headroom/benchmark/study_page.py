"""The page of a study: one HTML file that asks, and saves the answers as a file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files

from headroom.benchmark.showing import data_uri
from headroom.benchmark.study import INPUT, Trial, study_id


def to_study_page(trials: Sequence[Trial], pictures: Mapping[tuple[str, str], bytes]) -> str:
    """Write the page.

    Nothing that it shows tells which method made a picture; its source does, so that the answers need no key.

    Args:
        trials: What to ask, in this order.
        pictures: JPEG by image and method.
    """
    place = {key: number for number, key in enumerate(pictures)}
    data = {
        "id": study_id(trials, pictures),
        "trials": [
            {
                "image": trial.image,
                "left": trial.left,
                "right": trial.right,
                "shown": {
                    "input": place.get((trial.image, INPUT)),
                    "left": place[trial.image, trial.left],
                    "right": place[trial.image, trial.right],
                },
            }
            for trial in trials
        ],
        "pictures": [data_uri(picture) for picture in pictures.values()],
    }
    # No name may end the element that the data stand in.
    embedded = json.dumps(data).replace("<", "\\u003c")
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Which picture is better?</title>
<style>
{_asset("study.css")}</style>
<main>
<h1>Which picture is better?</h1>
<noscript>This page needs JavaScript, which the browser does not run here.</noscript>
<figure id="input" hidden><img alt="The photo that both were made from"></figure>
<div id="pair">
<button id="left"><img alt="Left picture"></button>
<button id="right"><img alt="Right picture"></button>
</div>
<p id="choices" class="bar">Click the better picture, or press <kbd>←</kbd> or <kbd>→</kbd>.
<button id="same">I see no difference (<kbd>↓</kbd>)</button></p>
<div id="end" hidden><p>That was all. Thank you! Save the answers and send the file back.</p>
<p class="bar"><button class="save">Save the answers</button></p></div>
<p class="bar"><progress id="progress" value="0" max="{len(trials)}" aria-label="Progress"></progress>
<span id="count" role="status"></span>
<button id="back">Back (<kbd>⌫</kbd>)</button>
<button class="save">Save what is answered so far</button></p>
</main>
<script type="application/json" id="study">{embedded}</script>
<script>
{_asset("study.js")}</script>
</html>
"""


def _asset(name: str) -> str:
    return files("headroom.benchmark.pages").joinpath(name).read_text(encoding="utf-8")
