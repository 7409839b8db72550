"""The simulator held to published figures."""
