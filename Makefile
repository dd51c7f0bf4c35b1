# make demo [PHOTO=my.jpg]   expand a photo and show where the results are
# make test                  lint, check types, run the tests
# make test-all              the same with the slow tests
# make test-external         programs of others open our files; installs them, where it may

PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& echo $$python && break; done)
BIN := .venv/bin
EXTERNAL_PACKAGES := libimage-exiftool-perl chromium libavif-bin libjxl-tools
export PHOTO # reaches the shell as a variable, so that a file name may hold spaces and quotes

.PHONY: demo test test-all test-external external-programs lint clean

# Without PHOTO it is scikit-image's picture of a rocket among lamps at dusk (CC0, SpaceX).
demo: .venv/$(if $(PHOTO),core,demo).stamp
	@photo=$${PHOTO:-$$($(BIN)/python -c 'from importlib.util import find_spec; \
		print(find_spec("skimage").submodule_search_locations[0] + "/data/rocket.jpg")')} && \
	name=$$(basename "$${photo%.*}") && \
	$(BIN)/headroom expand --force --preview -o "demo/$$name.jpg" -- "$$photo" && \
	$(BIN)/headroom expand --force -o "demo/$$name.exr" -- "$$photo" && \
	$(BIN)/headroom inspect --proof "demo/$$name.proof.png" -- "demo/$$name.exr"

test: lint
	$(BIN)/python -m pytest -m 'not slow and not external'

test-all: lint
	$(BIN)/python -m pytest

test-external: external-programs .venv/dev.stamp
	$(BIN)/python -m pytest -m external -rs

# Tests of a program that stays missing are skipped by name.
external-programs:
	@for program in exiftool chromium avifdec jxlinfo; do \
		command -v $$program >/dev/null || missing=yes; done; \
	if [ -z "$$missing" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		export DEBIAN_FRONTEND=noninteractive; \
		{ apt-get update -qq && apt-get install -qq --no-install-recommends $(EXTERNAL_PACKAGES); } \
			|| echo 'apt-get failed; tests of what is missing will be skipped.'; \
	else echo 'For all of these tests: sudo apt-get install $(EXTERNAL_PACKAGES)'; fi

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The environment is set up once, and again when what it is made from has changed.
.venv/core.stamp .venv/demo.stamp .venv/dev.stamp: .venv/%.stamp: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.$(if $(filter-out core,$*),[$*])'
	@touch $@

.venv/bin/python:
	@test -n '$(PYTHON)' || { echo 'Headroom needs Python 3.11, 3.12 or 3.13. Name one: make PYTHON=...'; exit 1; }
	$(PYTHON) -m venv .venv

clean:
	rm -rf .venv demo
