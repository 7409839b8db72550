"""Airflow 3: one night. Copy to the DAGs folder of a worker that has clinical-nlp installed."""

from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG(
    "clinical_nlp_night",
    schedule="30 2 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,  # an export holds today's record, not that of the days missed
    max_active_runs=1,  # two runs into one folder exclude each other (E502)
) as dag:
    BashOperator(
        task_id="night",
        # The space keeps Airflow from taking the name of a script for a template.
        bash_command="/opt/clinical-nlp/docs/deploy/night.sh ",
        env={
            "PATH": "/opt/clinical-nlp/.venv/bin:/usr/bin:/bin",
            "EXPORT": "/srv/fhir-export",
            "OUT": "/var/lib/clinical-nlp/out",
            "STATE": "/var/lib/clinical-nlp/state",
            "ACCEPT_QUARANTINE": "1",
        },
        cwd="/var/lib/clinical-nlp",
        retries=0,  # an exit code is for a person: see the runbook
        execution_timeout=timedelta(hours=12),
    )
