"""A whole folder: every file goes through the cleaner, is rewritten, or is left out and counted."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from KidneySegLib.deidentification.captures import may_show_text
from KidneySegLib.deidentification.dataset import Cleaner, Options
from KidneySegLib.deidentification.instance import FileLeftOut, read_instance, write_clean
from KidneySegLib.deidentification.patients import Patients
from KidneySegLib.deidentification.pseudonyms import Pseudonyms
from KidneySegLib.deidentification.result_files import write_clean_image, write_clean_result
from KidneySegLib.errors import InputError, OutputError
from KidneySegLib.findings import Findings
from KidneySegLib.publishing import complaints, partial_folder
from KidneySegLib.readers.dicom.finding.scan import files_below, is_dicom_file, quiet_pydicom
from KidneySegLib.result_files.names import RESULT_FILES
from KidneySegLib.volume import is_image_file

_FIRST_PASS = 0.2  # of the progress


@dataclass
class Summary:
    """What a run did.

    Attributes:
        files: how many files were written.
        patients: how many patients the DICOM files are of.
        left_out: how many files were left out, by reason.
        may_show_text: how many images were kept although text may be burned into their pixels.
    """

    files: int = 0
    patients: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    may_show_text: int = 0


def deidentify(
    source: Path,
    output: Path,
    secret: bytes,
    options: Options = Options(),  # noqa: B008  (frozen)
    progress: Callable[[float], None] | None = None,
) -> Summary:
    """Writes copies that name nobody, as a whole or not at all.

    DICOM files come out as ``PATIENT/study-…/series-…/….dcm``, result folders as ``PATIENT/result-…``, image files as
    ``images/image-….nii.gz``; all names are pseudonyms. What cannot be cleaned is left out and counted.

    Args:
        source: a folder with everything below it, or one file.
        output: the new folder.
        secret: from ``key``; the same secret gives the same pseudonyms.
        options: what is kept beyond the basic profile.
        progress: called with the share done, 0 to 1; an exception that it raises stops the run and leaves nothing.

    Raises:
        InputError: the source does not exist, or nothing in it could be de-identified.
        OutputError: the output exists already, lies in the source, or cannot be written.
        ResourceError: the package that carries the profile is not installed.
    """
    if not source.exists():
        raise InputError("The file or folder does not exist. Check the path.")
    if source.resolve() == output.resolve() or source.resolve() in output.resolve().parents:
        raise OutputError("The output folder lies in the input. Choose a folder elsewhere.")
    if output.exists():
        raise OutputError("The output folder already exists. Choose another name.")
    files, locked = files_below(source) if source.is_dir() else ([source], 0)
    run = _Run(Pseudonyms(secret), options)
    if locked:
        run.summary.left_out["folders that cannot be opened"] = locked
    with complaints(), quiet_pydicom(), partial_folder(output.absolute()) as partial:
        run.write(files, partial, progress or (lambda share: None))
        if not run.summary.files:
            raise InputError(f"Nothing could be de-identified. {left_out_sentence(run.summary)}".strip())
        partial.rename(output)
    return run.summary


def left_out_sentence(summary: Summary) -> str:
    """Returns what was left out and why, "" if nothing was."""
    if not summary.left_out:
        return ""
    return f"Left out: {', '.join(f'{count} × {reason}' for reason, count in sorted(summary.left_out.items()))}."


class _Run:
    """One run over many files."""

    def __init__(self, pseudonyms: Pseudonyms, options: Options) -> None:
        self._pseudonyms = pseudonyms
        self._options = options
        self._cleaner = Cleaner(pseudonyms, options)
        self._patients = Patients()
        self.summary = Summary()

    def write(self, files: list[Path], target: Path, progress: Callable[[float], None]) -> None:
        """Reads all headers first, so that a name in one file is found in all files of the patient; then copies."""
        dicom = set()
        for number, file in enumerate(files):
            if is_dicom_file(file):
                dicom.add(file)
                self._learn(file)
            progress(_FIRST_PASS * (number + 1) / len(files))
        self.summary.patients = len(self._patients)
        results = {file.parent for file in files if file.name == "findings.json"}
        for number, file in enumerate(files):
            try:
                self._write_file(file, target, is_dicom=file in dicom, is_result=file.parent in results)
            except FileLeftOut as reason:
                self.summary.left_out[str(reason)] += 1
            progress(_FIRST_PASS + (1 - _FIRST_PASS) * (number + 1) / len(files))

    def _learn(self, file: Path) -> None:
        try:
            dataset = read_instance(file, pixels=False)
        except FileLeftOut:
            return
        self._patients.learn(dataset)

    def _write_file(self, file: Path, target: Path, *, is_dicom: bool, is_result: bool) -> None:
        if is_dicom:
            self._write_instance(file, target)
        elif is_result and file.name == "findings.json":
            self._write_result(file.parent, target)
        elif is_result and file.name in RESULT_FILES:
            return  # written with its findings
        elif is_image_file(file):
            self._write_image(file, target)
        else:
            raise FileLeftOut("files of other kinds")

    def _write_instance(self, file: Path, target: Path) -> None:
        dataset = read_instance(file, pixels=True)
        if may_show_text(dataset, odd_one_out=self._patients.is_odd_one_out(dataset)):
            if not self._options.keep_captures:
                raise FileLeftOut("images that may have text burned into their pixels")
            self.summary.may_show_text += 1
        patient = self._patients.patient_of(dataset)
        short = self._pseudonyms.short
        study, series = (str(dataset.get(key, "")) for key in ("StudyInstanceUID", "SeriesInstanceUID"))
        folder = target / self._pseudonyms.patient(patient) / f"study-{short('study', study)}"
        folder /= f"series-{short('series', series)}"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{short('instance', str(dataset.SOPInstanceUID))}.dcm"
        if path.exists():
            raise FileLeftOut("copies of an image that is there already")
        write_clean(dataset, path, self._cleaner, patient, self._patients.identity(patient))
        self.summary.files += 1

    def _write_result(self, folder: Path, target: Path) -> None:
        try:
            findings = Findings.read(folder / "findings.json")
        except InputError as error:
            raise FileLeftOut("results that are damaged or of another version") from error
        try:
            series = str(findings.provenance.input.source.get("series_uid", ""))
            known = self._patients.of_series(series)
            patient = known or f"result of {series}"
            identity = self._patients.identity(known) if known else None
            name = f"result-{self._pseudonyms.short('result', series + findings.provenance.started_utc)}"
            place = target / self._pseudonyms.patient(patient) / name
            self.summary.files += write_clean_result(folder, place, findings, self._pseudonyms, identity)
        except InputError as error:
            raise FileLeftOut("results that are damaged or of another version") from error

    def _write_image(self, file: Path, target: Path) -> None:
        try:
            write_clean_image(file, target / "images", self._pseudonyms)
        except InputError as error:
            raise FileLeftOut("image files that cannot be read as a 3D image") from error
        self.summary.files += 1
