"""How good the reading is: the measures, their intervals, and the errors to learn from."""
