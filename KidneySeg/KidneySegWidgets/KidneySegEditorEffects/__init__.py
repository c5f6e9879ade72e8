"""Effects of Segment Editor. Slicer loads their files itself, under the name of this folder."""
