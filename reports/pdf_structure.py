"""Mending of the tags that WeasyPrint writes, so that a screen reader meets what a reader sees.

As it comes, a table that breaks over pages is several tables, running heads have tags that hang
nowhere, terms and their definitions are separate items, links stand in links and figures' boxes
are measured from the wrong corner.
"""

from collections import defaultdict
from typing import Any

from reports.pdf_tree import Tree, index, prune

HEADINGS = ("/H1", "/H2", "/H3", "/H4", "/H5", "/H6")

POINTS_PER_PIXEL = 0.75


def mend(document: Any, pdf: Any) -> None:
    """Bring the tags of a document into the shape of ISO 14289-1, before it is written.

    Parameters
    ----------
    document : weasyprint.Document
        The laid-out pages.
    pdf : pydyf.PDF
        What is about to be written; changed in place.

    References
    ----------
    ISO 14289-1:2014, clause 7; ISO 32000-1:2008, 14.7 and 14.8.
    """
    tree = Tree(pdf=pdf)
    _scope_heads(document)
    _join_tables(document, tree)
    prune(tree)
    _join_sections(tree, tree.kids(tree.root)[0])
    _unnest(tree)
    _shape_lists(tree)
    _list_contents(tree)
    _leave_out_decoration(document, tree)
    _free_captions(tree)
    _place_figures(tree)
    prune(tree)
    _name_links(document)
    index(tree)
    _name_heads(tree)


def _tables(document: Any) -> dict[Any, list[list[Any]]]:
    """Return each table's cells as boxes, one list for each page that it stands on."""
    found: dict[Any, list[list[Any]]] = defaultdict(list)
    for page in document.pages:
        for box in page._page_box.descendants():
            if type(box).__name__ == "TableBox" and box.element_tag == "table":
                rows = [row for group in box.children for row in group.children]
                found[box.element].append([cell for row in rows for cell in row.children])
    return found


def _scope_heads(document: Any) -> None:
    for parts in _tables(document).values():
        for cell in (cell for part in parts for cell in part if cell.element_tag == "th"):
            row = cell.element.get("scope") == "row"
            cell.mark["A"]["Scope"] = "/Row" if row else "/Column"


def _join_tables(document: Any, tree: Tree) -> None:
    """Put the rows of a table that breaks over pages into one table with one head."""
    for parts in _tables(document).values():
        first, *rest = (part for part in parts if part)
        table, heads = _table_of(tree, first), _columns(first)
        for part in rest:
            other, columns = _table_of(tree, part), _columns(part)
            # A head that does not fit beside a tall row is not drawn on that page.
            kept = ("/THead", "/TBody") if columns and not heads else ("/TBody",)
            heads = heads or columns
            _rename(part, columns, heads)
            moved = [kid for kid in tree.kids(other) if kid["S"] in kept]
            other["K"].clear()
            _take_in(tree, table, moved)


def _rename(cells: list[Any], columns: list[Any], heads: list[Any]) -> None:
    """Let cells name the heads of the joined table instead of those of their own page."""
    renamed = {old.string: new for old, new in zip(columns, heads, strict=False)}
    for cell in cells:
        known = cell.mark["A"].get("Headers")
        if known is not None:
            known[:] = [renamed.get(key.string, key) for key in known]


def _take_in(tree: Tree, table: Any, groups: list[Any]) -> None:
    """Append groups of rows to a table; rows of a body go to the body that is there."""
    for group in groups:
        parts = tree.kids(table)
        same = [kid for kid in parts if kid["S"] == group["S"]]
        if same:
            tree.take_over(same[-1], group)
        else:
            order = ["/Caption", "/THead", "/TBody", "/TFoot"]
            tree.put(table, sorted([*parts, group], key=lambda kid: order.index(kid["S"])))


def _table_of(tree: Tree, cells: list[Any]) -> Any:
    row = tree.at(cells[0].mark["P"])
    return tree.at(tree.at(row["P"])["P"])


def _columns(cells: list[Any]) -> list[Any]:
    return [
        cell.mark["ID"]
        for cell in cells
        if cell.element_tag == "th" and cell.mark["A"]["Scope"] == "/Column"
    ]


def _join_sections(tree: Tree, element: Any) -> None:
    """Join a section that goes on over a page with what came before.

    Every section and every article begins with its heading, every document has one part: one
    without is the rest of the one before it.
    """
    kids: list[Any] = []
    for kid in tree.kids(element):
        before = kids[-1] if kids else None
        if before is not None and before["S"] == kid["S"] and _goes_on(tree, kid):
            tree.take_over(before, kid)
        else:
            kids.append(kid)
    tree.put(element, kids)
    for kid in kids:
        if kid["S"] in ("/Part", "/Sect"):
            _join_sections(tree, kid)


