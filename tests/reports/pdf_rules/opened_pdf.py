"""A PDF taken apart once for all rules: its elements, its pages' content, its fonts."""

from dataclasses import dataclass, field
from functools import cached_property

import pikepdf

SHOWS_TEXT = frozenset({"Tj", "TJ", "'", '"'})
FILLS = frozenset(
    {"f", "F", "f*", "B", "B*", "b", "b*", "S", "s", "sh", "Do", "EI", "INLINE IMAGE"}
)
PAINTS = SHOWS_TEXT | FILLS
"""Operators that put something on a page."""


@dataclass
class Node:
    """One element of the structure tree."""

    obj: pikepdf.Dictionary
    kind: str
    parent: "Node | None"
    kids: list["Node"] = field(default_factory=list)
    marks: list[tuple[object, int]] = field(default_factory=list)
    """Page and number of the content that belongs to it."""

    notes: list[pikepdf.Dictionary] = field(default_factory=list)
    """Annotations that it stands for."""

    def below(self):
        yield self
        for kid in self.kids:
            yield from kid.below()

    def __str__(self):
        path, node = [], self
        while node is not None:
            path.insert(0, node.kind)
            node = node.parent
        return " > ".join(path[-4:])


@dataclass
class Content:
    """What one page draws."""

    unmarked: int = 0
    """Drawings that are neither tagged nor an artifact."""

    artifact_in_tagged: int = 0
    tagged_in_artifact: int = 0
    balanced: bool = True
    numbers: list[int] = field(default_factory=list)
    """Numbers of marked content, in order of drawing."""

    furniture: int = 0
    """Texts drawn as artifacts of pagination."""

    text: dict[str, bytes] = field(default_factory=dict)
    """Font name to all codes shown in it."""

    operators: set[str] = field(default_factory=set)


class OpenedPdf:
    """Facts of one file."""

    def __init__(self, pdf: pikepdf.Pdf, raw: bytes = b""):
        self.raw = raw
        self.pdf = pdf
        self.root = pdf.Root

    @cached_property
    def nodes(self) -> list[Node]:
        if "/StructTreeRoot" not in self.root:
            return []
        return [n for top in self.tops for n in top.below()]

    @cached_property
    def tops(self) -> list[Node]:
        return [_node(kid, None) for kid in as_list(self.root.StructTreeRoot.get("/K"))]

    def every(self, *kinds: str) -> list[Node]:
        return [node for node in self.nodes if node.kind in kinds]

    @cached_property
    def content(self) -> list[Content]:
        return [_content(page) for page in self.pdf.pages]

    @cached_property
    def fonts(self) -> dict[str, pikepdf.Dictionary]:
        found = {}
        for page in self.pdf.pages:
            found.update({str(k): v for k, v in page.Resources.get("/Font", {}).items()})
        return found

    @cached_property
    def annotations(self) -> list[tuple[pikepdf.Page, pikepdf.Dictionary]]:
        return [(p, note) for p in self.pdf.pages for note in p.get("/Annots", [])]

    @cached_property
    def files(self) -> list[pikepdf.Dictionary]:
        return [o for o in self.dictionaries if o.get("/Type") == "/Filespec"]

    @cached_property
    def dictionaries(self) -> list[pikepdf.Object]:
        found = []
        for entry in self.pdf.objects:
            _gather(entry, found)
        return found

    @cached_property
    def parents(self) -> dict[int, object]:
        """Entries of the parent tree by their key."""
        numbers = self.root.StructTreeRoot.ParentTree.Nums
        return {int(numbers[i]): numbers[i + 1] for i in range(0, len(numbers), 2)}

    @cached_property
    def xmp(self) -> bytes:
        return self.root.Metadata.read_bytes() if "/Metadata" in self.root else b""


def as_list(value) -> list:
    if value is None:
        return []
    return list(value) if isinstance(value, pikepdf.Array) else [value]


def pairs(array):
    """Return a flat array two by two."""
    entries = list(array)
    return list(zip(entries[::2], entries[1::2], strict=True))


def _gather(entry, found):
    """Collect dictionaries, also those that lie directly in others."""
    if isinstance(entry, pikepdf.Stream):
        found.append(entry)
        inner = entry.stream_dict.values()
    elif isinstance(entry, pikepdf.Dictionary):
        found.append(entry)
        inner = entry.values()
    elif isinstance(entry, pikepdf.Array):
        inner = iter(entry)
    else:
        return
    for value in inner:
        direct = isinstance(value, (pikepdf.Dictionary, pikepdf.Array))
        if direct and not value.is_indirect:
            _gather(value, found)


def _node(obj, parent) -> Node:
    node = Node(obj=obj, kind=str(obj.get("/S", "?")).removeprefix("/"), parent=parent)
    page = obj.get("/Pg")
    for kid in as_list(obj.get("/K")):
        if isinstance(kid, int):
            node.marks.append((page.objgen if page is not None else None, int(kid)))
        elif kid.get("/Type") == "/OBJR":
            node.notes.append(kid.Obj)
        elif kid.get("/Type") == "/MCR":
            node.marks.append((kid.get("/Pg", page).objgen, int(kid.MCID)))
        else:
            node.kids.append(_node(kid, node))
    return node


def _content(page) -> Content:
    seen, stack, font = Content(), [], ""
    for operands, operator in pikepdf.parse_content_stream(page):
        name = str(operator)
        seen.operators.add(name)
        if name in ("BMC", "BDC"):
            _begin(seen, stack, str(operands[0]), operands[1] if len(operands) > 1 else {})
        elif name == "EMC":
            if stack:
                stack.pop()
            else:
                seen.balanced = False
        elif name == "Tf":
            font = str(operands[0])
        elif name in PAINTS:
            seen.unmarked += not stack
            if name in SHOWS_TEXT:
                seen.furniture += "Pagination" in stack
                seen.text[font] = seen.text.get(font, b"") + _codes(operands)
    seen.balanced &= not stack
    return seen


def _begin(seen, stack, tag, properties):
    number = properties.get("/MCID") if hasattr(properties, "get") else None
    if tag == "/Artifact":
        seen.artifact_in_tagged += "tagged" in stack
        kind = "Pagination" if properties.get("/Type") == "/Pagination" else "artifact"
        stack.append(kind)
    else:
        seen.tagged_in_artifact += any(kind != "tagged" for kind in stack)
        stack.append("tagged")
        if number is not None:
            seen.numbers.append(int(number))


def _codes(operands) -> bytes:
    parts = operands[-1]
    entries = parts if isinstance(parts, pikepdf.Array) else [parts]
    return b"".join(bytes(part) for part in entries if isinstance(part, pikepdf.String))
