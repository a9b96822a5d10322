"""Rules of the tree: what may stand in what, and what every element must have."""

import re
from collections import Counter
from itertools import pairwise

from opened_pdf import as_list, pairs

ROWS = {"THead", "TBody", "TFoot"}
HEADINGS = {f"H{n}" for n in range(1, 7)}
BLOCKS = {"Document", "Part", "Art", "Sect", "Div", "P", "L", "Table", "TOC"} | HEADINGS
INLINE = {"P", "Span", "Lbl", "Reference", "Link"} | HEADINGS
STANDARD = BLOCKS | INLINE | ROWS | {
    "BlockQuote", "Caption", "TOCI", "Index", "NonStruct", "LI", "LBody", "TR", "TH", "TD",
    "Quote", "Note", "BibEntry", "Code", "Annot", "Figure", "Formula", "Form",
}  # fmt: skip


def _kids_of(kind, allowed):
    def rule(pdf):
        for node in pdf.every(kind):
            yield from (str(kid) for kid in node.kids if kid.kind not in allowed)

    return rule


def _inside(kinds, allowed):
    def rule(pdf):
        for node in pdf.every(*kinds):
            if node.parent is None or node.parent.kind not in allowed:
                yield str(node)

    return rule


def one_document(pdf):
    if [top.kind for top in pdf.tops] != ["Document"]:
        yield f"the tree begins with {[top.kind for top in pdf.tops]}"


def standard_kinds(pdf):
    yield from (str(node) for node in pdf.nodes if node.kind not in STANDARD)


def parents_agree(pdf):
    for node in pdf.nodes:
        above = pdf.root.StructTreeRoot if node.parent is None else node.parent.obj
        if node.obj.get("/P") is None or node.obj.P.objgen != above.objgen:
            yield str(node)


def nothing_empty(pdf):
    for node in pdf.nodes:
        if not (node.kids or node.marks or node.notes) and node.kind not in ("TD", "TH"):
            yield str(node)


def no_block_in_line(pdf):
    for node in pdf.every(*INLINE):
        yield from (str(kid) for kid in node.kids if kid.kind in BLOCKS)


def one_head(pdf):
    for table in pdf.every("Table"):
        if sum(kid.kind == "THead" for kid in table.kids) > 1:
            yield str(table)


def head_with_body(pdf):
    for table in pdf.every("Table"):
        kinds = [kid.kind for kid in table.kids]
        if "THead" in kinds and "TBody" not in kinds:
            yield str(table)


def rows_regular(pdf):
    for table in pdf.every("Table"):
        widths = {
            sum(int(cell.obj.get("/A", {}).get("/ColSpan", 1)) for cell in row.kids)
            for row in table.below()
            if row.kind == "TR"
        }
        if len(widths) > 1:
            yield f"{table}: rows of {sorted(widths)} cells"


def heads_scoped(pdf):
    for cell in pdf.every("TH"):
        if str(cell.obj.get("/A", {}).get("/Scope", "")) not in ("/Row", "/Column", "/Both"):
            yield str(cell)


def cells_have_heads(pdf):
    for cell in pdf.every("TD"):
        if not as_list(cell.obj.get("/A", {}).get("/Headers")):
            yield str(cell)


def heads_exist(pdf):
    for table in pdf.every("Table"):
        cells = list(table.below())
        ids = {bytes(c.obj.ID) for c in cells if c.kind == "TH" and "/ID" in c.obj}
        for cell in cells:
            heads = as_list(cell.obj.get("/A", {}).get("/Headers"))
            if any(bytes(head) not in ids for head in heads):
                yield str(cell)


def _ids(pdf):
    return [bytes(node.obj.ID) for node in pdf.nodes if "/ID" in node.obj]


def ids_unique(pdf):
    yield from (f"{id!r} twice" for id, times in Counter(_ids(pdf)).items() if times > 1)


def ids_listed(pdf):
    names = pdf.root.StructTreeRoot.get("/IDTree", {}).get("/Names", [])
    listed = [bytes(id) for id, _ in pairs(names)]
    if listed != sorted(_ids(pdf)):
        yield f"{len(listed)} listed of {len(_ids(pdf))}, or not in order"


def table_captions_at_edge(pdf):
    for whole in pdf.every("Table", "L"):
        places = [i for i, kid in enumerate(whole.kids) if kid.kind == "Caption"]
        if len(places) > 1 or any(i not in (0, len(whole.kids) - 1) for i in places):
            yield str(whole)


