"""CLAIM, the checklist for studies of AI in medical imaging (Tejani et al., 2024), as far as a machine knows.

What only people know is left open. The words are ours, in the order of the checklist's sections, without its numbers.
"""

from dataclasses import dataclass

from KidneySegLib import __version__
from KidneySegLib.evaluation.tables import Cell, ScoreTable

OPEN = "to be filled in by the authors"


@dataclass(frozen=True)
class Study:
    """What a machine knows of an evaluation.

    Attributes:
        task: by name.
        model: name, version and checksum of the bundle, or where else the outlines came from.
        cases: number of cases with a reference.
        patients: number of patients.
        device: what the networks ran on; empty where nothing was run.
    """

    task: str
    model: str
    cases: int
    patients: int
    device: str


def claim_table(study: Study) -> ScoreTable:
    """Returns the checklist, each item filled or open."""
    rows: list[tuple[Cell, ...]] = [
        ("title and abstract", "AI methodology; structured summary", OPEN),
        ("introduction", "background, intended use, aims, hypotheses", OPEN),
        ("study design", "prospective or retrospective; goal", OPEN),
        ("data", "sources, criteria, acquisition, de-identification, missing data", OPEN),
        ("data", "pre-processing", "all of it stands in the plan of the bundle"),
        ("reference standard", "definition", "label maps that were given with the exams"),
        ("reference standard", "rationale, readers and their qualification", OPEN),
        ("reference standard", "variability of readers", "surface Dice within the distance of KiTS23's readers"),
        ("partitions", "how data were divided", "the recipe lists training and validation exams"),
        ("partitions", "test data", f"{study.cases} cases of {study.patients} patients"),
        ("partitions", "size of the sample, its rationale", OPEN),
        ("model", "description", study.model),
        ("model", "software", f"KidneySeg {__version__}, task '{study.task}'"),
        ("model", "initial parameters", "'start' and 'seed' of the recipe"),
        ("training", "approach and hyperparameters", "loss, optimiser, schedule, augmentation of the recipe"),
        ("training", "choice of the final model", "'validation' of the recipe; the card says best or last weights"),
        ("training", "ensembling", "'ensemble' of the plan in the bundle"),
        ("evaluation", "metrics", "defined above each table of this page"),
        ("evaluation", "statistics", "95 % intervals by bootstrap over patients, 2,000 draws, seed 0"),
        ("evaluation", "robustness", "by structure and by size of lesions: tables of this page"),
        ("evaluation", "explainability", "pictures of the worst cases"),
        ("evaluation", "external data", OPEN),
        ("results", "flow, demographic and clinical characteristics", OPEN),
        ("results", "performance", "table 'Agreement'"),
        ("results", "failure analysis", "missed and false lesions, worst cases"),
        ("discussion", "limitations, implications for practice", OPEN),
        ("other", "registration, protocol, funding", OPEN),
        ("other", "hardware", study.device or OPEN),
        ("other", "access to software, model and data", "Apache-2.0; the card has the licence of the weights"),
    ]
    note = "Filled as far as a machine knows, in our words. Check it against the checklist itself before you submit it."
    return ScoreTable("claim", "CLAIM", note, ("section", "about", "what"), rows)
