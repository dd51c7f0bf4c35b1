"""Ask the programs of others about the pictures of `made_codes`: BRISQUE and NIQE of LIVE under Octave, and pypiqe.

    python tests/metrics/brisque_octave.py FOLDER_OF_BRISQUE FOLDER_OF_NIQE > tests/metrics/brisque_reference.json

The folders are those of http://live.ece.utexas.edu/research/Quality with `brisque_feature.m` and `computequality.m`;
Octave needs its package image, and Python `pip install pypiqe`. NIQE is asked with a model of mean 0 and covariance 1.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from made_codes import Codes, made

# What the programs call and Octave lacks.
SHIMS = {
    "blkproc": """function out = blkproc (a, side, border, fun)
        parts = mat2cell (a, repmat (side(1), rows (a) / side(1), 1), repmat (side(2), columns (a) / side(2), 1));
        out = cell2mat (cellfun (fun, parts, "UniformOutput", false));
    end""",
    "nanmean": "function out = nanmean (x)\n out = mean (x);\n end",
    "nancov": "function out = nancov (x)\n out = cov (x);\n end",
}
SCRIPT = """
pkg load image; warning ("off", "all"); addpath ("{work}");
files = glob ("{work}/*.grey");
for i = 1:numel (files)
  file = fopen (files{{i}}); grey = reshape (fread (file, "double"), {width}, {height})'; fclose (file);
  addpath ("{brisque}"); features = brisque_feature (grey); rmpath ("{brisque}");
  addpath ("{niqe}"); quality = computequality (grey, 96, 96, 0, 0, zeros (1, 36), eye (36)); rmpath ("{niqe}");
  [~, name] = fileparts (files{{i}});
  printf ("found %s", name); printf (" %.12g", quality, features); printf ("\\n");
end
"""


def grey(codes: Codes) -> np.ndarray:
    """Do as MATLAB's rgb2gray does for pictures of 8 bits."""
    return np.round(codes @ [0.298936021293775, 0.587043074451121, 0.114020904255103])


def ask_octave(pictures: dict[str, Codes], brisque: Path, niqe: Path) -> dict[str, list[float]]:
    """Give NIQE and the 36 features of BRISQUE of each picture."""
    height, width = next(iter(pictures.values())).shape[:2]
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        for function, text in SHIMS.items():
            (work / f"{function}.m").write_text(text)
        for picture, codes in pictures.items():
            grey(codes).tofile(work / f"{picture}.grey")
        (work / "main.m").write_text(SCRIPT.format(work=work, brisque=brisque, niqe=niqe, width=width, height=height))
        command = ["octave-cli", "--quiet", "--no-init-file", "main.m"]
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=True)
    found = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("found ")]
    return {name: [float(number) for number in numbers] for name, *numbers in found}


def main() -> None:
    """Print what all programs find as JSON."""
    from pypiqe.piqe import piqe

    pictures = made()
    found = ask_octave(pictures, *(Path(folder).resolve() for folder in sys.argv[1:3]))
    rows = {
        name: {"piqe": float(piqe(grey(codes))[0]), "niqe": found[name][0], "brisque_features": found[name][1:]}
        for name, codes in pictures.items()
    }
    json.dump(rows, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
