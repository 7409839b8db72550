"""One-off measurements, run by hand; not part of the wheel."""
