#!/usr/bin/env bash
# One night: read the export, write the results back, say how it went. All recipes run this.
#
# EXPORT   folder of the FHIR export                      OUT      folder of the results
# Optional:
# STATE    folder kept from night to night (--state)      PROCESSES  processes that read notes
# SERVER   base URL of the FHIR server to write back to   TOKEN_FILE file with its token
# LEDGER   the server's ledger; needed with SERVER        METRICS  Prometheus text file to write
# ACCEPT_QUARANTINE=1  exit 0, not 3, where something is in quarantine (for schedulers that
#                      know success and failure only)
set -uo pipefail
: "${EXPORT:?is not set: name the folder of the FHIR export}"
: "${OUT:?is not set: name the folder for the results}"
[ -z "${SERVER:-}" ] || : "${LEDGER:?is not set: name a file that is kept from night to night}"

# SIGTERM goes on to the command under way: as a container's first process bash would ignore it.
child= stopped=
trap 'stopped=1; [ -z "$child" ] || kill -TERM "$child" 2> /dev/null' TERM
run() {
  local ended
  [ -z "$stopped" ] || return 143
  "$@" &
  child=$!
  wait "$child"
  ended=$?
  while kill -0 "$child" 2> /dev/null; do # the trap has ended the first wait
    wait "$child"
    ended=$?
  done
  child=
  return "$ended"
}

run clinical-nlp batch "$EXPORT" --out "$OUT" --quiet --processes "${PROCESSES:-1}" \
  ${STATE:+--state "$STATE"}
code=$?

# 0 and 3 are whole results. After 8 a person looks first; after anything else there are no new ones.
if [ -n "${SERVER:-}" ] && { [ "$code" = 0 ] || [ "$code" = 3 ]; }; then
  run clinical-nlp write-back "$OUT" --server "$SERVER" \
    --ledger "$LEDGER" ${TOKEN_FILE:+--token-file "$TOKEN_FILE"}
  sent=$?
  [ "$sent" = 0 ] || code=$sent
fi

if [ -n "${METRICS:-}" ]; then
  # Its exit code is that of the run, which we have.
  run clinical-nlp status "$OUT" --json --metrics "$METRICS" > /dev/null || true
fi

if [ "$code" = 3 ] && [ "${ACCEPT_QUARANTINE:-}" = 1 ]; then code=0; fi
exit "$code"
