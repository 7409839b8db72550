"""Says where what was written, or taken back, comes from: Provenance, in chunks.

A Provenance is never changed. That of a night names only what the night has written anew; that
of a retraction says which Device took back what, and why.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Final

from fhir_adapters.server.content import digest_of, with_references
from fhir_adapters.server.ledger import Ledger
from fhir_adapters.server.night import Night
from fhir_adapters.server.sending import Result, Sender
from fhir_adapters.server.transport import Json

#: Targets of one Provenance: servers limit the size of a resource.
TARGETS: Final = 100

_OPERATION = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
_PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://clinical-nlp.example/fhir/provenance")

#: Why something was taken back, in Spanish: it stands in the record.
REASONS: Final = {
    "patient-gone": "El paciente ya no está en la exportación, o se ha fusionado con otro.",
    "not-listed": "La estimación ya no pide revisión.",
    "note-withdrawn": "La nota de origen ya no está en la historia.",
    "note-amended": "La nota de origen ha cambiado.",
    "read-otherwise": "La lectura de esta noche ya no lo dice.",
    "version-withdrawn": "Se ha retirado la versión del sistema que lo escribió.",
}


class Origins:
    """Sends the Provenance that the ledger still owes.

    Parameters
    ----------
    ledger, sender
        Of one server.
    """

    def __init__(self, ledger: Ledger, sender: Sender) -> None:
        self._ledger = ledger
        self._sender = sender
        #: Key of each Provenance that the server refused, and its codes; it is owed still.
        self.refused: list[tuple[str, str]] = []

    def send(self, night: Night | None = None) -> None:
        """Send what is owed of what was written, then of what was taken back."""
        for provenance in night.resources("Provenance") if night else ():
            targets = [t["reference"] for t in provenance["target"]]
            owed = self._ledger.due(targets)
            for keys in (owed[n : n + TARGETS] for n in range(0, len(owed), TARGETS)):
                said = {**provenance, "target": [{"reference": key} for key in keys]}
                self._send(said, keys)
        for _, reason, agent, keys in self._ledger.due_retractions():
            for some in (keys[n : n + TARGETS] for n in range(0, len(keys), TARGETS)):
                self._send(_retraction(some, reason, agent), some)

    def _send(self, provenance: Json, keys: list[str]) -> None:
        versions = [(row.server_id, row.version) for k in keys if (row := self._ledger.get(k))]
        # Of what it is about, so that a run that was cut off does not say it twice.
        named = digest_of([provenance.get("activity"), sorted(versions)])
        body = with_references(provenance, self._ledger.resolve)
        body["id"] = str(uuid.uuid5(_NAMESPACE, named))
        outcome = self._sender.send(body, None)
        if outcome.result is Result.REFUSED:
            self.refused.append((f"Provenance/{body['id']}", outcome.why))
        else:
            self._ledger.clear_due(keys)


def _retraction(keys: list[str], reason: str, agent: str) -> Json:
    now = datetime.now(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    return {
        "resourceType": "Provenance",
        "target": [{"reference": key} for key in keys],
        "recorded": now,
        "reason": [{"text": REASONS[reason]}],
        "activity": {
            "coding": [{"system": _OPERATION, "code": "NULLIFY"}],
            "text": "anulación",
        },
        "agent": [
            {
                "type": {"coding": [{"system": _PARTICIPANT, "code": "author"}], "text": "autor"},
                "who": {"reference": agent},
            }
        ],
    }
