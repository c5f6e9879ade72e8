"""What an input is, as far as names and headers tell: by it tasks say whether it is theirs."""

from functools import cached_property
from pathlib import Path

import numpy as np

from KidneySegLib.errors import InputError
from KidneySegLib.itk_names import itk_name
from KidneySegLib.readers.dicom.finding.scan import scan
from KidneySegLib.readers.dicom.images.frames import FrameHeader
from KidneySegLib.readers.pictures import is_picture
from KidneySegLib.readers.ultrasound.modality import modality_of
from KidneySegLib.volume import is_image_file, prepare_itk


class InputProbe:
    """An input that is looked at; headers are read only if somebody asks for what they say.

    Attributes:
        path: what the user points at.
        kind: ``picture``, ``image`` (a research image file), or ``dicom`` for all else.
    """

    def __init__(self, path: Path, *, kind: str = "", slices: int | None = None, modality: str = "") -> None:
        """Looks at the name.

        Args:
            path: what the user points at.
            kind: what it is, where that is known already; "" looks.
            slices: how many slices it has, where that is known already.
            modality: in DICOM's words, where that is known already.
        """
        self.path, self._known, self._modality = path, slices, modality
        image = "image" if path.is_file() and is_image_file(path) else "dicom"
        self.kind = kind or ("picture" if is_picture(path) else image)

    @property
    def slices(self) -> int:
        """Images of the DICOM series, slices of an image file towards the head, 1 for a picture; 0 if it is unknown.

        Of a DICOM file all images of its series that lie beside it are counted.
        """
        if self._known is not None:
            return self._known
        if self.kind == "picture":
            return 1
        return _axial_slices(self.path) if self.kind == "image" else len(self._frames)

    @cached_property
    def modalities(self) -> frozenset[str]:
        """Modalities of the DICOM images; see ``modality_of``."""
        if self._modality:
            return frozenset({self._modality})
        return frozenset(modality_of(frame) for frame in self._frames)

    @cached_property
    def _frames(self) -> list[FrameHeader]:
        if self.kind != "dicom":
            return []
        try:
            return [frame for frame in scan(self.path)[0] if frame.rows and frame.columns]
        except InputError:
            return []


def _axial_slices(path: Path) -> int:
    """Returns how many slices an image file has towards the head; 0 if its header cannot be read."""
    import SimpleITK as sitk

    prepare_itk()
    reader = sitk.ImageFileReader()
    reader.SetFileName(itk_name(path))
    try:
        reader.ReadImageInformation()
        towards_head = np.abs(np.array(reader.GetDirection()).reshape(reader.GetDimension(), -1)[2, :3])
    except (RuntimeError, IndexError):
        return 0
    return int(reader.GetSize()[int(towards_head.argmax())])
