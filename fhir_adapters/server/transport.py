"""Requests to a FHIR server: timeouts, retries with back-off, and never a token in an error."""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, Self

import httpx

from clinical_nlp.errors import OutputError

#: A JSON object.
Json = dict[str, Any]

#: Answers that another try may better. 500 is among them: a proxy gives it for what its server did.
_TRANSIENT: Final = frozenset({408, 425, 429, 500, 502, 503, 504})

#: Seconds: the first wait, doubled each time, and the longest, also of ``Retry-After``.
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 120.0

# httpx logs each URL, and a URL holds ids.
logging.getLogger("httpx").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered; ``status`` 0 where the connection broke off.

    Parameters
    ----------
    status
        HTTP status.
    body
        The JSON object; empty where there was none.
    version
        ``meta.versionId``, of the ETag or of the body.
    location
        Header ``Location``.
    retry_after
        Seconds that the server asks to wait.
    """

    status: int
    body: Json = field(default_factory=dict)
    version: str = ""
    location: str = ""
    retry_after: float | None = None

    @property
    def is_success(self) -> bool:
        """Whether the server did what it was asked."""
        return 200 <= self.status < 300

    @property
    def is_transient(self) -> bool:
        """Whether another try may give another answer."""
        return self.status == 0 or self.status in _TRANSIENT


class FhirClient:
    """A FHIR server's REST interface; may be used by several threads.

    Parameters
    ----------
    base
        URL of the server, without a slash at its end.
    token
        Gives the bearer token; asked again when the server no longer takes the last one.
    timeout_s
        Seconds that a connection, a write or a read may take.
    attempts
        How often a request is sent at most.
    wait
        Waits for so many seconds.
    transport
        How requests travel; httpx's own where absent.
    """

    def __init__(
        self,
        base: str,
        token: Callable[[], str] | None = None,
        timeout_s: float = 30.0,
        attempts: int = 6,
        wait: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.base = base.rstrip("/")
        self.attempts = attempts
        self._token = token
        self._wait = wait
        self._http = httpx.Client(timeout=timeout_s, follow_redirects=False, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._http.close()

    def request(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request that may be repeated, until the server answers for good.

        Raises
        ------
        OutputError
            E541: no answer after every attempt; E542: the server does not accept the token.
        """
        for attempt in range(self.attempts):
            answer = self.once(method, path, body, headers, params)
            if not answer.is_transient:
                return answer
            self.pause(attempt, answer)
        if answer.status == 500:  # of this resource, perhaps: the others may go in
            return answer
        raise self.unreachable(answer)

    def once(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request once; a broken connection is an answer with status 0."""
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        for is_second in (False, True):
            sent = {"Accept": "application/fhir+json", **(headers or {})}
            if content is not None:
                sent |= {"Content-Type": "application/fhir+json", "Prefer": "return=minimal"}
            if self._token is not None:
                sent["Authorization"] = f"Bearer {self._token()}"
            try:
                response = self._http.request(
                    method, f"{self.base}/{path}", content=content, headers=sent, params=params
                )
            except httpx.TransportError:
                return Answer(0)
            if response.status_code != 401:
                return _answer(response)
            if is_second or self._token is None:
                break
        raise OutputError(
            "E542",
            "the server refuses the access token (401); get a new one, put it into the file "
            "given with --token-file and run the command again: it goes on where it stopped.",
        )

    def pause(self, attempt: int, answer: Answer) -> None:
        """Wait before the next attempt, as long as the server asks; not after the last one."""
        if attempt + 1 < self.attempts:
            backoff = _FIRST_WAIT * 2**attempt * (0.5 + random.random())
            asked = answer.retry_after
            self._wait(min(_LONGEST_WAIT, backoff if asked is None else asked))

    def unreachable(self, answer: Answer) -> OutputError:
        """Return the error that no attempt brought an answer."""
        what = f"answers {answer.status}" if answer.status else "does not answer"
        return OutputError(
            "E541",
            f"the FHIR server {what} after {self.attempts} attempts; see that it is up and "
            "reached from here, then run the command again: it goes on where it stopped.",
        )


def _answer(response: httpx.Response) -> Answer:
    try:
        parsed = response.json() if response.content else {}
    except ValueError:
        parsed = {}
    body: Json = parsed if isinstance(parsed, dict) else {}
    etag = response.headers.get("ETag", "").removeprefix("W/").strip('"')
    stated = (body.get("meta") or {}).get("versionId", "")
    return Answer(
        response.status_code,
        body,
        str(etag or stated),
        response.headers.get("Location", ""),
        _seconds(response.headers.get("Retry-After")),
    )


def _seconds(retry_after: str | None) -> float | None:
    if not retry_after:
        return None
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    now = datetime.now(UTC)
    return max(0.0, (moment.astimezone(UTC) - now).total_seconds())
