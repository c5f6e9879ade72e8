"""A patient's name, number and dates are found however they are written; words that only look alike are not."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from KidneySegLib.deidentification.code_strings import is_telling
from KidneySegLib.deidentification.dataset import is_time, moved_back
from KidneySegLib.deidentification.identity import Identity
from KidneySegLib.deidentification.pseudonyms import Pseudonyms

pytest.importorskip("anyascii", reason="the extra 'deidentification' is not installed")


def identity_of(**attributes: object) -> Identity:
    dataset = Dataset()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    identity = Identity()
    identity.learn(dataset)
    return identity


FOUND = {
    "Müller^Jürgen": [
        *("Mueller", "Muller", "MUELLER JUERGEN", "Ju\u0308rgen Mu\u0308ller", "J. MÜLLER", "of Mr. Müller", "Jürgen"),
    ],
    "Mueller^Juergen": ["Müller", "Jürgen Müller"],
    "Yılmaz^Ayşegül": ["YILMAZ AYSEGUL", "Ayşegül Yılmaz", "aysegul_yilmaz", "AYSEGÜL", "Y-I-L-M-A-Z"],
    "Ivanov^Sergey": ["Сергей", "ИВАНОВ"],
    "Иванов^Сергей": ["Ivanov", "IVANOV S."],
    "Παπαδόπουλος^Νίκος": ["Papadopoylos", "ΠΑΠΑΔΟΠΟΥΛΟΣ"],
    "Yamada^Tarou=山田^太郎=やまだ^たろう": [
        *("山田太郎", "太郎", "ヤマダ", "ﾔﾏﾀﾞ ﾀﾛｳ", "Yamada", "Taro Yamada", "Tarō"),
    ],
    "Wang^XiaoDong=王^小东": ["王小东", "小东", "Xiaodong", "XIAO DONG WANG"],
    "Li^Wu=李^武": ["Li Wu", "LIWU", "Wuli", "李", "of Li."],
    "Hong^Gildong=洪^吉洞=홍^길동": ["홍길동", "洪吉洞", "길동"],
    "O'Brien^Séan": ["OBrien", "O’BRIEN", "Obrien Sean", "sean"],
    "Garcia-Lopez^Ana Maria": ["García", "Lopez", "ANA LÓPEZ", "Garcialopez", "Maria"],
    "Kaya^Ali": ["kaya", "ali", "KAYA ALI", "Ali Kaya", "aliKaya"],
}
NOT_FOUND = {
    "Li^Wu=李^武": ["Limit", "Wurm", "ALIGNED", "SIEMENS"],
    "Kaya^Ali": ["QUALITY", "ALIGNMENT", "Aquilion"],
    "Shea^Hal": ["Siemens Healthineers", "THALES"],
    "Rome^Mono": ["MONTE CARLO"],
}


@pytest.mark.parametrize("name", FOUND)
def test_names_in_any_spelling(name: str) -> None:
    identity = identity_of(PatientName=name)
    assert [text for text in FOUND[name] if not identity.is_in(text)] == []


@pytest.mark.parametrize("name", NOT_FOUND)
def test_words_that_only_hold_the_letters(name: str) -> None:
    identity = identity_of(PatientName=name)
    assert [text for text in NOT_FOUND[name] if identity.is_in(text)] == []


def test_a_name_that_was_read_in_the_wrong_character_set() -> None:
    assert identity_of(PatientName="Müller^Jürgen".encode().decode("latin-1")).is_in("Jürgen Müller")


@pytest.mark.parametrize("number", ["PAT77345612", "PAT-7734-5612", "pat 77345612", "0077345612", "77.345.612"])
def test_numbers_with_and_without_hyphens_blanks_letters_and_zeros(number: str) -> None:
    identity = identity_of(PatientID=number)
    texts = [
        "77345612",
        "7734-5612",
        "77 345 612",
        "MRN 77.345.612",
        "PAT_77345612",
        "no. 0077345612",
        "７７３４５６１２",
    ]
    assert [text for text in texts if not identity.is_in(text)] == []
    assert identity.is_number("77345612") and identity.is_number("77345612.0") and identity.is_integer(77345612)
    assert not identity.is_number("-123.77345") and not identity.is_integer(773456) and not identity.is_in("7734 561")


def test_short_numbers_where_they_stand_alone() -> None:
    identity = identity_of(PatientID="711")
    assert identity.is_in("patient 711") and not identity.is_in("Model 7110") and not identity.is_number("711")


BIRTHS = [
    *("19480317", "1948-03-17", "1948/3/17", "17.03.1948", "17.3.1948", "17-03-48", "03/17/1948", "3/17/48", "480317"),
    *("170348", "031748", "17 MAR 1948", "17-Mar-48", "March 17, 1948", "17th of March 1948", "17. März 1948"),
    *("17 de marzo de 1948", "17 mars 1948", "17 Mart 1948", "1948年3月17日", "S23.3.17", "17/03/2491", "*17.03.1948"),
    *("born 17031948", "03171948", "1948 Mar 17", "19480317131719"),
]


@pytest.mark.parametrize("text", BIRTHS)
def test_birth_dates_in_any_spelling(text: str) -> None:
    assert identity_of(PatientBirthDate="19480317").is_in(text)


@pytest.mark.parametrize("text", ["17 months", "VA48A_02_P12", "syngo CT 2012B", "17.4.1948", "1948", "48031", "3.17"])
def test_what_is_no_birth_date(text: str) -> None:
    assert not identity_of(PatientBirthDate="19480317").is_in(text)


def test_the_study_s_dates_are_found_in_full() -> None:
    identity = identity_of(StudyDate="20240301", AcquisitionDateTime="20240302101112")
    for text in ("2024-03-01", "1 Mar 2024", "01.03.2024", "20240302", "CT 2.3.2024"):
        assert identity.is_in(text), text
    assert not identity.is_in("010324") and not identity.is_in("20240303")


@pytest.mark.parametrize(
    ("value", "telling"),
    [
        *(("ABDOMEN", False), ("CT_SOM5 SPI", False), ("MONOCHROME2", False), ("HFS", False), ("19480317", True)),
        *(
            ("1948 03 17", True),
            ("1948_03_17", True),
            ("PAT 773456", True),
            ("Kaya", True),
            ("KAYA", True),
            ("ALI", True),
        ),
        *(("ALIGNED", False), ("20240301", True), ("170348", True), ("CT", False)),
    ],
)
def test_code_strings(value: str, telling: bool) -> None:
    identity = identity_of(PatientName="Kaya^Ali", PatientID="PAT773456")
    assert is_telling(value, "ImageType", identity) == telling


def test_terms_of_the_standard_stay_whatever_the_name_is() -> None:
    identity = identity_of(PatientName="Rome^Original", PatientID="CT")
    for term in ("MONOCHROME2", "ORIGINAL", "CT"):
        assert not is_telling(term, "ImageType", identity)
    assert is_telling("GEHEIMNIS", "SpecificCharacterSet", identity)
    assert not is_telling("ISO 2022 IR 87", "SpecificCharacterSet", identity)


@pytest.mark.parametrize(
    ("value", "right"),
    [
        *(
            ("101500", True),
            ("10:15:00", True),
            ("1015", True),
            ("10", True),
            ("101500.123456", True),
            ("235960", True),
        ),
        *(("19480317", False), ("480317", False), ("20240301", False), ("101500.12345678", False), ("1.2.3", False)),
        *(("10150", False), ("246000", False), ("10.15", False), ("1948:03:17", False)),
    ],
)
def test_times_of_day_are_nothing_else(value: str, right: bool) -> None:
    assert is_time(value) == right


@pytest.mark.parametrize(
    "value", ["20240301480317", "2024030119480317", "20240301-19480317", "20240301101500.19480317"]
)
def test_a_date_behind_a_date_is_no_time(value: str) -> None:
    assert moved_back(value, 1) is None


@pytest.mark.parametrize(
    "uid", ["1.2.840.10008.5.1.4.1.1.2.77345612", "1.2.840.10008.19480317", "2.16.840.1.113883.6.19480317"]
)
def test_numbers_behind_public_roots_are_no_public_uids(uid: str) -> None:
    new = Pseudonyms(b"1" * 32).uid(uid)
    assert new.startswith("2.25.") and uid.split(".")[-1] not in new


def test_all_uids_of_the_standard_stay() -> None:
    from pydicom.uid import UID_dictionary

    pseudonyms = Pseudonyms(b"1" * 32)
    assert [uid for uid in UID_dictionary if pseudonyms.uid(uid) != uid] == []
