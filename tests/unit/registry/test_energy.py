from __future__ import annotations

import logging
import socket

import pytest

from clinical_nlp.registry.energy import measured


def work():
    return sum(number * number for number in range(400_000))


def test_energy_without_library_is_processor_seconds_times_power():
    with measured(with_library=False) as energy:
        work()
    told = energy.report()
    # 4 W a core: kWh = s * 4 / 3.6e6, to the four figures that are told.
    assert told["kwh"] == pytest.approx(told["cpu_seconds"] * 4 / 3_600_000, abs=0.06 * 4 / 3.6e6)
    assert told["co2_kg"] == pytest.approx(told["kwh"] * 0.17405, rel=1e-3)
    assert told["method"].startswith("estimated")


def test_energy_with_codecarbon_opens_no_socket_and_writes_no_file(monkeypatch, tmp_path):
    pytest.importorskip("codecarbon")

    def refuse(*arguments):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.chdir(tmp_path)
    with measured(with_library=True) as energy:
        work()
    told = energy.report()
    assert told["kwh"] > 0 and told["method"].startswith("CodeCarbon")
    assert list(tmp_path.iterdir()) == []


def test_energy_with_codecarbon_silences_only_its_own_log(capfd, monkeypatch, caplog):
    pytest.importorskip("codecarbon")
    from codecarbon.external.logger import logger as theirs

    monkeypatch.setattr(theirs, "level", logging.INFO)  # as it is when first imported
    with caplog.at_level(logging.INFO), measured(with_library=True):
        theirs.warning("no meter can be read")
        logging.getLogger("clinical_nlp.registry").warning("ours")
    assert caplog.messages == ["ours"]
    assert capfd.readouterr() == ("", "")
