"""Clicks for the clients of nnInteractive: a server that speaks their protocol and answers on any processor.

The protocol is that of nnInteractive 2 (package ``nninteractive-client``): HTTP, one lease per client, arrays packed by
Blosc2 in a frame of their own, answers that hold only the box that changed. A client has one image and one object at a
time; its clicks and scribbles are answered by ``segmentation.interactive``.
"""
