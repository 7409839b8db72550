from __future__ import annotations

import io

import pytest
from rich.console import Console

from clinical_nlp.batch.sinks import Worklist
from clinical_nlp.batch.sinks.worklist_view import WorklistRow, print_worklist, read_worklist
from clinical_nlp.errors import OutputError


@pytest.fixture
def worklist(tmp_path, context, make_result, make_suspected):
    sink = Worklist(tmp_path / "worklist.csv", context)
    sink.write(make_suspected("s"))
    for patient, probability, interval in (
        ("-b", 0.0456, (0.03, 0.07)),
        ("a" * 36, 0.31, (0.2, 0.4501)),
        ("c", 0.04, None),
    ):
        sink.write(
            make_result(
                patient,
                probability,
                interval=interval,
                advice=("Valorar NT-proBNP.",),
                frequency="5 de cada 100 personas como esta.",
            )
        )
    sink.close()
    return tmp_path / "worklist.csv"


def printed(rows, width=100, **said) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_worklist(console, rows, **said)
    return console.file.getvalue()


def test_read_worklist_returns_what_was_written(worklist):
    rows = read_worklist(worklist)
    assert rows[2] == WorklistRow(
        3,
        "riesgo estimado",
        "-b",
        78,
        "mujer",
        4.6,
        3.0,
        7.0,
        "aumentado",
        "5 de cada 100 personas como esta",
        ("Disnea en 1 nota (la última, 01/03/2026)", "78 años"),
        ("Valorar NT-proBNP",),
        ("No consta NT-proBNP",),
    )
    assert [row.rank for row in rows] == [1, 2, 3, 4]
    assert [row.is_suspected for row in rows] == [True, False, False, False]


@pytest.mark.parametrize("width", [80, 100, 140])
def test_print_worklist_fits_width_and_cuts_nothing(worklist, width):
    text = printed(read_worklist(worklist), width)
    assert all(len(line) <= width for line in text.splitlines())
    assert "…" not in text
    assert "20,0 a 45,0" in text and "sin intervalo" in text
    assert "31,0 %" in text and "alto" in text and "· 78 años" in text
    assert "→ Valorar" in text and "5 de cada 100" in text
    assert "preliminares" in text
    assert text.count("a") >= 36  # the long id is folded, not cut


def test_print_worklist_says_how_many_are_not_shown(worklist):
    rows = read_worklist(worklist)
    assert "… y 2 más" in printed(rows, limit=1) and "más en" not in printed(rows, limit=3)
    assert "ningún paciente" in printed([])


def test_print_worklist_prints_suspicions_first_and_without_number(worklist):
    rows = read_worklist(worklist)
    first, second = printed(rows).split("En riesgo")
    assert "Sospecha escrita, sin prueba concluyente" in first
    assert "Ecocardiograma" in first and "%" not in first and "Sospecha" not in second
    assert "En riesgo" not in printed(rows[:1]) and "Sospecha" not in printed(rows[1:])


def test_read_worklist_of_earlier_version_has_no_interval(worklist):
    text = worklist.read_text("utf-8-sig")
    for new in ("low_percent", "high_percent", "state", "frequency", "advice"):
        text = text.replace(new, f"other {new}")
    header, _, *scored = text.splitlines()  # earlier lists held no suspicion
    worklist.write_text("\n".join([header, *scored]), "utf-8")
    rows = read_worklist(worklist)
    assert len(rows) == 3
    assert all(row.low_percent is row.high_percent is None for row in rows)
    assert all((row.state, row.advice) == ("riesgo estimado", ()) for row in rows)


def test_print_worklist_prints_brackets_as_text():
    row = WorklistRow(
        1, "riesgo estimado", "[red]x", 70, "mujer", 5.0, band="alto", reasons=("[bold]motivo",)
    )
    assert "[red]x" in printed([row]) and "[bold]motivo" in printed([row])


@pytest.mark.parametrize("content", [None, "otra,cosa\n1,2\n"])
def test_read_worklist_of_other_file_raises_e512(tmp_path, content):
    path = tmp_path / "worklist.csv"
    if content:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(OutputError, match="E512"):
        read_worklist(path)