def _goes_on(tree: Tree, element: Any) -> bool:
    if element["S"] == "/Part":
        return True
    if element["S"] not in ("/Sect", "/Art"):
        return False
    return tree.kids(element)[0]["S"] not in HEADINGS


def _unnest(tree: Tree) -> None:
    """Dissolve a link right in a link, and a list that is all of a list: boxes make them twice."""
    for element in tree.every("/Link", "/L"):
        kind = element["S"]
        while any(kid["S"] == kind for kid in tree.kids(element)):
            flat: list[Any] = []
            for reference in element["K"]:
                kid = tree.at(reference) if isinstance(reference, bytes) else {}
                if kid.get("S") == kind:
                    for below in tree.kids(kid):
                        below["P"] = element.reference
                    flat.extend(kid["K"])
                    kid["K"].clear()
                else:
                    flat.append(reference)
            element["K"][:] = flat


def _shape_lists(tree: Tree) -> None:
    """Make every kid of a list an item: a term with its definition, or a label with its body."""
    for whole in tree.every("/L"):
        items = []
        for kid in tree.kids(whole):
            if kid["S"] == "/LI":
                items.append(kid)
            elif kid["S"] == "/Div":
                items.append(_one_item(tree, kid))
        tree.put(whole, items)
        labelled = any(part["S"] == "/Lbl" for item in items for part in tree.kids(item))
        named = type(tree.root)({"O": "/List", "ListNumbering": "/Disc" if labelled else "/None"})
        whole["A"] = named


def _one_item(tree: Tree, pair: Any) -> Any:
    """Turn a term and its definitions, an item each, into one item."""
    parts = [part for item in tree.kids(pair) for part in tree.kids(item)]
    pair["S"] = "/LI"
    if len(parts) > 1:
        parts[0]["S"] = "/Lbl"
        for more in parts[2:]:
            tree.take_over(parts[1], more)
        parts = parts[:2]
    tree.put(pair, parts)
    return pair


def _list_contents(tree: Tree) -> None:
    """Make a list whose items are nothing but links a table of contents."""
    for whole in tree.every("/L"):
        items = tree.kids(whole)
        bodies = [tree.kids(item) for item in items]
        if all(len(body) == 1 and _only_links(tree, body[0]) for body in bodies):
            whole["S"] = "/TOC"
            del whole["A"]
            for item, (body,) in zip(items, bodies, strict=True):
                item["S"], body["S"] = "/TOCI", "/Reference"


def _only_links(tree: Tree, element: Any) -> bool:
    kids = tree.kids(element)
    return bool(kids) and all(
        kid["S"] == "/Link" or (kid["S"] == "/NonStruct" and _only_links(tree, kid)) for kid in kids
    )


def _free_captions(tree: Tree) -> None:
    """Make captions beside a drawing paragraphs: only tables, lists and figures hold captions."""
    for element in tree.every("/Caption"):
        if tree.at(element["P"])["S"] not in ("/Table", "/L", "/Figure"):
            element["S"] = "/P"


def _leave_out_decoration(document: Any, tree: Tree) -> None:
    """Take drawings that the page declares to be decoration out of the tree."""
    decoration = {
        (reference, box.content_box_x(), box.content_box_y())
        for reference, page in zip(tree.pdf.page_references, document.pages, strict=True)
        for box in page._page_box.descendants()
        if box.element is not None and box.element.get("aria-hidden") == "true"
    }
    for figure in tree.every("/Figure"):
        if (figure["Pg"], *figure["A"]["BBox"][:2]) in decoration:
            figure["K"].clear()


def _place_figures(tree: Tree) -> None:
    for figure in tree.every("/Figure"):
        height = tree.at(figure["Pg"])["MediaBox"][3]
        left, top, right, bottom = (POINTS_PER_PIXEL * side for side in figure["A"]["BBox"])
        figure["A"]["BBox"][:] = [left, height - bottom, right, height - top]


def _name_links(document: Any) -> None:
    """Describe every link by its words, where WeasyPrint writes the name of its target."""
    for page in document.pages:
        for box in page._page_box.descendants():
            note = getattr(box, "link_annotation", None)
            if note and box.element is not None:
                note["Contents"].string = " ".join("".join(box.element.itertext()).split())


def _name_heads(tree: Tree) -> None:
    named = [(element["ID"], element) for element in tree.walk() if "ID" in element]
    named.sort(key=lambda pair: pair[0].string)
    array, dictionary = type(tree.root["K"]), type(tree.root)
    names = array(part for id, element in named for part in (id, element.reference))
    tree.root["IDTree"] = dictionary({"Names": names})
