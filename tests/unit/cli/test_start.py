"""The command line starts at once: what is heavy waits until a command needs it."""

from __future__ import annotations

import subprocess
import sys

from typer.testing import CliRunner

from clinical_nlp.cli.app import app

_ASK = """
import sys
from clinical_nlp.cli.app import main
sys.argv = ["clinical-nlp", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    heavy = {"torch", "spacy", "mlflow", "sklearn", "pandas"} & set(sys.modules)
    print(end.code, sorted(heavy), file=sys.stderr)
"""


def test_neither_help_nor_a_wrong_path_waits_for_what_is_heavy() -> None:
    for arguments, code in ((["--help"], 0), (["batch", "nowhere", "--out", "out"], 4)):
        done = subprocess.run(
            [sys.executable, "-c", _ASK, *arguments], capture_output=True, text=True, check=True
        )
        assert done.stderr.splitlines()[-1] == f"{code} []", done.stderr


def test_a_command_that_is_imported_late_is_there_all_the_same() -> None:
    told = CliRunner().invoke(app, ["evaluate", "--help"])
    assert told.exit_code == 0 and "mentions" in told.output
    told = CliRunner().invoke(app, ["evaluate", "mentions", "--help"])
    assert told.exit_code == 0 and "--backend" in told.output
    assert CliRunner().invoke(app, ["evaluate", "nothing"]).exit_code == 2
