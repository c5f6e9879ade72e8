"""Correction by clicks: a reader points at what is missing or too much, and the outline follows.

Classical and without weights, so it answers at once on any computer: a random walker with prior probabilities
(``random_walker``) in a ball around the click (``reach``, ``neighbourhood``), with priors from the tissue on both sides
and the distance to the click (``prior``). ``territory`` says what a click may touch, ``session`` keeps the clicks.
"""
