"""PythonQt's manners over PySide6: what Slicer's `qt` lets pass and what it refuses.

PySide6's classes are changed in place, so that `type(widget) is qt.QCheckBox` holds for every widget of a `.ui` file.
The change is for the whole process; nothing else in this project uses Qt.
"""
