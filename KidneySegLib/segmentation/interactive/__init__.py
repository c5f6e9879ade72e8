"""Correction by clicks: a reader points at what is missing or too much, and the outline follows.

Classical and without weights, so it answers at once on any computer. Two ways: a random walker with prior probabilities
(``random_walker``, ``walked``) in a ball around the click (``reach``, ``neighbourhood``), with priors from the tissue
on both sides and the distance to the click; and, for lesions, a body whose border all rays from its centre cross once
(``sphere``, ``body``, ``border``). ``lesion`` chooses between them. ``territory`` says what a click may touch,
``session`` keeps the clicks.
"""
