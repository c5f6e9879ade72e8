"""A stand-in of the Slicer application around the real slicer-core, for tests without Slicer.

MRML, segmentations, tables, files and pictures are Slicer's own C++ (the wheel `slicer-core`); `slicer.util` is
Slicer's own Python. What Slicer builds with Qt in C++ (application, module manager, widgets, PythonQt) is stood in for
here, as small as the tests of a scripted module need it, and as strict as Slicer is.

    from SlicerHost import availability     # whether it can run here, in words
    from SlicerHost.host import start       # boots once a process; `start().loadModule(path)` loads a scripted module
"""
