"""diffusers is imported lean in a program of our own, whole in anybody else's."""

from __future__ import annotations

import json
import subprocess
import sys

from headroom.nn.diffusers_alone import OWN_PROCESS, without_extras

PROGRAM = """
import json, sys
from importlib.util import find_spec
import torch
from headroom.cli import main
known = {name: find_spec(name) is not None for name in ("peft", "transformers", "torch._dynamo")}
sys.argv = ["headroom", "--version"]
try:
    main()
except SystemExit:
    pass
import headroom.nn.latent.diffusers_models
loaded = sorted(sys.modules.keys() & known)
still = {name: find_spec(name) is not None for name in known}
print(json.dumps([loaded, still == known, known["torch._dynamo"]]))
"""


def test_the_command_line_leaves_out_what_networks_do_not_need() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True)
    loaded, still_there, compiler_there = json.loads(done.stdout.splitlines()[-1])
    assert loaded == []
    assert still_there  # for whoever asks for them by themselves
    assert compiler_there


def test_other_programs_get_all_of_it() -> None:
    assert not OWN_PROCESS.is_set()
    before = dict(sys.modules)
    with without_extras():
        assert sys.modules == before
