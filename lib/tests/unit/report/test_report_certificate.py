"""The certificate and its drawings."""

import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from report_sample import build, digest, series

from nfvcert.errors import UsageError
from nfvcert.report import axes, wording
from nfvcert.report.certificate import Signer, draw_series, gaps, render_html, render_pdf
from nfvcert.report.plots import migration_svg
from nfvcert.report.results_model import Evidence, MeasureResult, Results
from nfvcert.report.seal import seal_svg

DIGEST = digest("results")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    build(folder)
    return folder


def html_of(run: Path, results: Results) -> str:
    return render_html(results, draw_series(run, results.series), digest=DIGEST, signer=Signer("f" * 64, "a key"))


def plain(html: str) -> str:
    """The words of the document."""
    body = re.sub(r"<(style|svg).*?</\1>", " ", html, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def test_a_passed_run_gets_a_certificate_that_says_what_was_not_tested(tmp_path: Path) -> None:
    text = plain(html_of(tmp_path, build(tmp_path))).replace(" , ", ", ")
    assert "Certificate of Test" in text
    assert "PASS for 9 of 29 requirements, 20 not tested" in text
    assert "30 of the 39 test purposes of the judged requirements were judged, 9 were not tested" in text
    assert "The results relate only to the items tested" in text
    assert "needs a testbed with an NFVI modification manager" in text
    assert "not a certificate of conformance" not in text
    assert "End of report 20261121-101512-k3v7qa" in text
    for needed in (digest("new"), digest("old"), digest("testbed"), DIGEST, "f" * 64, "Wilson score, k = 2"):
        assert needed in text


def test_a_run_that_did_not_pass_gets_a_record_and_names_the_reasons_first(tmp_path: Path) -> None:
    html = html_of(tmp_path, build(tmp_path, {"TP.VNF.01.6": ("FAIL", "lost packets: 312")}))
    text = plain(html)
    assert "Test Record" in text
    assert "Certificate of Test" not in text
    assert "This is not a certificate of conformance" in text
    assert text.index("What needs attention") < text.index("Items tested")
    assert "lost packets: 312" in text


def test_an_interrupted_run_says_so(tmp_path: Path) -> None:
    results = build(tmp_path, {"TP.VNF.01.6": ("INCONC", "x")}).model_copy(update={"interrupted": "the VNFM died"})
    assert "The run ended early: the VNFM died" in plain(html_of(tmp_path, results))


def test_what_a_drop_says_about_itself_cannot_break_the_page(tmp_path: Path) -> None:
    results = build(tmp_path)
    evil = results.drop.model_copy(update={"product": "<script>alert(1)</script>", "vendor": '"><img src=x>'})
    html = html_of(tmp_path, results.model_copy(update={"drop": evil}))
    assert "<script>" not in html
    assert "<img" not in html
    assert html.count("</style>") == 1


def test_the_document_needs_nothing_from_outside(tmp_path: Path) -> None:
    html = html_of(tmp_path, build(tmp_path))
    assert not re.search(r'(src|href)="(https?:)?//', html)
    assert "@import" not in html
    assert "url(" not in html


def test_certificate_without_series_laboratory_signature_or_packages(tmp_path: Path) -> None:
    results = build(tmp_path).model_copy(update={"series": [], "scenarios": []})
    html = render_html(results, [], digest=DIGEST)
    assert "Course of the modification" not in html
    assert "not signed" in html


def test_the_pdf_has_page_numbers_and_its_id_on_every_page(run: Path) -> None:
    results = Results.model_validate_json((run / "results.json").read_text())
    target = run / "certificate.pdf"
    render_pdf(html_of(run, results), target, attach=run / "results.json")
    assert target.read_bytes().startswith(b"%PDF-")
    if (reader := shutil.which("pdftotext")) is None:
        pytest.skip("needs pdftotext to look into the PDF")
    text = subprocess.run([reader, "-layout", str(target), "-"], capture_output=True, text=True, check=True).stdout
    pages = text.rstrip("\f").split("\f")
    assert len(pages) > 5
    for number, page in enumerate(pages, 1):
        assert f"{number} of {len(pages)}" in page
        assert f"Certificate {results.run}" in page
    assert f"End of report {results.run}" in pages[-1]


def test_a_series_that_cannot_be_drawn_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    results = build(tmp_path)
    (tmp_path / "plots" / "upgrade.json").write_text('{"t": [1, 2], "old": [1]}')
    assert draw_series(tmp_path, results.series) == []
    assert "cannot be drawn" in caplog.text


def test_gaps_are_grouped_by_reason(tmp_path: Path) -> None:
    found = gaps(build(tmp_path).requirements)
    assert len({gap.reason for gap in found}) == len(found)
    assert sum(len(gap.purposes) for gap in found) == 77


class TestPlot:
    def test_it_is_well_formed_and_names_its_stages(self) -> None:
        svg = migration_svg(series(), title='Upgrade <&> "x"')
        root = ET.fromstring(svg)
        words = " ".join(root.itertext())
        assert root.get("aria-label") == 'Upgrade <&> "x"'
        for mark in ("request", "10 %", "30 %", "100 %", "completed"):
            assert mark in words
        assert "per 100 ms: none" in words

    def test_losses_are_bars_and_silence_is_a_gap(self) -> None:
        data = series(3.0)
        data["lost"][5] = 40
        data["p50_us"][7] = None
        data["old"][10] = data["new"][10] = 0
        root = ET.fromstring(migration_svg(data))
        assert len([e for e in root.iter() if e.get("class") == "p-lost"]) == 1
        paths = [e.get("d", "") for e in root.iter() if e.get("class") == "p-p50"]
        assert paths[0].count("M") == 2
        assert len([e for e in root.iter() if e.get("class") == "p-old" and e.tag.endswith("path")]) == 2

    @pytest.mark.parametrize("t", [[], [0.0]])
    def test_hardly_any_data_is_no_problem(self, t: list[float]) -> None:
        data = {"t": t, **{name: [1.0] * len(t) for name in ("old", "new", "lost", "p50_us", "p99_us")}, "marks": []}
        ET.fromstring(migration_svg(data))

    def test_lists_of_unlike_lengths_are_refused(self) -> None:
        with pytest.raises(UsageError, match="p99_us"):
            migration_svg(series() | {"p99_us": [1.0]})


class TestAxes:
    @pytest.mark.parametrize("high", [0.3, 1, 7, 99, 1234, 1e6])
    def test_ticks_are_round_and_reach_the_top(self, high: float) -> None:
        ticks = axes.nice_ticks(high)
        assert ticks[0] == 0
        assert ticks[-1] >= high
        assert 2 <= len(ticks) <= 7

    def test_labels_do_not_touch(self) -> None:
        assert axes.rows_for([(0, "request"), (10, "grant"), (200, "10 %")]) == [0, 1, 0]


def test_the_seal_follows_from_the_digest() -> None:
    assert seal_svg(DIGEST, "PASS", "#000") == seal_svg(DIGEST, "PASS", "#000")
    assert seal_svg(DIGEST, "PASS", "#000") != seal_svg(digest("other"), "PASS", "#000")
    ET.fromstring(seal_svg(DIGEST, "INCONC", "#000"))


def measure(**more: object) -> MeasureResult:
    base = {"name": "m", "value": 1.0, "unit": "s", "limit": "<= 1", "rule": "r", "source": "s", "verdict": "PASS"}
    return MeasureResult.model_validate(base | more)


def test_text_becomes_safe_html_and_css() -> None:
    assert wording.bound("20 not tested <b>") == '<span class="nobreak">20 not</span> tested &lt;b&gt;'
    assert wording.css_string('a "b" </style>') == r'"a \22 b\22  \3c \2f style\3e "'


def test_wording() -> None:
    assert wording.number(0) == "0"
    assert wording.number(1204331) == "1\u202f204\u202f331"
    assert wording.number(31.2345) == "31.23"
    assert wording.number(None) == "–"
    assert wording.interval(measure()) == "exact"
    assert wording.interval(measure(interval=(0.5, None))) == "0.5 … unbounded"
    assert wording.limit("<= 5") == "≤ 5"
    assert wording.evidence([Evidence(scenario="u", seq=list(range(12)))]) == [
        ("u", "0, 1, 2, 3, 4, 5, 6, 7 and 4 more")
    ]
    assert wording.day("2026-11-21T10:15:12+00:00") == "21 November 2026"
    assert wording.day("soon") == "soon"
    assert wording.clock("2026-11-21T10:15:12Z") == "2026-11-21 10:15:12 UTC"
    assert wording.duration("2026-11-21T10:15:12Z", "2026-11-21T10:16:31Z") == "1 min 19 s"
    assert wording.duration("x", "y") == "–"
    assert wording.plural(1, "core") == "1 core"
    assert wording.clause_number("6.3.1.2 (context 6.2)") == "6.3.1.2"
    assert wording.clause_number("annex C") == "annex C"


def test_series_data_are_json(tmp_path: Path) -> None:
    build(tmp_path)
    assert json.loads((tmp_path / "plots/upgrade.json").read_text())["marks"][0]["name"] == "request"
