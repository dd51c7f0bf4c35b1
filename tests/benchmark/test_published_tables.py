"""Tables that papers printed."""

from __future__ import annotations

import math

import pytest
from pydantic import ValidationError

from headroom.benchmark.costs import COSTS
from headroom.benchmark.datasets import KINDS
from headroom.benchmark.published import PublishedPaper, papers, read_paper
from headroom.errors import UsageError
from headroom.metrics.registry import metrics

MEASURED = {
    **{metric.id: (metric.direction, metric.unit) for metric in metrics().values()},
    **{cost.id: ("lower", cost.unit) for cost in COSTS},
}


def test_the_five_papers_are_quoted() -> None:
    assert papers() == ["gmodiff", "hybrid_ae", "lediff", "lf_diff", "sagiri"]


@pytest.mark.parametrize("name", papers())
def test_metrics_are_those_of_headroom_or_declared_foreign(name: str) -> None:
    paper = read_paper(name)
    for key, metric in paper.metrics.items():
        if metric.foreign:
            assert key not in MEASURED  # or its numbers would stand in the column of ours
        else:
            assert MEASURED[key] == (metric.direction, metric.unit)
        assert any(key in table.metrics for table in paper.tables)


@pytest.mark.parametrize("name", papers())
def test_every_number_has_its_provenance(name: str) -> None:
    paper = read_paper(name)
    assert paper.source
    assert paper.quoted_from
    kinds = {kind.words.partition(":")[0] for kind in KINDS}
    for table in paper.tables:
        assert table.number
        assert table.about
        assert table.dataset in {"", *kinds}


def test_the_best_of_lf_diffs_first_table_are_those_that_the_paper_prints_bold() -> None:
    for table in read_paper("lf_diff").tables[:2]:
        for number, _ in enumerate(table.metrics):
            assert max(table.rows, key=lambda method: table.rows[method][number]) == "LF-Diff"
    hu = read_paper("lf_diff").tables[1].rows
    ours, runner_up = hu["LF-Diff"], hu["HyHDR"]
    # The gains that the text of section 5.2 names.
    assert (round(ours[0] - runner_up[0], 2), round(ours[1] - runner_up[1], 2)) == (0.28, 0.19)


def test_shares_of_a_study_add_up() -> None:
    (study,) = (table for table in read_paper("sagiri").tables if table.number == "Table 3")
    for column in zip(*study.rows.values(), strict=True):
        assert sum(column) == pytest.approx(100, abs=0.11)


def test_what_a_paper_does_not_print_is_none() -> None:
    (table,) = (table for table in read_paper("lf_diff").tables if table.number == "Table 2")
    assert math.isnan(table.rows["Sen et al. 2012"][1])
    assert table.values("Sen et al. 2012") == {"seconds_per_image": 61.81, "parameters": None}


def test_a_paper_that_is_not_quoted_is_refused() -> None:
    with pytest.raises(UsageError, match="Choose from gmodiff, hybrid_ae"):
        read_paper("../lf_diff")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metrics": ["psnr", "ssim"]}, "no metric ssim"),
        ({"rows": {"A": [1.0, 2.0]}}, "not one number for each metric"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_quotation_is_checked(change: dict[str, object], message: str) -> None:
    table = {"number": "1", "about": "x", "metrics": ["psnr"], "rows": {"A": [1.0]}, **change}
    metric = {"name": "PSNR", "direction": "higher"}
    with pytest.raises(ValidationError, match=message):
        PublishedPaper.model_validate(
            {
                "name": "P",
                "title": "T",
                "source": "S",
                "quoted_from": "Q",
                "metrics": {"psnr": metric},
                "tables": [table],
            }
        )
