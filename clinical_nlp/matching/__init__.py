"""Pattern syntax, automaton, spelling and morphology: how terms, gates and cues find words."""
