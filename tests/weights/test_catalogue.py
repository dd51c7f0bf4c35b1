"""The committed catalogue, and a catalogue of one made-up file."""

import dataclasses
import hashlib

import pytest

from headroom.errors import WeightsError
from headroom.weights import catalogue
from headroom.weights.reader import read_state_dict

CONTENT = b"weights"
TABLE = f"""
[[weights]]
name = "demo"
method = "hybrid_ae"
preset = "compact"
file = "demo.safetensors"
sha256 = "{hashlib.sha256(CONTENT).hexdigest()}"
size_bytes = {len(CONTENT)}
licence = "Apache-2.0"
commercial = true
training_data = "made up"
card = "card.md"
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "demo.safetensors").write_bytes(CONTENT)
    (tmp_path / "catalogue.toml").write_text(TABLE)
    return tmp_path


def test_record_is_found_and_intact(folder):
    assert catalogue.find("demo", folder=folder).method == "hybrid_ae"
    assert catalogue.local_path("demo", folder=folder) == catalogue.verify("demo", folder=folder)
    assert catalogue.verify("demo", folder=folder).read_bytes() == CONTENT


def test_unknown_name_lists_the_known_ones(folder):
    with pytest.raises(WeightsError, match=r"'dmeo'.*Known ones: demo"):
        catalogue.find("dmeo", folder=folder)


def test_missing_file_says_what_to_do(folder):
    (folder / "files" / "demo.safetensors").unlink()
    with pytest.raises(WeightsError, match="Reinstall"):
        catalogue.local_path("demo", folder=folder)


@pytest.mark.parametrize("content", [b"weightz", b"weights and more"])
def test_changed_file_is_refused(folder, content):
    (folder / "files" / "demo.safetensors").write_bytes(content)
    with pytest.raises(WeightsError, match="not the published weights"):
        catalogue.verify("demo", folder=folder)


def test_shipped_catalogue_is_complete_and_intact():
    for name, record in catalogue.records().items():
        types = {field.name: type(getattr(record, field.name)).__name__ for field in dataclasses.fields(record)}
        assert types == {field.name: field.type for field in dataclasses.fields(record)}
        assert record.licence
        assert record.training_data
        assert read_state_dict(catalogue.verify(name))


def test_every_shipped_file_is_in_the_catalogue():
    shipped = {path.name for path in (catalogue.PACKAGE_FOLDER / "files").glob("*.safetensors")}
    assert shipped == {record.file for record in catalogue.records().values()}
