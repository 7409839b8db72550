"""The nightly job: export in, findings and risk out, nothing lost on the way."""
