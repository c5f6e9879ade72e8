"""The command ``kidneyseg`` and its exit codes.

Exit codes: 0 done; 1 unexpected error; 2 wrong use of the command line; 3 the input cannot be used; 4 a model bundle
cannot be used; 5 memory, disk or device do not suffice; 6 the result could not be written; 7 a DICOM server is away or
refuses; 8 done in part (studies that failed, storage commitment that was refused); 130 stopped by the user (Ctrl-C, or
the reader of the progress ended); 143 stopped by SIGTERM.
"""

import errno
import os
import signal
import sys
from types import FrameType

import typer

from KidneySegLib import __version__
from KidneySegLib.commands.crossvalidate import crossvalidate
from KidneySegLib.commands.data import app as data
from KidneySegLib.commands.deidentify import deidentify
from KidneySegLib.commands.dicom import dicom
from KidneySegLib.commands.evaluate import evaluate
from KidneySegLib.commands.export import export
from KidneySegLib.commands.measure import measure
from KidneySegLib.commands.models import app as models
from KidneySegLib.commands.plan import plan
from KidneySegLib.commands.pull import pull
from KidneySegLib.commands.push import push
from KidneySegLib.commands.refine import refine
from KidneySegLib.commands.remeasure import remeasure
from KidneySegLib.commands.report import report
from KidneySegLib.commands.sample import sample
from KidneySegLib.commands.segment import segment
from KidneySegLib.commands.serve import serve
from KidneySegLib.commands.train import train
from KidneySegLib.commands.watch import watch
from KidneySegLib.errors import Cancelled, InputError, KidneySegError
from KidneySegLib.languages.language import N_, Language

SIGTERM_EXIT = 143

app = typer.Typer(
    name="kidneyseg",
    help="Kidneys from CT: segments, measures and reports. Research use, not a medical device.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
# what the extra "train" installs
_TRAINING_PACKAGES = {"matplotlib", "monai"}
COMMANDS = (
    segment,
    measure,
    refine,
    report,
    dicom,
    pull,
    push,
    watch,
    serve,
    sample,
    deidentify,
    plan,
    train,
    crossvalidate,
    export,
    evaluate,
)
for command in COMMANDS:
    app.command()(command)
# commands that have commands of their own
GROUPS = (models, data)
for group in GROUPS:
    app.add_typer(group)
# for programs, not for people
app.command(hidden=True)(remeasure)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Kidneys from CT: segments, measures and reports. Research use, not a medical device."""


def _stop(number: int, frame: FrameType | None) -> None:
    """Turns Ctrl-C and SIGTERM into an orderly end."""
    # A second signal must not interrupt the clean-up of the first.
    signal.signal(number, signal.SIG_IGN)
    stopped = Cancelled(N_("Stopped. Nothing half-written is left."))
    stopped.exit_code = SIGTERM_EXIT if number == signal.SIGTERM else Cancelled.exit_code
    raise stopped


def main() -> None:
    """Runs the command line and ends the process with a documented exit code."""
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    try:
        app()
    except KidneySegError as error:
        print(f"kidneyseg: {error.said(Language.of_environment())}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except Cancelled as error:
        _say(str(error))
        raise SystemExit(error.exit_code) from None
    except MemoryError:
        _say(N_("There is not enough memory for this image. Close other programs or use a machine with more memory."))
        raise SystemExit(5) from None
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and str(error.name).split(".")[0] in _TRAINING_PACKAGES:
            _say("Training and evaluation need more packages. In the checkout: pip install -e '.[train]'")
            raise SystemExit(2) from None
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            _say(N_("A name or path is longer than this computer allows. Choose a shorter one."))
            raise SystemExit(InputError.exit_code) from None
        # The developer's traceback stays available; a user gets a sentence.
        if os.environ.get("KIDNEYSEG_DEBUG"):
            raise
        _say(
            N_(
                "An unexpected error ended the run ({error}). Set KIDNEYSEG_DEBUG=1, run it again and report what is "
                "printed, without patient data."
            ),
            error=type(error).__name__,
        )
        raise SystemExit(1) from None


def _say(sentence: str, **values: str) -> None:
    print(f"kidneyseg: {Language.of_environment().filled(sentence, values)}", file=sys.stderr)
