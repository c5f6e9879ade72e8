"""Pages, screens and scans are left out, whatever their maker calls them; slices of all makers stay.

The cases are what makers write into the headers of such images, and what the scripts of CTP (RSNA) and the recipe of
pydicom's ``deid`` look for. The recipe itself judges at the end, where it is installed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from deidentification_cases import SECRET, write_ct
from pydicom import dcmread

from KidneySegLib.deidentification.captures import may_show_text
from KidneySegLib.deidentification.dataset import Options
from KidneySegLib.deidentification.folder import deidentify
from KidneySegLib.errors import InputError

pytest.importorskip("dicomanonymizer", reason="the extra 'deidentification' is not installed")

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
NO_PLACE = {"ImagePositionPatient": None, "ImageOrientationPatient": None}

# By what is told of them; most have the place of a slice all the same, so that nothing but the named trait tells.
PAGES: dict[str, dict[str, Any]] = {
    "Siemens protocol": {"ImageType": ["DERIVED", "SECONDARY", "OTHER", "CT_SOM5 PROT"]},
    "Siemens protocol, newer": {"ImageType": ["ORIGINAL", "PRIMARY", "CT_SOM7 PROT"]},
    "Siemens protocol in small letters": {"ImageType": ["derived", "secondary", "ct_som5 prot"]},
    "Siemens page of 860 rows": {"ImageType": ["DERIVED", "SECONDARY"], "Manufacturer": "SIEMENS", **NO_PLACE},
    "Philips dose page": {"ImageType": ["ORIGINAL", "PRIMARY", "DOSE_INFO"]},
    "Philips dose page, older": {"ImageType": ["DERIVED", "SECONDARY", "DOSE INFO"]},
    "Philips dose series": {"SeriesDescription": "Dose Info"},
    "GE screen save": {"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]},
    "GE screen save, one word": {"ImageType": ["DERIVED", "SECONDARY", "SCREENSAVE"]},
    "GE screen save that claims to be clean": {
        "ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"],
        "BurnedInAnnotation": "NO",
    },
    "GE dose report": {"SeriesDescription": "Dose Report", "SeriesNumber": 999},
    "GE dose comment": {"CommentsOnRadiationDose": "TOTAL DLP 345.2"},
    "GE workstation": {"SeriesDescription": "AW electronic film"},
    "GE vessel analysis": {"SeriesDescription": "AVA Report"},
    "GE volume rendering": {"ImageType": ["DERIVED", "SECONDARY", "PROCESSED", "VOLREN"]},
    "Canon dose page": {"ImageType": ["DERIVED", "SECONDARY"], "WindowWidth": 1, "Manufacturer": "TOSHIBA"},
    "Canon dose page by its name": {"SeriesDescription": "Dose Record", "Manufacturer": "CANON"},
    "Canon dose summary": {"SeriesDescription": "RADIATION DOSE SUMMARY", "SeriesNumber": 9000},
    "Hitachi, no place": {"ImageType": ["DERIVED", "SECONDARY"], "Manufacturer": "Hitachi", **NO_PLACE},
    "injector": {"SeriesDescription": "MEDRAD injection"},
    "stent planning": {"SeriesDescription": "AAA Report", "Manufacturer": "VITAL Images, Inc"},
    "German dose page": {"SeriesDescription": "Dosisprotokoll"},
    "German patient protocol": {"SeriesDescription": "Patientenprotokoll"},
    "French dose page": {"SeriesDescription": "Rapport de dose"},
    "Spanish dose page": {"SeriesDescription": "Informe de dosis"},
    "Turkish dose page": {"SeriesDescription": "Doz raporu"},
    "patient protocol": {"SeriesDescription": "Patient Protocol"},
    "referral form": {"SeriesDescription": "PACS nomination form"},
    "saved screen": {"SeriesDescription": "Processed Images SAVE"},
    "report data": {"ImageType": ["ORIGINAL", "PRIMARY", "REPORTDATA"]},
    "demographic data": {"ImageType": ["ORIGINAL", "PRIMARY", "DEMOGRAPHICDATA"]},
    "workstation": {"ConversionType": "WSD"},
    "workstation in small letters": {"ConversionType": "wsd "},
    "scanned letter that claims to be clean": {"ConversionType": "SD", "BurnedInAnnotation": "NO"},
    "scanned image": {"ConversionType": "SI"},
    "drawing": {"ConversionType": "DRW"},
    "film": {"ConversionType": "DF"},
    "video": {"ConversionType": "DV"},
    "digital interface": {"ConversionType": "DI"},
    "synthetic": {"ConversionType": "SYN"},
    "captured on some day": {"DateOfSecondaryCapture": "20240301"},
    "captured by some device": {"SecondaryCaptureDeviceManufacturer": "Maker"},
    "secondary capture": {"SOPClassUID": SECONDARY_CAPTURE},
    "secondary capture of several frames": {"SOPClassUID": f"{SECONDARY_CAPTURE}.2", "NumberOfFrames": 1},
    "other modality": {"Modality": "OT"},
    "document modality": {"Modality": "DOC"},
    "ultrasound": {"Modality": "US", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.6.1"},
    "radiograph without a word": {"Modality": "CR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.1"},
    "photograph": {"Modality": "XC", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.77.1.4"},
    "no position": {"ImagePositionPatient": None},
    "no orientation": {"ImageOrientationPatient": None},
    "no spacing": {"PixelSpacing": None},
    "no Hounsfield units": {"RescaleIntercept": None},
    "eight bits": {"BitsStored": 8, "ImageType": ["DERIVED", "SECONDARY"]},
    "palette": {"PhotometricInterpretation": "PALETTE COLOR"},
    "yes": {"BurnedInAnnotation": "YES"},
    "yes with blanks": {"BurnedInAnnotation": " yes "},
    "Yes": {"BurnedInAnnotation": "Yes"},
    "Y": {"BurnedInAnnotation": "Y"},
    "true": {"BurnedInAnnotation": "TRUE"},
    "ja": {"BurnedInAnnotation": "JA"},
    "no and yes": {"BurnedInAnnotation": ["NO", "YES"]},
    "unknown": {"BurnedInAnnotation": "UNKNOWN"},
}
SLICES: dict[str, dict[str, Any]] = {
    "plain": {},
    "clean": {"BurnedInAnnotation": "NO"},
    "clean with blanks": {"BurnedInAnnotation": " no "},
    "reformatted": {"ImageType": ["DERIVED", "SECONDARY", "MPR", "CT_SOM5 MPR"]},
    "Siemens slice": {"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 SPI"]},
    "maximum intensity": {"ImageType": ["DERIVED", "SECONDARY", "MIP"]},
    "localizer": {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]},
    "low dose": {"SeriesDescription": "LOW DOSE ABDOMEN 3mm"},
    "lung screening": {"SeriesDescription": "CT Low Dose Screening Chest"},
    "low dose by its type": {"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL", "LOW_DOSE"]},
    "stone protocol": {"SeriesDescription": "Renal stone protocol"},
    "portal phase after injection": {"SeriesDescription": "70s post injection"},
    "photon counting": {"SeriesDescription": "Photon counting 0.4 Qr60"},
    "care dose": {"SeriesDescription": "Abd CARE Dose4D 5.0 B30f"},
    "PET": {"Modality": "PT", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.128"},
    "MR": {"Modality": "MR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4", "RescaleIntercept": None},
    "radiograph that is clean": {
        **{"Modality": "DX", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1", "BurnedInAnnotation": "NO"},
        **NO_PLACE,
    },
    "secondary capture that is clean": {"SOPClassUID": SECONDARY_CAPTURE, "BurnedInAnnotation": "NO"},
}


@pytest.mark.parametrize("page", PAGES)
def test_pages_are_left_out_with_a_word(tmp_path: Path, page: str) -> None:
    path = write_ct(tmp_path / "in", 1, **PAGES[page])[0]
    assert may_show_text(dcmread(path))
    if page in ("Siemens protocol", "yes with blanks"):  # through the whole way; the others take the same
        with pytest.raises(InputError, match="1 × images that may have text burned into their pixels"):
            deidentify(path, tmp_path / "out", SECRET)
        kept = deidentify(path, tmp_path / "out", SECRET, Options(keep_captures=True))
        assert (kept.files, kept.may_show_text) == (1, 1)


@pytest.mark.parametrize("kind", SLICES)
def test_slices_stay(tmp_path: Path, kind: str) -> None:
    assert not may_show_text(dcmread(write_ct(tmp_path / "in", 1, **SLICES[kind])[0]))


def test_colours_are_no_slice(tmp_path: Path) -> None:
    dataset = dcmread(write_ct(tmp_path / "in", 1)[0])
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 3, "RGB"
    assert may_show_text(dataset)


def test_a_page_inside_a_series_that_has_all_of_a_slice_but_its_size(tmp_path: Path) -> None:
    write_ct(tmp_path / "in", 6, SeriesInstanceUID="1.2.3.7")
    [page] = write_ct(tmp_path / "in" / "page", 1, SeriesInstanceUID="1.2.3.7")
    dataset = dcmread(page)
    dataset.Rows, dataset.Columns = 4, 20
    dataset.save_as(page)
    summary = deidentify(tmp_path / "in", tmp_path / "out", SECRET)
    assert summary.files == 6
    assert dict(summary.left_out) == {"images that may have text burned into their pixels": 1}


def test_objects_without_pixels_show_nothing(tmp_path: Path) -> None:
    dataset = dcmread(write_ct(tmp_path / "in", 1)[0])
    for keyword in ("PixelData", "Rows", "Columns"):
        delattr(dataset, keyword)
    dataset.Modality = "SR"
    assert not may_show_text(dataset)


# What the recipe flags although it is a slice: every reformatted or derived image, and everything of some scanners.
_FLAGGED_WITHOUT_NEED = {
    "reformatted",
    "maximum intensity",
    "secondary capture that is clean",
    "radiograph that is clean",
}


def test_the_recipe_of_deid_finds_no_page_that_we_keep(tmp_path: Path) -> None:
    pixels = pytest.importorskip("deid.dicom.pixels", reason="the package 'deid' is not installed")
    from deid.config import DeidRecipe

    recipe = DeidRecipe()
    for number, (name, attributes) in enumerate((PAGES | SLICES).items()):
        if attributes.get("SOPClassUID", "").endswith("7.2"):
            continue
        [path] = write_ct(tmp_path / str(number), 1, **attributes)
        found = pixels.has_burned_pixels(str(path), deid=recipe)
        flagged = any(result["group"] != "whitelist" for result in found["results"])
        ours = may_show_text(dcmread(path))
        assert ours or not flagged or name in _FLAGGED_WITHOUT_NEED, f"{name}: {found}"
