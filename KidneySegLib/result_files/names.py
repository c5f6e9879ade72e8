"""The files that a result folder may hold: the only list of their names."""

FINDINGS, LABELS, INSTANCES = "findings.json", "labels.nii.gz", "instances.nii.gz"
# masses and cysts below the operating point: they lie apart from what is found
CANDIDATES, CANDIDATE_TABLE = "candidates.nii.gz", "candidates.csv"
# findings.json comes last: where it lies, the result is complete.
RESULT_FILES = (
    LABELS,
    INSTANCES,
    CANDIDATES,
    "segmentation.seg.nrrd",
    "measurements.csv",
    CANDIDATE_TABLE,
    "overview.png",
    FINDINGS,
)
# The PDF comes first: it is the one that another program may hold open, and then neither file is touched.
REPORT_FILES = ("report.pdf", "report.html")
DICOM_FILES = ("segmentation.seg.dcm", "measurements.sr.dcm", "viewer_diameters.sr.dcm", "report.pdf.dcm")
