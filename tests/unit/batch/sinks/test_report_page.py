from __future__ import annotations

import re
import stat

import pytest
from bs4 import BeautifulSoup

from clinical_nlp.batch.run_record import RunOutcome
from clinical_nlp.batch.sinks.report import histogram, write_report
from clinical_nlp.batch.statistics import RunStatistics, histogram_edges
from clinical_nlp.records import Concept, EstimateStatus, SourceSummary, TypeCounts
from clinical_nlp.risk.bands import load_bands
from clinical_nlp.risk.states import load_states

CANARY = "Zacarías-Ñoquisordo"


def make_run(context, **said) -> RunOutcome:
    types = {"Patient": TypeCounts(3, 3), "DocumentReference": TypeCounts(5, 3, 0, 1, 0, 1)}
    source = SourceSummary(types, 8, 3, 3, context.as_of, "ee" * 32)
    given = {"seconds": {"scan": 1.5, "read_notes": 90.0}, "quarantined": {"E203": 1}, **said}
    return RunOutcome(context, source, RunStatistics(context), **given)


def write_page(path, context, concepts, results, run=None) -> str:
    run = run or make_run(context)
    for result in results:
        run.statistics.write(result)
    write_report(path, run, concepts)
    return path.read_text(encoding="utf-8")


@pytest.fixture
def page(tmp_path, context, concepts, make_result) -> str:
    results = [
        make_result(
            f"{CANARY}-{i}",
            p,
            text=f"Refiere disnea, {CANARY}. Sin edemas. Madre: disnea. FEVI > 60 %.",
            interval=(0.02, 0.4) if p == 0.2 else None,
        )
        for i, p in enumerate((0.2, 0.01, None))
    ]
    return write_page(tmp_path / "report.html", context, concepts, results)


def rows_of(page: str, heading: str) -> dict[str, list[str]]:
    soup = BeautifulSoup(page, "html.parser")
    section = soup.find("section", attrs={"aria-labelledby": heading})
    return {
        row.th.get_text(strip=True): [td.get_text(strip=True) for td in row.select("td.n")]
        for row in section.select("tbody tr")
    }


def test_report_shows_the_numbers_of_the_run(page):
    assert rows_of(page, "patients") == {
        "Sospecha escrita, sin prueba concluyente": ["0", "0\xa0%"],
        "Riesgo estimado": ["2", "66,7\xa0%"],
        "Insuficiencia cardíaca ya diagnosticada": ["1", "33,3\xa0%"],
        "Sin estimación": ["0", "0\xa0%"],
    }
    assert rows_of(page, "findings")["disnea"] == ["6", "3", "0", "3"]
    assert rows_of(page, "risk")["alto"] == ["1", "50,0\xa0%"]
    assert rows_of(page, "types")["DocumentReference"] == ["5", "3", "0", "1", "0", "1", "sí"]
    assert rows_of(page, "quarantine")["E203"] == ["1"]
    assert "en 1 de los 1 pacientes que están en la lista por su riesgo el intervalo" in page
    assert "1 estimaciones van sin intervalo" in page
    assert rows_of(page, "times")["Lectura de notas (PLN)"] == ["1\xa0min 30\xa0s"]


def test_report_counts_states_and_keeps_them_out_of_the_bars(
    tmp_path, context, concepts, make_result, make_suspected
):
    results = [
        make_suspected("a"),
        make_suspected("b"),
        make_result("c"),
        make_result("d", status=EstimateStatus.ABSTAINED, abstention="Menor de 40 años."),
        make_result("e", 0.2),
    ]
    run = make_run(context)
    page = write_page(tmp_path / "r.html", context, concepts, results, run)
    assert [counts[0] for counts in rows_of(page, "patients").values()] == ["2", "1", "1", "1"]
    assert sum(run.statistics.histogram) == sum(run.statistics.bands.values()) == 1
    soup = BeautifulSoup(page, "html.parser")
    assert " ".join(soup.figcaption.text.split()) == (
        "Sin probabilidad, y por eso fuera de las barras: "
        "2 con sospecha escrita, sin prueba concluyente; "
        "1 con insuficiencia cardíaca ya diagnosticada; 1 sin estimación."
    )
    (listed,) = soup.select(".tiles .hero")
    assert listed.b.text == "3" and "2 por sospecha escrita, 1 por riesgo" in listed.small.text
    for state in load_states():
        assert state.meaning_es in soup.find("section", attrs={"aria-labelledby": "patients"}).text


def test_report_holds_no_patient_text_or_id(page):
    assert CANARY not in page and "DocumentReference/" not in page


def test_report_fetches_nothing(page):
    assert not re.search(r"(?:https?:)?//|\burl\(|@import|<script|<link|<img|\bsrc=", page)
    assert "default-src 'none'" in page


