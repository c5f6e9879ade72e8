"""What all declarations of a recipe have in common: they are checked, cannot change, and have no other fields."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from KidneySegLib.bundles.declaration import Number

# how far shares may be from adding up to 1
_ROUNDING = 1e-9


class Declared(BaseModel):
    """A table of a recipe. A field that it does not declare is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _rising(values: tuple[float, float]) -> tuple[float, float]:
    if values[0] > values[1]:
        raise ValueError("the first value must not be above the second")
    return values


def _complete(values: tuple[float, ...]) -> tuple[float, ...]:
    if min(values) < 0 or abs(sum(values) - 1) > _ROUNDING:
        raise ValueError("shares must not be negative and must add up to 1")
    return values


NotNegative = Annotated[Number, Field(ge=0)]
# of size: from 1/factor to factor
Factor = Annotated[Number, Field(ge=1)]
Range = Annotated[tuple[Number, Number], AfterValidator(_rising)]
Shares = Annotated[tuple[Number, ...], AfterValidator(_complete)]
