"""The section on dynamic scaling: courses, their drawing, the table of methods, what the certificate says of them."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from report_sample import digest, judgements
from scaling_sample import TITLES, TRIGGER_S, build_scaled, course

from nfvcert.catalogue import load
from nfvcert.errors import UsageError
from nfvcert.report.certificate import draw_series, excluded, render_html
from nfvcert.report.generate import generate
from nfvcert.report.results_model import Results
from nfvcert.report.scaling import REL002, Course, read_course
from nfvcert.report.scaling_plots import scaling_svg
from nfvcert.report.scaling_section import rate, rows, scaling_section
from nfvcert.report.summary import requirement_results, summarise
from nfvcert.report.text import plain_table

MINE = ("ma-plain", "ma-sub-ranges", "ma-heavy-tailed")
EXCLUDED = "the testbed does not declare migration_avoidance"


def made(scenario: str, **changed: Any) -> Course:
    return Course.model_validate(course(scenario) | changed)


def words(svg: str) -> str:
    return " ".join(ET.fromstring(svg).itertext())


def of_class(svg: str, kind: str) -> list[str]:
    return [e.get("d", "") for e in ET.fromstring(svg).iter() if e.get("class") == kind and e.get("d")]


def plain(html: str) -> str:
    body = re.sub(r"<(style|svg).*?</\1>", " ", html, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def html_of(run: Path, results: Results) -> str:
    plots = draw_series(run, results.series)
    return render_html(results, plots, digest=digest("r"), scaling=scaling_section(run, results.series))


class TestReference:
    def test_the_figures_are_those_of_the_annex(self) -> None:
        found = (REL002.convergence_s, REL002.imbalance_percent, REL002.added_latency_us, REL002.detour_bps)
        assert found == (5.6, 10.0, 10.0, 0.5e9)

    @pytest.mark.parametrize("offered", [1e9, 1e8])
    def test_the_band_is_where_the_imbalance_has_that_size(self, offered: float) -> None:
        low, high = REL002.band(offered)
        assert low + high == pytest.approx(offered)
        assert 100 * (high - low) / (offered / 2) == pytest.approx(10.0)


class TestDrawing:
    def test_courses_stand_side_by_side_with_the_reference_in_each(self) -> None:
        svg = scaling_svg([made(name) for name in MINE], title='Scaling <&> "x"')
        assert ET.fromstring(svg).get("aria-label") == 'Scaling <&> "x"'
        text = words(svg)
        for name in MINE:
            assert TITLES[name][2] in text
        for figure in ("REL002: 5.6 s", "REL002: 10 %", "REL002: below 10 µs", "REL002: 0.5 Gbit/s at worst"):
            assert text.count(figure) == len(MINE), figure
        assert len(of_class(svg, "p-refband")) == len(MINE)

    def test_reference_figures_are_told_apart_without_colour(self) -> None:
        root = ET.fromstring(scaling_svg([made("ma-plain")]))
        lines = [e for e in root.iter() if e.get("class") == "p-ref"]
        assert lines
        assert all(e.get("stroke-dasharray") for e in lines)

    def test_what_is_shown_is_said_in_words_too(self) -> None:
        root = ET.fromstring(scaling_svg([made("ma-sub-ranges")]))
        description = next(e.text or "" for e in root if e.tag.endswith("desc"))
        assert "converged" in description
        assert "microseconds longer" in description

    def test_a_course_that_did_not_converge_says_so(self) -> None:
        svg = scaling_svg([made("ma-plain", converged=None)])
        assert "not converged" in words(svg)
        assert "ours:" not in words(svg)

    def test_intervals_without_a_detour_are_gaps_and_outliers_are_named(self) -> None:
        raw = course("ma-plain")
        raw["added_us"] = [None] * 20 + [6.0] * 30 + [None] + [900.0] + [6.0] * (len(raw["t"]) - 52)
        svg = scaling_svg([Course.model_validate(raw)])
        assert "1 of 200 above, at most 900" in words(svg)
        paths = [path for path in of_class(svg, "p-p50") if path.count("L") > 50]
        assert any(path.count("M") == 2 for path in paths)

    def test_a_smaller_load_is_drawn_in_its_unit_with_the_reference_scaled(self) -> None:
        svg = scaling_svg([Course.model_validate(course("ma-plain", scale=0.1))])
        assert "Mbit/s" in words(svg)
        assert "REL002: 50 Mbit/s at worst" in words(svg)

    def test_a_short_run_does_not_show_what_lies_behind_its_end(self) -> None:
        svg = scaling_svg([Course.model_validate(course("ma-plain", seconds=6.0) | {"converged": None})])
        assert "REL002: 5.6 s" not in words(svg)

    def test_names_above_a_column_do_not_touch(self) -> None:
        for converged in (2.3, 2.9, 5.0, 7.5, 7.7, 19.8):
            root = ET.fromstring(scaling_svg([made(name, converged=converged) for name in MINE]))
            placed = [
                (float(e.get("y", 0)), float(e.get("x", 0)), len(e.text or "") * 4.6)
                for e in root.iter()
                if (e.text or "").startswith(("trigger", "ours:", "REL002: 5.6"))
            ]
            assert len(placed) == 9
            for y, x, _ in placed:
                assert not [1 for y2, x2, w2 in placed if y2 == y and x2 < x < x2 + w2]

    @pytest.mark.parametrize("t", [[], [0.0]])
    def test_hardly_any_data_is_no_problem(self, t: list[float]) -> None:
        none = {"t": t, "load": {name: [1.0] * len(t) for name in ("s1/v1", "s2/v1")}, "converged": None}
        ET.fromstring(scaling_svg([made("ma-plain", **none, detour=[0.0] * len(t), added_us=[None] * len(t))]))

    @pytest.mark.parametrize("count", [0, 4])
    def test_no_course_and_too_many_are_refused(self, count: int) -> None:
        with pytest.raises(UsageError, match="side by side"):
            scaling_svg([made("ma-plain")] * count)


class TestCourses:
    def test_lists_of_unlike_lengths_are_named(self, tmp_path: Path) -> None:
        path = tmp_path / "c.json"
        path.write_text(json.dumps(course("ma-plain") | {"detour": [1.0]}))
        with pytest.raises(UsageError, match="detour: 1 values for 200 times"):
            read_course(path)

    @pytest.mark.parametrize(("text", "message"), [("{", "no JSON"), ("{}", "does not fit"), (None, "is missing")])
    def test_broken_courses_are_refused(self, text: str | None, message: str, tmp_path: Path) -> None:
        path = tmp_path / "c.json"
        if text is not None:
            path.write_text(text)
        with pytest.raises(UsageError, match=message):
            read_course(path)

    def test_one_that_cannot_be_read_is_left_out(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        results = build_scaled(tmp_path)
        (tmp_path / "plots" / "ma-plain.json").write_text("{}")
        section = scaling_section(tmp_path, results.series)
        assert section is not None
        assert "Steps of clause 6.2" not in [row.method.figure for row in section.rows]
        assert "cannot be drawn" in caplog.text


class TestTable:
    def test_detoured_octets_are_compared_with_the_plain_method_under_the_same_load(self) -> None:
        found = rows([made("ma-plain"), made("ma-sub-ranges"), made("ma-heavy-tailed"), made("ma-always-migrate")])
        beside = [row.cells[5].beside for row in found]
        assert re.fullmatch(r"\d+ % of plain", beside[1])
        assert (beside[0], beside[2], beside[3]) == ("", "", "")
        assert found[3].cells[5].figure == "none"

    def test_what_did_not_happen_is_said(self) -> None:
        empty = course("ma-plain")["figures"] | {"convergence_s": None, "added_latency_median_us": None}
        cells = rows([made("ma-plain", figures=empty)])[0].cells
        assert cells[3].figure == "never"
        assert cells[4].beside == "none detoured"

    def test_figures_that_are_missing_are_dashes(self) -> None:
        cells = rows([made("ma-plain", figures={})])[0].cells
        assert {cell.figure for cell in cells} == {"–", "never"}

    @pytest.mark.parametrize(
        ("bps", "text"),
        [(1e9, "1 Gbit/s"), (5e8, "0.5 Gbit/s"), (3.13e8, "313 Mbit/s"), (2e3, "2 kbit/s"), (3, "3 bit/s")],
    )
    def test_rates(self, bps: float, text: str) -> None:
        assert rate(bps) == text


class TestCertificate:
    def test_it_says_plainly_what_was_judged(self, tmp_path: Path) -> None:
        text = plain(html_of(tmp_path, build_scaled(tmp_path)))
        assert "Judged on the dataplane of the testbed, not on the software of the drop" in text
        assert "REL002.MA.3, REL002.MA.5 were judged on the dataplane of the testbed" in text
        assert "The software of Meridian Networks, Edge Gateway, was not tested" in text
        assert "This certifies the software modification of" not in text
        assert "PASS for 2 of 2 further requirements" in text
        assert "of its curves no more than these figures is known" in text

    def test_beside_a_modification_of_the_drop(self, tmp_path: Path) -> None:
        html = html_of(tmp_path, build_scaled(tmp_path, with_drop=True))
        text = plain(html)
        assert "This certifies the software modification of" in text
        assert "of further requirements 2 PASS" in text
        assert "Judged on the dataplane of the testbed, not on the software of the drop" in text
        sections = [int(number) for number in re.findall(r'<h2><span class="no">(\d+)</span>', html)]
        assert sections == list(range(1, 10))

    def test_a_trial_that_is_not_valid_is_marked_everywhere(self, tmp_path: Path) -> None:
        results = build_scaled(tmp_path)
        path = tmp_path / "plots" / "ma-plain.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"invalid": "ma-plain: 12 packets were not sent"}))
        html = html_of(tmp_path, results)
        assert "Not valid, nothing can be concluded from it: ma-plain: 12 packets were not sent." in plain(html)
        assert html.count("Steps of clause 6.2: not valid") == 2

    def test_a_smaller_load_is_stated(self, tmp_path: Path) -> None:
        results = build_scaled(tmp_path, scenarios=("ma-openvswitch",))
        assert "The load was 10 % of REL002's" in plain(html_of(tmp_path, results)).replace("&#39;", "'")
        full = scaling_section(tmp_path, build_scaled(tmp_path / "full", scenarios=("ma-plain",)).series)
        assert full is None or full.scaled == ""

    def test_without_scaling_there_is_no_such_section(self, tmp_path: Path) -> None:
        results = build_scaled(tmp_path, with_drop=True)
        kept = [series for series in results.series if series.kind != "scaling"]
        assert "Dynamic scaling with migration avoidance" not in html_of(
            tmp_path, results.model_copy(update={"series": kept})
        )

    def test_pictures_lie_in_the_run_folder(self, tmp_path: Path) -> None:
        build_scaled(tmp_path)
        generate(tmp_path, ["html"])
        ET.fromstring((tmp_path / "plots" / "scaling.svg").read_text())
        assert "TRIGGER".lower() in (tmp_path / "plots" / "scaling.svg").read_text()
        assert TRIGGER_S == 2.0

    def test_methods_with_another_load_get_a_picture_of_their_own(self, tmp_path: Path) -> None:
        results = build_scaled(tmp_path)
        path = tmp_path / "plots" / "ma-openvswitch.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"drawn": True}))
        section = scaling_section(tmp_path, results.series)
        assert section is not None
        assert [picture.path for picture in section.pictures] == ["plots/scaling.svg", "plots/scaling-2.svg"]


class TestNotApplicable:
    @pytest.fixture
    def results(self, tmp_path: Path) -> Results:
        """The usual run on a testbed without the feature."""
        results = build_scaled(tmp_path, with_drop=True, scenarios=())
        ids = [purpose.id for purpose in load().purposes if purpose.id.startswith("TP.MA.")]
        judged = judgements() | {id: {"verdict": "N/A", "reason": EXCLUDED} for id in ids}
        requirements = requirement_results(load(), judged, list(judged))
        summary = summarise(requirements)
        update = {"requirements": requirements, "headline": summary.headline, "verdict": summary.verdict}
        return results.model_copy(update=update)

    def test_the_reason_is_printed_once(self, results: Results, tmp_path: Path) -> None:
        text = plain(html_of(tmp_path, results))
        assert text.count(EXCLUDED) == 1
        assert "Not applicable because" in text
        assert "Dynamic scaling with migration avoidance" not in text
        assert len(excluded(results.requirements)) == 1

    def test_what_does_not_apply_was_not_judged(self, results: Results, tmp_path: Path) -> None:
        row = next(line for line in plain_table(results, all_requirements=True).splitlines() if "REL002.MA.5" in line)
        assert row.split()[:5] == ["REL002.MA.5", "N/A", "0", "of", "4"]
        assert "0 of 4 N/A" in plain(html_of(tmp_path, results))

    def test_the_rest_is_as_without_it(self, results: Results, tmp_path: Path) -> None:
        assert results.headline == "PASS for 9 of 29 requirements, 20 not tested"
        assert "30 of the 39 test purposes of the judged requirements" in plain(html_of(tmp_path, results))

    def test_one_purpose_that_does_not_apply_is_told_apart(self, results: Results, tmp_path: Path) -> None:
        judged = judgements() | {"TP.VNF.05.2": {"verdict": "N/A", "reason": "the profile demands no signatures"}}
        requirements = requirement_results(load(), judged, list(judged))
        assert next(r for r in requirements if r.id == "REQ.VNF.M.05").verdict == "PASS"
        text = plain(html_of(tmp_path, results.model_copy(update={"requirements": requirements})))
        assert "29 of the 39 test purposes of the judged requirements were judged" in text
        assert "9 were not tested, 1 did not apply." in text

    def test_terminals_get_one_line(self, results: Results) -> None:
        lines = [line for line in plain_table(results).splitlines() if "N/A" in line]
        assert len(lines) == 1
        assert lines[0].startswith("REL002.MA.1, REL002.MA.2")
        assert lines[0].endswith(f"N/A: {EXCLUDED}.")
