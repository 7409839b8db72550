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


def test_help_and_wrong_path_import_no_heavy_library() -> None:
    for arguments, code in ((["--help"], 0), (["batch", "nowhere", "--out", "out"], 4)):
        done = subprocess.run(
            [sys.executable, "-c", _ASK, *arguments], capture_output=True, text=True, check=True
        )
        assert done.stderr.splitlines()[-1] == f"{code} []", done.stderr


def test_lazily_imported_command_has_help() -> None:
    told = CliRunner().invoke(app, ["evaluate", "--help"])
    assert told.exit_code == 0 and "mentions" in told.output
    told = CliRunner().invoke(app, ["evaluate", "mentions", "--help"])
    assert told.exit_code == 0 and "--backend" in told.output
    assert CliRunner().invoke(app, ["evaluate", "nothing"]).exit_code == 2
