"""The learned reader: assertion of findings, and findings that no rule knows."""
