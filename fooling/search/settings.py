"""The `[search]` table of a config: one model per search, from which validation and docs come.

Each has `generations`, the steps after step 0, and `population`, the images of a step, as a field or a property.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["MapElitesSettings"]


class _SearchSettings(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class MapElitesSettings(_SearchSettings):
    """Every image competes for every class; parents are drawn from the elites (Nguyen 2015, section 2)."""

    name: Literal["map-elites"] = Field("map-elites", description="the search")
    generations: int = Field(200, ge=0, le=2**31 - 1, description="generations after the first population")
    population: int = Field(200, ge=1, le=2**24, description="children per generation")
    initial: int | None = Field(
        None, ge=1, le=2**24, description="size of the first, random population (default: `population`)"
    )

    def settled(self) -> MapElitesSettings:
        """With everything filled in."""
        return self.model_copy(update={"initial": self.initial or self.population})
