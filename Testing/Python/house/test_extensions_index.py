"""The entry for Slicer's Extensions Index says what the extension says of itself."""

import json
import re

from conftest import ROOT

ENTRY = json.loads((ROOT / "Resources" / "ExtensionsIndex" / "KidneySeg.json").read_text(encoding="utf-8"))
CMAKE = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")


def variable(name: str) -> str:
    found = re.search(rf'set\({name} "([^"]*)"\)', CMAKE)
    assert found, name
    return (
        found[1].replace("${EXTENSION_REPOSITORY}", variable("EXTENSION_REPOSITORY")) if "{" in found[1] else found[1]
    )


def test_entry_and_extension_agree():
    assert ENTRY["scm_url"] == variable("EXTENSION_REPOSITORY") + ".git"
    assert ENTRY["category"] == variable("EXTENSION_CATEGORY")
    assert re.search(r'set\(EXTENSION_DEPENDS "PyTorch"\)', CMAKE) and ENTRY["build_dependencies"] == ["PyTorch"]
    assert ENTRY["tier"] in (1, 3, 5)
    # the schema allows these and no others
    assert ENTRY.keys() <= {
        *("$schema", "build_dependencies", "build_subdirectory", "category", "enabled"),
        *("scm_revision", "scm_type", "scm_url", "tier"),
    }


def test_the_description_names_the_licence_of_every_bundle():
    description = variable("EXTENSION_DESCRIPTION")
    for manifest in (ROOT / "Resources" / "Models").glob("*/bundle.json"):
        assert json.loads(manifest.read_text(encoding="utf-8"))["licence"] in description, manifest.parent.name
    assert "Apache-2.0" in description and "not a medical device" in description


def test_pictures_of_the_extension_are_in_the_checkout():
    base = variable("EXTENSION_REPOSITORY") + "/raw/main/"
    for address in [variable("EXTENSION_ICONURL"), *variable("EXTENSION_SCREENSHOTURLS").split()]:
        assert (ROOT / address.removeprefix(base)).is_file(), address
