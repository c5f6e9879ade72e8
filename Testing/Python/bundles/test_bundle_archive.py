"""Packing and installing bundles: a sound one arrives whole, and nothing else arrives at all."""

import stat
import zipfile
from pathlib import Path

import pytest
from bundle_cases import made_bundle
from typer.testing import CliRunner

from KidneySegLib.bundles import archive
from KidneySegLib.bundles.archive import checksum_of, install, pack
from KidneySegLib.bundles.bundle import read_bundle, write_bundle
from KidneySegLib.bundles.plan import NetworkPlan, StagePlan
from KidneySegLib.commands.app import app
from KidneySegLib.errors import BundleError, InputError, OutputError
from KidneySegLib.networks.factory import build_network, parameters

STAGES = tuple(
    StagePlan(name, NetworkPlan("unet3d", (4, 8), ("kidney",)), (4.0,) * 3, (-160.0, 340.0), (16, 16, 16))
    for name in ("locator", "kidney")
)


@pytest.fixture(scope="module")
def packed(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "tiny"
    weights = {stage.name: parameters(build_network(stage.network)) for stage in STAGES}
    bundle = write_bundle(made_bundle(folder, *STAGES), weights)
    (folder / "card.md").write_text("# tiny")
    return pack(bundle, folder.parent / "files")


def rewritten(packed: Path, target: Path, change) -> Path:
    """Writes the archive anew; ``change`` takes and gives (entry, content), or None to leave it out."""
    with zipfile.ZipFile(packed) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for entry in source.infolist():
            changed = change(entry, source.read(entry))
            if changed is not None:
                file.writestr(*changed)
    return target


def test_a_bundle_travels_whole_and_the_same_one_gives_the_same_file(packed, tmp_path):
    bundle = install(packed, tmp_path / "models", sha256=checksum_of(packed).upper())
    assert bundle.folder == tmp_path / "models" / "tiny" and bundle.card == "# tiny"
    bundle.verify()
    assert sorted(p.name for p in (tmp_path / "models").iterdir()) == ["tiny"]
    assert pack(bundle, tmp_path).read_bytes() == packed.read_bytes()
    with pytest.raises(BundleError, match="already installed"):
        install(packed, tmp_path / "models")
    assert install(packed, tmp_path / "models", replace=True).version == "0.1"
    assert sorted(p.name for p in (tmp_path / "models").iterdir()) == ["tiny"]


def test_another_file_than_the_signed_one_is_refused(packed, tmp_path):
    with pytest.raises(BundleError, match="SHA-256 differs"):
        install(packed, tmp_path, sha256="0" * 64)
    damaged = rewritten(packed, tmp_path / "x.zip", lambda e, c: (e, c + b" " if e.filename == "card.md" else c))
    with pytest.raises(BundleError, match="checksums"):
        install(damaged, tmp_path / "models")
    assert not list((tmp_path / "models").iterdir())


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "sub/card.md", "..\\evil", "C:\\evil", "card.md/", "extra"])
def test_nothing_but_the_parts_of_a_bundle_is_unpacked(packed, tmp_path, name):
    hostile = rewritten(packed, tmp_path / "x.zip", lambda e, c: (name if e.filename == "card.md" else e, c))
    with pytest.raises(BundleError, match="not a packed bundle"):
        install(hostile, tmp_path / "models")
    assert not list((tmp_path / "models").iterdir()) and not (tmp_path / "evil").exists()


def test_links_are_refused(packed, tmp_path):
    def link(entry, content):
        if entry.filename != "card.md":
            return entry, content
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        return entry, b"/etc/passwd"

    with pytest.raises(BundleError, match="a link"):
        install(rewritten(packed, tmp_path / "x.zip", link), tmp_path / "models")


def test_bombs_and_doubles_are_refused(packed, tmp_path, monkeypatch):
    monkeypatch.setitem(archive._MOST_BYTES, "card.md", 1 << 20)
    bomb = rewritten(packed, tmp_path / "x.zip", lambda e, c: (e, bytes(1 << 25) if e.filename == "card.md" else c))
    assert bomb.stat().st_size < 1 << 20
    with pytest.raises(BundleError, match="larger than any"):
        install(bomb, tmp_path / "models")
    with zipfile.ZipFile(bomb, "a") as file, pytest.warns(UserWarning):
        file.writestr("card.md", "again")
    with pytest.raises(BundleError, match="not a packed bundle"):
        install(bomb, tmp_path / "models")


def test_what_is_no_archive_is_told(packed, tmp_path):
    (tmp_path / "x.zip").write_bytes(packed.read_bytes()[:-40])
    with pytest.raises(BundleError, match="damaged"):
        install(tmp_path / "x.zip", tmp_path / "models")
    with pytest.raises(BundleError, match="does not exist"):
        install(tmp_path / "nothing.zip", tmp_path / "models")
    (tmp_path / "own" / "tiny").mkdir(parents=True)
    with pytest.raises(OutputError, match="is not a bundle"):
        install(packed, tmp_path / "own", replace=True)


def test_the_commands(packed, tmp_path, monkeypatch):
    def call(*arguments):
        return CliRunner().invoke(app, ["models", *map(str, arguments)], catch_exceptions=False)

    monkeypatch.setenv("KIDNEYSEG_MODELS", str(tmp_path / "models"))
    assert "Installed tiny 0.1" in call("install", packed, "--sha256", checksum_of(packed)).output
    assert "tiny: ct, version 0.1" in call().output and call("--card", "tiny").output == "# tiny\n"
    assert checksum_of(packed) in call("pack", "tiny", "-o", tmp_path).output
    assert read_bundle(tmp_path / "models" / "tiny").name == "tiny"
    monkeypatch.delenv("KIDNEYSEG_MODELS")
    with pytest.raises(InputError, match="--to"):
        call("install", packed)