def one_body(pdf):
    for item in pdf.every("LI"):
        kinds = [kid.kind for kid in item.kids]
        if kinds not in (["LBody"], ["Lbl", "LBody"]):
            yield f"{item} holds {kinds}"


def lists_numbered(pdf):
    for whole in pdf.every("L"):
        labelled = any(part.kind == "Lbl" for item in whole.kids for part in item.kids)
        if labelled and "/ListNumbering" not in whole.obj.get("/A", {}):
            yield str(whole)


def figures_told(pdf):
    for figure in pdf.every("Figure", "Formula"):
        if not str(figure.obj.get("/Alt", "")).strip():
            yield str(figure)


def figures_on_page(pdf):
    for figure in pdf.every("Figure"):
        box = [float(side) for side in figure.obj.get("/A", {}).get("/BBox", [])]
        width, height = (float(side) for side in figure.obj.Pg.MediaBox[2:])
        inside = len(box) == 4 and -1 <= box[0] < box[2] <= width + 1
        if not inside or not -1 <= box[1] < box[3] <= height + 1:
            yield f"{figure}: {box}"


def _levels(pdf):
    return [int(n.kind[1]) for n in pdf.nodes if re.fullmatch(r"H[1-6]", n.kind)]


def first_heading(pdf):
    levels = _levels(pdf)
    if levels[:1] != [1] or levels.count(1) != 1:
        yield f"headings begin {levels[:3]}, level 1 stands {levels.count(1)} times"


def no_level_skipped(pdf):
    levels = _levels(pdf)
    for before, after in pairwise(levels):
        if after > before + 1:
            yield f"H{after} after H{before}"


def headings_hold_words(pdf):
    for node in pdf.nodes:
        if re.fullmatch(r"H[1-6]", node.kind) and not any(n.marks for n in node.below()):
            yield str(node)


def links_reach_notes(pdf):
    yield from (str(link) for link in pdf.every("Link") if not link.notes)


def notes_have_links(pdf):
    tagged = {note.objgen for link in pdf.every("Link") for note in link.notes}
    for page, note in pdf.annotations:
        if note.get("/Subtype") == "/Link" and note.objgen not in tagged:
            yield f"a link on page {page.index + 1}"


STRUCTURE_RULES = {
    "tree begins with one document": one_document,
    "kinds are standard": standard_kinds,
    "parents agree": parents_agree,
    "no element is empty": nothing_empty,
    "no block stands in a line": no_block_in_line,
    "table holds rows and caption": _kids_of("Table", ROWS | {"TR", "Caption"}),
    "row groups stand in tables": _inside(ROWS, {"Table"}),
    "row groups hold rows": lambda pdf: (
        str(kid) for node in pdf.every(*ROWS) for kid in node.kids if kid.kind != "TR"
    ),
    "rows stand in tables": _inside({"TR"}, ROWS | {"Table"}),
    "rows hold cells": _kids_of("TR", {"TH", "TD"}),
    "cells stand in rows": _inside({"TH", "TD"}, {"TR"}),
    "table has one head": one_head,
    "head comes with a body": head_with_body,
    "rows are equally wide": rows_regular,
    "heads have a scope": heads_scoped,
    "cells name their heads": cells_have_heads,
    "named heads exist in the table": heads_exist,
    "ids are unique": ids_unique,
    "ids are listed": ids_listed,
    "caption is first or last": table_captions_at_edge,
    "captions stand in tables, lists and figures": _inside({"Caption"}, {"Table", "L", "Figure"}),
    "lists hold items": _kids_of("L", {"LI", "L", "Caption"}),
    "items stand in lists": _inside({"LI"}, {"L"}),
    "items hold label and body": one_body,
    "labels and bodies stand in items": _inside({"Lbl", "LBody"}, {"LI", "TOCI"}),
    "labelled lists say how": lists_numbered,
    "contents hold entries": _kids_of("TOC", {"TOCI", "TOC", "Caption"}),
    "entries stand in contents": _inside({"TOCI"}, {"TOC"}),
    "entries hold references": _kids_of("TOCI", {"Lbl", "Reference", "NonStruct", "P", "TOC"}),
    "figures are told": figures_told,
    "figures lie on their page": figures_on_page,
    "first heading is the only one of level 1": first_heading,
    "no level is skipped": no_level_skipped,
    "headings hold words": headings_hold_words,
    "link elements reach a link": links_reach_notes,
    "links stand in link elements": notes_have_links,
    "no link in a link": lambda pdf: (
        str(kid) for node in pdf.every("Link") for kid in node.kids if kid.kind == "Link"
    ),
}
