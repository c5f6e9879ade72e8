"""The report: one or two pages for whoever asked for the exam, as PDF and as HTML."""

from dataclasses import replace
from pathlib import Path

from KidneySegLib.errors import InputError
from KidneySegLib.findings import Findings
from KidneySegLib.flags import Severity
from KidneySegLib.follow_up.comparison import Prior, compare
from KidneySegLib.languages.language import N_, Language
from KidneySegLib.publishing import complaints, partial_folder
from KidneySegLib.readers.dicom.finding.patient import Patient
from KidneySegLib.reporting.content.changes import change_table
from KidneySegLib.reporting.content.content import Remark, Report
from KidneySegLib.reporting.content.facts import facts, made_by, summary
from KidneySegLib.reporting.content.patient import patient_line, printable
from KidneySegLib.reporting.content.tables import findings_tables
from KidneySegLib.reporting.key_images import colours, key_images
from KidneySegLib.reporting.pdf.document import pdf
from KidneySegLib.reporting.pdf.style import lacking_letters
from KidneySegLib.resources import rendered
from KidneySegLib.result_files.folder import check_folder, put_in_place
from KidneySegLib.result_files.marks import MARK, result_identity
from KidneySegLib.result_files.names import REPORT_FILES
from KidneySegLib.result_files.result import Result

FILES = REPORT_FILES
SEVERITIES = {Severity.ERROR: N_("Error"), Severity.WARNING: N_("Check"), Severity.INFO: N_("Note")}
# What a table and the remarks may hold so that all text fits on two pages and leaves room for pictures.
MOST_ROWS, MOST_ROWS_WITH_PRIOR, MOST_REMARKS, MOST_REMARKS_WITH_PATIENT = 12, 8, 9, 8
LONGEST_HEADER, LONGEST_REMARK = 90, 400


def write_report(
    folder: Path,
    result: Result,
    *,
    language: str = "en",
    prior: Prior | None = None,
    header: str | None = None,
    patient: Patient | None = None,
) -> list[Path]:
    """Writes ``report.pdf`` and ``report.html`` into a folder, both or none.

    The same input gives the same files, byte by byte.

    Args:
        folder: where to; made if it does not exist. An earlier report is replaced, and what was made of another result
            goes; files of others stay.
        result: what is reported, with its image.
        language: ``en``, ``es`` or ``tr``.
        prior: an earlier result of the patient to compare with.
        header: the institution's line.
        patient: who it is, for a report that is meant to identify the patient; None for a de-identified one. A name
            whose letters the PDF's font lacks stands in the HTML file alone; the PDF says so.

    Returns:
        The files, in the order of ``FILES``.

    Raises:
        InputError: the result has no image, the language is not known, the prior result cannot be compared, or the
            header is too long or has letters that the report's font lacks.
        OutputError: the files cannot be written, would lie beside another result, or would replace such as KidneySeg
            did not write.
    """
    findings = result.findings
    speaking = Language.of(language)
    report = report_of(result, speaking, prior=prior, header=header, patient=patient)
    printed = report if patient is None else _printed(report, findings, speaking, patient)
    contents = dict(zip(FILES, (pdf(printed), rendered("report.html.jinja", report=report).encode()), strict=True))
    folder = folder.absolute()
    identity = result_identity(findings)
    check_folder(folder, FILES, identity)
    with complaints(), partial_folder(folder) as hidden:
        for name, content in contents.items():
            (hidden / name).write_bytes(content)
        put_in_place(hidden, folder, FILES, identity)
    return [folder / name for name in FILES]


def report_of(
    result: Result,
    language: Language,
    *,
    prior: Prior | None = None,
    header: str | None = None,
    patient: Patient | None = None,
) -> Report:
    """Returns what the report says; arguments as for ``write_report``."""
    _ = language.text
    findings, volume, labels = result.findings, result.image.volume, result.segmentation.labels
    rows = MOST_ROWS if prior is None else MOST_ROWS_WITH_PRIOR
    tables = findings_tables(findings, language, rows)
    if prior is not None:
        tables.append(change_table(compare(result.segmentation.label_map, findings, prior), language, rows))
    return Report(
        language=language.code,
        title=_("Kidneys on ultrasound: report") if findings.modality == "US" else _("Kidneys on CT: report"),
        header=_checked(header or ""),
        disclaimer=_("Research use, not a medical device"),
        patient="" if patient is None else patient_line(patient, language),
        facts=tuple(facts(findings, language, patient)),
        summary_title=_("Summary"),
        summary=tuple(summary(findings, language)),
        tables=tuple(tables),
        remarks_title=_("Remarks"),
        remarks=tuple(_remarks(findings, language, MOST_REMARKS if patient is None else MOST_REMARKS_WITH_PATIENT)),
        legend=tuple((_(name), colour) for name, colour in colours(labels)),
        pictures_title=_("Key images"),
        pictures=key_images(volume, labels, findings, language),
        findings=len(findings.lesions) + len(findings.stones),
        not_shown=lambda count: language.plural(
            "{n} lesion or stone is not shown close up.", "{n} lesions or stones are not shown close up.", count
        ),
        page=_("Page {page} of {pages}"),
        made_by=made_by(findings.provenance),
        mark=f"{MARK}{result_identity(findings)}",
    )


def _checked(header: str) -> str:
    header = " ".join(header.split())
    if len(header) > LONGEST_HEADER:
        raise InputError(
            "The header has {count} characters; the report has room for {most}.", count=len(header), most=LONGEST_HEADER
        )
    lacking = lacking_letters(header)
    if lacking:
        raise InputError("The report's font lacks {letters}. Write the header in Latin letters.", letters=lacking)
    return header


def _printed(report: Report, findings: Findings, language: Language, patient: Patient) -> Report:
    """Returns the report as its PDF says it: a patient must not go without a report for the letters of a name."""
    known = printable(patient, language)
    return replace(report, patient=patient_line(known, language), facts=tuple(facts(findings, language, known)))


def _remarks(findings: Findings, language: Language, most: int) -> list[Remark]:
    """Returns at most so many flags, the most severe first, and how many more there are."""
    order = list(SEVERITIES)
    flags = sorted(findings.flags, key=lambda flag: order.index(flag.severity))
    remarks = [
        Remark(flag.severity.value, language.text(SEVERITIES[flag.severity]), _shortened(flag.said(language)))
        for flag in flags[:most]
    ]
    left_out = len(flags) - len(remarks)
    if left_out:
        sentence = language.plural(
            "{n} further remark is in findings.json.", "{n} further remarks are in findings.json.", left_out
        )
        remarks.append(Remark(Severity.INFO.value, language.text(SEVERITIES[Severity.INFO]), sentence))
    return remarks


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_REMARK else text[: LONGEST_REMARK - 1].rstrip() + "…"
