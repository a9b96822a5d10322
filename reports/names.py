"""Display names of concepts, families and terms, as the result document gives them."""

import re
from dataclasses import dataclass
from functools import cached_property

from audit.results import ConceptRecord, InputsRecord
from reports.care import MASK_FROM, mask_within, masked, masking_pattern


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
        contested = {term for concept in self.concepts.values() for term in concept.contested}
        return frozenset(harsh | contested)

    def concept(self, ref: str) -> str:
        """Name one concept."""
        record = self.concepts.get(ref)
        return record.name if record and record.name else ref

    def family(self, id: str) -> str:
        """Name one family; a harm family may be known as a concept only."""
        return self.families.get(id) or self.concept(id)

    def term(self, term: str, severity: int | None = None) -> str:
        """Show a term, masked where it must be."""
        harsh = (severity or 0) >= MASK_FROM or term in self.masked_terms
        return masked(term) if harsh else term

    def sentence(self, text: str) -> str:
        """Mask terms inside a sentence that somebody else wrote."""
        return mask_within(text, self._pattern)

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        concepts = {record.name for record in self.concepts.values()}
        return masking_pattern(self.masked_terms, concepts | set(self.families.values()))
