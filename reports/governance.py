"""What only people can say of an audit: purpose, reasons, decisions and signatures.

The tool measures; it does not decide what a system is for, whether a risk is acceptable, or who
answers for it. A governance file (TOML) carries these statements; a field that nobody filled is
shown as not provided, never guessed.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from hashlib import sha256

from reports.errors import ReportError
from reports.messages import N_

FILE = "governance.toml"
"""Name of the file beside a result."""

LONGEST = 4_000
"""Letters of one statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One statement that is asked of people."""

    part: str
    """Table of the file."""

    key: str
    label: str
    asks: str
    needed: bool = True
    """Whether a final report needs it."""

    @property
    def path(self) -> str:
        """Where it stands in the file."""
        return f"{self.part}.{self.key}"


PARTS = {
    "system": N_("Scope and intended purpose"),
    "groups": N_("Groups, hazards and thresholds"),
    "data": N_("Data about people"),
    "decision": N_("Decision and residual risk"),
    "independence": N_("Who ran and who reviewed"),
}
"""Table of the file to its heading."""

FIELDS = tuple(
    Field(part=part, key=key, label=label, asks=asks, needed=needed)
    for part, key, label, asks, needed in (
        ("system", "intended_purpose", N_("Intended purpose"),
         N_("What the system that uses this model is for, and for whom."), True),
        ("system", "use_limits", N_("Limits of use"),
         N_("What it must not be used for; foreseeable misuse."), True),
        ("system", "provider", N_("Provider"),
         N_("Who places the model or system on the market or puts it into service."), True),
        ("system", "deployment", N_("Where it is deployed"),
         N_("Product, region and people concerned."), True),
        ("system", "risk_class", N_("Risk class"),
         N_("Whether the use is high-risk under the rules that apply; undetermined is an answer."),
         True),
        ("system", "general_purpose", N_("General-purpose model"),
         N_("Whether it counts as one under the EU AI Act; undetermined is an answer."), False),
        ("groups", "why_these_groups", N_("Why these groups and harms"),
         N_("Who may be harmed in this use, and how these were chosen."), True),
        ("groups", "why_these_thresholds", N_("Why these thresholds"),
         N_("Who chose the smallest effect that matters and the gate, when, and on what grounds."),
         True),
        ("groups", "consulted", N_("Who was consulted"),
         N_("Affected people, experts, workers' representatives."), False),
        ("data", "why_group_labels", N_("Why group labels were needed"),
         N_("Alternatives tried: synthetic or anonymised data, drawings, text alone."), True),
        ("data", "legal_basis", N_("Legal basis"),
         N_("For special categories of personal data, where there are any."), True),
        ("data", "access_and_deletion", N_("Access and deletion"),
         N_("Who had access, how long the data are kept, and when they are deleted."), True),
        ("decision", "outcome", N_("Decision"),
         N_("Deploy, deploy with measures, do not deploy, or still open."), True),
        ("decision", "residual_risk", N_("Residual risk"),
         N_("Which findings stay open and why that is acceptable, or not."), True),
        ("decision", "measures", N_("Measures taken"),
         N_("What is done about the findings, by whom and until when."), True),
        ("decision", "next_review", N_("Next review"),
         N_("Date or event of the next audit."), True),
        ("independence", "run_by", N_("Run by"), N_("Name and role."), True),
        ("independence", "reviewed_by", N_("Reviewed by"), N_("Name and role."), True),
        ("independence", "statement", N_("Independence"),
         N_("How those who reviewed stand to those who built the system."), True),
    )
)  # fmt: skip
"""Every statement, in the order of the report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A name under the report."""

    name: str
    role: str
    date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Governance:
    """The statements of one file."""

    statements: Mapping[str, str] = field(default_factory=dict)
    """By path of the field; empty ones are left out."""

    signatures: tuple[Signature, ...] = ()
    digest: str = ""
    """SHA-256 of the file; empty where there is none."""

    def missing(self) -> tuple[Field, ...]:
        """Return the fields that a final report needs and nobody filled."""
        return tuple(f for f in FIELDS if f.needed and f.path not in self.statements)

    @property
    def complete(self) -> bool:
        """Whether a final report can be made of it: every needed field, and a signature."""
        return not self.missing() and bool(self.signatures)


NOTHING_SAID = Governance()
"""Nobody filled anything."""


def read_governance(content: bytes, where: str = FILE) -> Governance:
    r"""Read a governance file.

    Parameters
    ----------
    content : bytes
        The file, TOML in UTF-8.
    where : str
        Its name, for messages.

    Raises
    ------
    ReportError
        If it is not TOML, has an unknown key, or a statement is not text.

    Examples
    --------
    >>> said = read_governance(b'[system]\nprovider = "Example Ltd"')
    >>> said.statements["system.provider"], said.complete
    ('Example Ltd', False)
    """
    try:
        tables = tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ReportError(f"A governance file must be TOML in UTF-8; {where}: {error}.") from None
    signatures = tuple(_signatures(tables.pop("signature", []), where))
    statements = dict(_statements(tables, where))
    return Governance(
        statements={path: words for path, words in statements.items() if words},
        signatures=signatures,
        digest="sha256:" + sha256(content).hexdigest(),
    )


def _statements(tables: Mapping[str, object], where: str) -> Iterator[tuple[str, str]]:
    known = {f.path: f for f in FIELDS}
    for part, table in tables.items():
        if part not in PARTS:
            raise _unknown(where, part, [*PARTS, "signature"])
        if not isinstance(table, dict):
            raise ReportError(f"{where}: [{part}] must be a table of statements; got {table!r}.")
        for key, words in table.items():
            if f"{part}.{key}" not in known:
                raise _unknown(where, f"{part}.{key}", list(known))
            if isinstance(words, date):
                words = words.isoformat()
            if not isinstance(words, str) or len(words) > LONGEST:
                raise ReportError(
                    f"{where}: {part}.{key} must be text of at most {LONGEST:,} letters; "
                    f"got {str(words)[:60]!r}."
                )
            yield f"{part}.{key}", words.strip()


def _signatures(entries: object, where: str) -> Iterator[Signature]:
    if not isinstance(entries, list):
        raise ReportError(f"{where}: signatures are written as [[signature]], one table each.")
    for number, entry in enumerate(entries, start=1):
        given = dict(entry) if isinstance(entry, dict) else {}
        if set(given) != {"name", "role", "date"} or not isinstance(given["date"], date):
            raise ReportError(
                f"{where}: signature {number} must have a name, a role and a date (2026-11-23, "
                f"without quotation marks), and nothing else; got {', '.join(given) or 'nothing'}."
            )
        name, role = str(given["name"]).strip(), str(given["role"]).strip()
        # An empty line to sign on is not a signature.
        if name and role:
            yield Signature(name=name, role=role, date=given["date"])


def _unknown(where: str, key: str, known: list[str]) -> ReportError:
    near = get_close_matches(key, known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else f" Known are {', '.join(known)}."
    return ReportError(f"{where}: {key!r} is not a field of a governance file.{hint}")


def blank() -> str:
    """Return a file to fill in: every field, empty, with what it asks."""
    lines = [
        "# What only people can say of this audit. Fields that stay empty are shown as not",
        "# provided; `clip-audit report AUDIT --final` needs all but those marked optional.",
    ]
    for part, title in PARTS.items():
        lines += ["", f"[{part}]  # {title}"]
        for asked in (f for f in FIELDS if f.part == part):
            optional = "" if asked.needed else " (optional)"
            lines += [f"# {asked.asks}{optional}", f'{asked.key} = ""']
    lines += ["", "# One for each person who answers for this report:", "# [[signature]]",
              '# name = ""', '# role = ""', "# date = 2026-11-23"]  # fmt: skip
    return "\n".join(lines) + "\n"