def test_report_is_accessible_to_screen_readers(page):
    soup = BeautifulSoup(page, "html.parser")
    assert soup.html["lang"] == "es"
    assert len(soup.find_all("h1")) == 1
    assert all(table.find("caption") for table in soup.find_all("table"))
    drawing = soup.find("svg", role="img")
    assert "riesgo alto, 1" in drawing.find("desc").text
    ids = [tag["id"] for tag in soup.find_all(id=True)]
    assert len(ids) == len(set(ids))
    for tag in soup.find_all(attrs={"aria-labelledby": True}):
        assert set(tag["aria-labelledby"].split()) <= set(ids)


def test_report_states_limits_and_model(page, context):
    assert "no un producto sanitario certificado" in page
    assert context.model.uri in page and context.model.digest in page


def test_report_of_unreachable_registry_shows_alert(tmp_path, context, concepts, make_result):
    resolution = {
        "asked": "models:/hf-risk@champion",
        "source": "last verified",
        "verified": "2026-03-28T04:05:06+00:00",
    }
    results = [make_result("a", 0.1)]
    for source, shouted in (("last verified", True), ("registry", False), ("shipped", True)):
        said = {**resolution, "source": source} | ({"verified": ""} if source == "shipped" else {})
        run = make_run(context, resolution=said)
        page = write_page(tmp_path / f"{source}.html", context, concepts, results, run)
        soup = BeautifulSoup(page, "html.parser")
        told = [tag.get_text(" ", strip=True) for tag in soup.select("header [role=alert]")]
        assert bool(told) is shouted
        if source == "shipped":
            assert "simulados" in told[0]
        elif told:
            assert "E401" in told[0] and "versión 3" in told[0]
            assert "28 de marzo de 2026, 04:05 (UTC)" in " ".join(told[0].split())


def test_report_counts_abstentions_by_reason_and_shows_energy(
    tmp_path, context, concepts, make_result
):
    young = {"status": EstimateStatus.ABSTAINED, "abstention": "Menor de 40 años."}
    results = [make_result("a", **young), make_result("b", **young), make_result("c", 0.1)]
    used = {"kwh": 0.0000234, "co2_kg": 0.000004, "method": "estimated: processor seconds"}
    run = make_run(context, energy=used)
    page = write_page(tmp_path / "r.html", context, concepts, results, run)
    assert rows_of(page, "abstained")["Menor de 40 años."] == ["2"]
    assert "0,0234\xa0Wh" in page and "estimada por el tiempo de procesador" in page
    run = make_run(context, energy={**used, "method": "CodeCarbon 3.3.2, offline"})
    assert "con CodeCarbon 3.3.2;" in write_page(tmp_path / "r.html", context, concepts, [], run)


def test_report_with_lost_lines_shows_alert(tmp_path, context, concepts, make_result):
    lost = SourceSummary({"Patient": TypeCounts(3, 2)}, 3, 2, 0, context.as_of, "")
    run = RunOutcome(context, lost, RunStatistics(context))
    page = write_page(tmp_path / "r.html", context, concepts, [make_result("a", 0.1)], run)
    assert "no cuadran" in page and rows_of(page, "types")["Patient"][-1] == "no"


def test_report_of_empty_run_is_written(tmp_path, context):
    empty = RunOutcome(context, SourceSummary(), RunStatistics(context))
    page = write_page(tmp_path / "r.html", context, {}, [], empty)
    assert "No se encontró ningún hallazgo" in page and "Nada: todos" in page


def test_report_escapes_names_and_is_private(tmp_path, context, make_result):
    evil = {"dyspnea": Concept("dyspnea", "symptom", {"es": "<b>disnea</b> & co"})}
    page = write_page(tmp_path / "r.html", context, evil, [make_result("a", 0.1)])
    assert "&lt;b&gt;disnea&lt;/b&gt; &amp; co" in page
    assert stat.S_IMODE((tmp_path / "r.html").stat().st_mode) == 0o600


def test_histogram_areas_follow_the_counts():
    bands = load_bands()
    edges = histogram_edges(bands)
    counts = list(range(len(edges) - 1))
    chart = histogram.draw(edges, counts, bands, 0.03)
    assert [bar.patients for bar in chart.bars] == counts
    unit = chart.bars[1].height
    assert all(bar.height == pytest.approx(unit * bar.patients, abs=0.1) for bar in chart.bars)
    assert all(chart.left <= bar.x and bar.x + bar.width <= chart.right for bar in chart.bars)
    assert [bands.items[bar.band].key for bar in chart.bars] == [
        bands.of(bar.lower).key for bar in chart.bars
    ]
    # The threshold stands where the band "aumentado" begins.
    first_high = next(bar for bar in chart.bars if bar.lower == 0.03)
    assert chart.threshold == pytest.approx(first_high.x, abs=1)


@pytest.mark.parametrize(
    "number, bound", [(0, 4), (4, 4), (5, 8), (33, 40), (405, 600), (2001, 2400), (10**6, 10**6)]
)
def test_histogram_axis_ends_at_round_number(number, bound):
    assert histogram._round_up(number) == bound


def test_report_says_how_many_people_a_month_a_list_gets(page):
    # One of three patients is on the work list: 1,500 / 3 / 12 a month.
    assert "unas 41,7\xa0personas al mes" in page or "unas 41,7 personas al mes" in page
