"""What Orthanc's own interface answers, checked word by word: it may be another program, or a page for people."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from KidneySegLib.pacs.identifiers import ORTHANC_ID, is_orthanc_id

Number = Annotated[int, Field(ge=0, lt=2**62)]  # fits the queue's file
# other kinds of changes name other things, such as a job
ResourceId = Annotated[str, AfterValidator(lambda text: text if is_orthanc_id(text) else "")]


class _Answer(BaseModel):
    """Values of exactly their type: a bool is not a number. All else that Orthanc says is passed over."""

    model_config = ConfigDict(strict=True)


class ListedChange(_Answer):
    """One entry of the list of changes.

    Attributes:
        number: Orthanc's running number.
        kind: such as ``NewStudy``.
        resource_id: Orthanc's identifier of what it happened to; "" where that is none of its resources.
    """

    number: Number = Field(alias="Seq")
    kind: str = Field(alias="ChangeType")
    resource_id: ResourceId = Field(alias="ID")


class LastChange(_Answer):
    """Where the list of changes ends, or a page of it."""

    number: Number = Field(alias="Last")


class Page(LastChange):
    """A page of the list of changes.

    Attributes:
        changes: oldest first.
        is_last: whether there is no further page now.
    """

    changes: list[ListedChange] = Field(alias="Changes")
    is_last: bool = Field(alias="Done")

    @classmethod
    def after(cls, answer: Any, since: int) -> Page:
        """Returns the page of changes that follows a number.

        Raises:
            ValueError: it is none, or it leads backwards or nowhere.
        """
        page = cls.model_validate(answer)
        last = page.number
        if any(entry.number > last for entry in page.changes) or last < since or (last == since and not page.is_last):
            raise ValueError
        return page


class _Tags(_Answer):
    uid: str = Field(alias="StudyInstanceUID")


class StudyState(_Answer):
    """A study as Orthanc describes it: its identifiers, and whether nothing has arrived for a while (``StableAge``)."""

    tags: _Tags = Field(alias="MainDicomTags")
    is_stable: bool = Field(alias="IsStable")


class SeriesParent(_Answer):
    """The study of a series."""

    study_id: str = Field(alias="ParentStudy", pattern=f"^{ORTHANC_ID}$")
