"""How claims are proved: each method a set of hypotheses, with the theorem that says what follows when they pass."""
