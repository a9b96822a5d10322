"""The structure tree of a PDF that is about to be written, as WeasyPrint leaves it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

ARTIFACT = "/Artifact"
"""Tag of what a screen reader leaves out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """Elements of a structure tree and how they hang together.

    An element is a dictionary with its kind in ``S`` and its kids in ``K``: references to elements
    and to annotations, and numbers of marked content on the page in ``Pg``.
    """

    pdf: Any
    """The ``pydyf.PDF``, not yet written."""

    @property
    def root(self) -> Any:
        """The head of the tree; it is no element itself."""
        return self.at(self.pdf.catalog["StructTreeRoot"])

    def at(self, reference: bytes) -> Any:
        """Return the object that a reference names."""
        return self.pdf.objects[int(reference.split()[0])]

    def kids(self, element: Any) -> list[Any]:
        """Return the elements right below one."""
        below = (self.at(kid) for kid in element.get("K", ()) if isinstance(kid, bytes))
        return [kid for kid in below if "S" in kid]

    def annotations(self, element: Any) -> list[Any]:
        """Return the links and other annotations that an element stands for."""
        below = (self.at(kid) for kid in element.get("K", ()) if isinstance(kid, bytes))
        return [self.at(kid["Obj"]) for kid in below if kid.get("Type") == "/OBJR"]

    def walk(self, element: Any | None = None) -> Iterator[Any]:
        """Yield an element and all below it, in reading order; the whole tree without one."""
        waiting = [element] if element is not None else self.kids(self.root)[::-1]
        while waiting:
            found = waiting.pop()
            yield found
            waiting.extend(reversed(self.kids(found)))

    def every(self, *kinds: str) -> list[Any]:
        """Return the elements of these kinds, in reading order."""
        return [element for element in self.walk() if element["S"] in kinds]

    def put(self, parent: Any, kids: list[Any]) -> None:
        """Make elements the only elements below another, in this order."""
        references = {kid.reference for kid in self.kids(parent)}
        others = [kid for kid in parent["K"] if kid not in references]
        parent["K"][:] = [*(kid.reference for kid in kids), *others]
        for kid in kids:
            kid["P"] = parent.reference

    def take_over(self, into: Any, other: Any) -> None:
        """Append everything below an element to another; it is then empty."""
        for kid in self.kids(other):
            kid["P"] = into.reference
        into["K"].extend(other["K"])
        other["K"].clear()


def prune(tree: Tree) -> None:
    """Take out elements that hold nothing, but cells: an empty cell keeps its place in a row."""

    def holds(element: Any) -> bool:
        kids = [kid for kid in tree.kids(element) if not holds(kid)]
        for kid in kids:
            element["K"].remove(kid.reference)
        return bool(element["K"]) or element["S"] in ("/TH", "/TD")

    for element in tree.kids(tree.root):
        holds(element)


def index(tree: Tree) -> None:
    """Write anew which element each piece of content belongs to; the rest becomes an artifact.

    What is drawn on a page and has no place in the tree (running heads, heads of tables that are
    repeated, space between inline boxes) must be marked as no part of the text.
    """
    pages = tree.pdf.page_references
    owners: dict[bytes, dict[int, bytes]] = {page: {} for page in pages}
    linked: list[tuple[Any, bytes]] = []
    kept = set()
    for element in tree.walk():
        kept.add(element.number)
        for kid in element["K"]:
            if isinstance(kid, int):
                owners[element["Pg"]][kid] = element.reference
        linked.extend((note, element.reference) for note in tree.annotations(element))
    numbers = tree.at(tree.root["ParentTree"])["Nums"]
    array = type(numbers)
    numbers.clear()
    for place, page in enumerate(pages):
        owned = owners[page]
        numbers.extend(
            [place, array(owned.get(n, "null") for n in range(max(owned, default=-1) + 1))]
        )
        _set_aside(tree.at(tree.at(page)["Contents"]), owned)
    for key, (note, owner) in enumerate(linked, start=len(pages)):
        note["StructParent"] = key
        numbers.extend([key, owner])
    tree.root["ParentTreeNextKey"] = len(pages) + len(linked)
    _forget(tree, kept)


def _set_aside(stream: Any, owned: dict[int, bytes]) -> None:
    commands = stream.stream
    for place, entry in enumerate(commands):
        if isinstance(entry, dict) and "MCID" in entry and entry["MCID"] not in owned:
            commands[place - 1] = ARTIFACT
            commands[place] = "<</Type /Pagination>>"


def _forget(tree: Tree, kept: set[int]) -> None:
    # The writer counts every object, so that one without use is emptied instead of removed.
    for number, entry in enumerate(tree.pdf.objects):
        element = isinstance(entry, dict) and entry.get("Type") == "/StructElem"
        if element and number not in kept:
            entry.clear()
