"""Run the authors' HDR-VDP-2.2.1 and -3.0.7 under Octave on the pairs of `hdr_vdp_pairs`, and write what they find.

    python tests/metrics/hdr_vdp_octave.py FOLDER_OF_2.2.1 FOLDER_OF_3.0.7 > tests/metrics/hdr_vdp_reference.json

The folders are the unpacked releases of https://hdrvdp.sourceforge.net; Octave needs its packages image and statistics.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hdr_vdp_pairs import PAIRS, Pair

# MATLAB's last argument of ifft2 says that the result is real, and the program takes the real part anyway.
IFFT2 = 'function y = ifft2 (x, rows, columns, varargin)\n y = builtin ("ifft2", x, rows, columns);\nend\n'
SCRIPT = """
pkg load image; pkg load statistics; warning ("off", "all");
addpath ({folders}); addpath ("{work}");
function picture = load_picture (path, height, width)
  file = fopen (path); picture = permute (reshape (fread (file, "double"), [3 width height]), [3 2 1]); fclose (file);
end
{calls}
"""
CALLS = {
    "2.2.1": "hdrvdp (test, reference, 'rgb-bt.709', {ppd}, {{}}).Q",
    "3.0.7": "hdrvdp3 ('quality', test, reference, 'rgb-bt.709', {ppd}, {{'use_gpu', false, 'quiet', true}}).Q_JOD",
}


def scores(version: str, release: Path, pairs: list[Pair]) -> list[float]:
    """Give the quality that a release finds for each pair."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        (work / "ifft2.m").write_text(IFFT2)
        calls = [line for pair in pairs for line in compare(pair, version, work)]
        parts = (release, *release.glob("matlabPyrTools*"), release / "utils")
        folders = ", ".join(f'"{folder}"' for folder in parts)
        (work / "main.m").write_text(SCRIPT.format(folders=folders, work=work, calls="\n".join(calls)))
        command = ["octave-cli", "--quiet", "--no-init-file", "main.m"]
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
    found = [float(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("score ")]
    if len(found) != len(pairs):
        sys.exit(f"Octave gave {len(found)} scores for {len(pairs)} pairs: {done.stderr[-2000:]}")
    return found


def compare(pair: Pair, version: str, work: Path) -> Iterator[str]:
    """Write a pair down, and give the lines of a script that score it."""
    for role, picture in zip(("test", "reference"), pair.pictures(), strict=True):
        path = work / f"{pair.name}-{role}"
        picture.tofile(path)
        yield f'{role} = load_picture ("{path}", {pair.size[0]}, {pair.size[1]});'
    yield f'printf ("score %.12g\\n", {CALLS[version].format(ppd=pair.pixels_per_degree)});'


def main() -> None:
    """Print the scores of both releases as JSON."""
    found = {
        version: scores(version, Path(folder).resolve(), PAIRS)
        for version, folder in zip(CALLS, sys.argv[1:], strict=True)
    }
    rows = {pair.name: {version: found[version][index] for version in CALLS} for index, pair in enumerate(PAIRS)}
    json.dump(rows, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
