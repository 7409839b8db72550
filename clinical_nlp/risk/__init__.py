"""From a patient's timeline to a risk estimate with its reasons."""
