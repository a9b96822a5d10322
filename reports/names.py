"""Display names of concepts, families and terms, as the result document gives them."""

from dataclasses import dataclass
from functools import cached_property

from audit.results import ConceptRecord, InputsRecord
from reports.care import MASK_FROM, Masking, as_spoken, masked, masking
from reports.quantities import full_sentence

PHOTO_PREFIX = "photos:"
"""Columns that come from a manifest of photos are named after it."""


@dataclass(frozen=True, kw_only=True)
class Names:
    """Looks up what people call things; an unknown reference stands for itself."""

    inputs: InputsRecord

    @cached_property
    def concepts(self) -> dict[str, ConceptRecord]:
        """Concept records by reference."""
        return {
            concept.ref: concept
            for concept_set in self.inputs.concept_sets
            for concept in concept_set.concepts
        }

    @cached_property
    def families(self) -> dict[str, str]:
        """Family names by id."""
        return {entry.id: entry.name or entry.id for entry in self.inputs.concept_sets}

    @cached_property
    def masked_terms(self) -> frozenset[str]:
        """Every term that no report shows in full."""
        harsh = {
            term
            for concept in self.concepts.values()
            if concept.role == "harm" and (concept.severity or 0) >= MASK_FROM
            for term in concept.terms
        }
        return frozenset(harsh) | self.contested

    @cached_property
    def harm_terms(self) -> dict[str, int]:
        """Severity of every term of a harm concept."""
        return {
            term: concept.severity or 0
            for concept in self.concepts.values()
            if concept.role == "harm"
            for term in concept.terms
        }

    def concept(self, ref: str) -> str:
        """Name one concept; one that is not listed goes by the end of its reference."""
        record = self.concepts.get(ref)
        return record.name if record and record.name else ref.rpartition("/")[2] or ref

    def family(self, id: str) -> str:
        """Name one family; a harm family may be known as a concept only."""
        return self.families.get(id) or self.concept(id)

    def member(self, column: str, value: str) -> str:
        """Name a group of pictures: by its concept where the column is an identity family."""
        record = self.concepts.get(f"{column}/{value}")
        return record.name if record and record.name else value

    def term(self, term: str, severity: int | None = None) -> str:
        """Show a term, masked where it must be."""
        harsh = (severity or 0) >= MASK_FROM or term in self.masked_terms
        return masked(term) if harsh else term

    def sentence(self, text: str) -> str:
        """Mask terms that somebody else's sentence quotes, and contested ones anywhere in it.

        Masked first, then said in the spoken language: where words are not set apart by spaces, a
        term would not be found any more.
        """
        return full_sentence(as_spoken(self._contested.within(self._harsh.quoted(text))))

    def hidden_within(self, text: str) -> str:
        """Mask every term that no report shows in full, quoted or not."""
        return self._harsh.within(text)

    @cached_property
    def contested(self) -> frozenset[str]:
        """Terms that are masked whatever their severity."""
        return frozenset(t for concept in self.concepts.values() for t in concept.contested)

    @cached_property
    def _harsh(self) -> Masking:
        return masking(self.masked_terms, self._spoken)

    @cached_property
    def _contested(self) -> Masking:
        return masking(self.contested, self._spoken)

    @cached_property
    def _spoken(self) -> frozenset[str]:
        concepts = {record.name for record in self.concepts.values()}
        return frozenset(concepts | set(self.families.values()))
