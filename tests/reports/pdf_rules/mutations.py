"""One way of breaking each rule, and a small page that keeps them all."""

from opened_pdf import OpenedPdf
from pikepdf import Array, Dictionary, Name, String

SPECIMEN = """<html lang="en"><head><title>A specimen</title><style>
@page { size: 120mm 90mm; @top-left { content: "Running head"; font: 7pt "Audit Sans"; } }
html { font: 8pt "Audit Serif"; } tr { break-inside: avoid; }
dl, dl div { display: block; } dt, dd { display: inline-block; }
h1 { bookmark-level: none; } h2 { bookmark-level: 1; } h3 { bookmark-level: 2; }
ol { list-style: none; } svg { display: block; }
nav a::after { content: target-counter(attr(href), page); }
</style></head><body><main><h1>A specimen</h1>
<nav><h2>Contents</h2>
<ol><li><a href="#one">One</a></li><li><a href="#two">Two</a></li></ol></nav>
<section><h2 id="one">One</h2><p>Words, <a href="#two">a link over words that are so many that they
take more than one line of this narrow page, and then some more</a>.</p>
<dl><div><dt>Term</dt> <dd>What it is</dd></div> <div><dt>Other</dt> <dd>That it is</dd></div></dl>
<ul><li><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" width="9" height="9"
aria-hidden="true"><rect width="9" height="9"/></svg> First of two</li><li>Second</li></ul>
<figure><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" width="90" height="90">
<title>A bar</title><rect width="5" height="9"/></svg><figcaption>What it shows</figcaption>
</figure></section>
<section><h2 id="two">Two</h2><h3>A table</h3><table><caption>Rows</caption><thead><tr>
<th scope="col">Name</th><th scope="col">Number</th></tr></thead><tbody>ROWS</tbody></table>
</section></main></body></html>"""
"""What a rule can be about, once; its table breaks over pages."""

_ROWS = "".join(f'<tr><th scope="row">Row {n}</th><td>{n}</td></tr>' for n in range(40))
SPECIMEN = SPECIMEN.replace("ROWS", _ROWS)


def first(pdf, kind):
    """Return the first element of a kind in reading order."""
    found = next(n for n in OpenedPdf(pdf).nodes if n.kind == kind)
    return found.obj


def wrap(pdf, element, kind):
    """Put an element of another kind between an element and its parent."""
    above = element.P
    between = pdf.make_indirect(
        Dictionary(Type=Name.StructElem, S=Name(f"/{kind}"), P=above, K=Array([element]))
    )
    above.K = Array([between if _same(kid, element) else kid for kid in above.K])
    element.P = between


def _same(kid, element):
    return not isinstance(kid, int) and kid.objgen == element.objgen


def rename(kind, other):
    def breaking(pdf):
        first(pdf, kind).S = Name(f"/{other}")

    return breaking


def within(kind, other):
    return lambda pdf: wrap(pdf, first(pdf, kind), other)


def drop(reach, key):
    def breaking(pdf):
        del reach(pdf)[key]

    return breaking


def put(reach, key, value):
    def breaking(pdf):
        reach(pdf)[key] = value(pdf) if callable(value) else value

    return breaking


def content(change):
    """Change what the first page draws."""

    def breaking(pdf):
        page = pdf.pages[0]
        page.Contents = pdf.make_stream(change(page.Contents.read_bytes()))

    return breaking


def xmp(old, new):
    def breaking(pdf):
        written = pdf.Root.Metadata.read_bytes()
        assert old in written
        pdf.Root.Metadata.write(written.replace(old, new))

    return breaking


def root(pdf):
    return pdf.Root


def tree(pdf):
    return pdf.Root.StructTreeRoot


def link(pdf):
    return next(page.Annots[0] for page in pdf.pages if "/Annots" in page)


def spec(pdf):
    return pdf.Root.Names.EmbeddedFiles.Names[1]


def font(pdf):
    return next(iter(pdf.pages[0].Resources.Font.values()))


def element(kind):
    return lambda pdf: first(pdf, kind)


def attributes(kind):
    return lambda pdf: first(pdf, kind).A


def empty_element(pdf):
    above = first(pdf, "Sect")
    above.K.append(
        pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name.P, P=above, K=Array([])))
    )


def second_document(pdf):
    tree(pdf).K.append(
        pdf.make_indirect(
            Dictionary(Type=Name.StructElem, S=Name.Document, P=tree(pdf), K=Array([]))
        )
    )


def remove_kid(kind, nth=0):
    def breaking(pdf):
        del first(pdf, kind).K[nth]

    return breaking


def move_last(kind, kid):
    """Put the first kid of a kind between the others."""

    def breaking(pdf):
        above = first(pdf, kind)
        places = [i for i, k in enumerate(above.K) if k.get("/S") == Name(f"/{kid}")]
        moved = above.K[places[0]]
        del above.K[places[0]]
        above.K.insert(1, moved)

    return breaking


def two_heads(pdf):
    table = first(pdf, "Table")
    table.K.append(first(pdf, "THead"))


def same_id(pdf):
    heads = [n.obj for n in OpenedPdf(pdf).nodes if n.kind == "TH"]
    heads[0].ID = heads[1].ID


def stray_link(pdf):
    page = pdf.pages[0]
    page.Annots.append(pdf.make_indirect(Dictionary(Type=Name.Annot, Subtype=Name.Link, F=4)))


def note_of_another_kind(pdf):
    link(pdf).Subtype = Name.Text


def shared_number(body):
    return body.replace(b"/MCID 1>>", b"/MCID 0>>", 1)


def missing_glyph(pdf):
    name = next(iter(pdf.pages[0].Resources.Font.keys())).encode()
    more = b"\n/Artifact BMC BT " + name + b" 1 Tf <0000> Tj ET EMC"
    content(lambda body: body + more)(pdf)


def form(key):
    def breaking(pdf):
        drawn = pdf.make_stream(b"/Span <</MCID 0>> BDC EMC", Type=Name.XObject, Subtype=Name.Form)
        if key:
            drawn[key] = Dictionary()
        pdf.pages[0].Resources.XObject["/Extra"] = drawn

    return breaking


def outline_of(pdf):
    return pdf.Root.Outlines.First


def swap_files(pdf):
    names = pdf.Root.Names.EmbeddedFiles
    a, b, c, d = names.Names
    names.Names = Array([c, d, a, b])


def strip_notes(node):
    node.K = Array([kid for kid in node.K if isinstance(kid, int)])


def strip_programs(whole):
    for below in whole.DescendantFonts:
        for key in ("/FontFile", "/FontFile2", "/FontFile3"):
            if key in below.FontDescriptor:
                del below.FontDescriptor[key]


MUTATIONS = {
    "header is of PDF 1": lambda pdf: None,
    "file is marked as tagged": put(root, "/MarkInfo", lambda pdf: Dictionary(Marked=False)),
    "tags are not doubtful": put(lambda pdf: pdf.Root.MarkInfo, "/Suspects", True),
    "language is named": put(root, "/Lang", String("")),
    "title is shown": drop(root, "/ViewerPreferences"),
    "metadata is there": drop(root, "/Metadata"),
    "title is there": xmp(b">A specimen<", b"><"),
    "says PDF/A-3a": xmp(b'conformance="A"', b'conformance="B"'),
    "says PDF/UA-1": xmp(b"<pdfuaid:part>1<", b"<pdfuaid:part>2<"),
    "declares the PDF/UA schema": xmp(b"pdfaSchema:namespaceURI", b"pdfaSchema:other"),
    "dates agree": put(lambda pdf: pdf.docinfo, "/ModDate", String("D:20200101000000Z")),
    "not encrypted": put(lambda pdf: pdf.trailer, "/Encrypt", lambda pdf: Dictionary()),
    "has an identifier": drop(lambda pdf: pdf.trailer, "/ID"),
    "states its colour space": drop(root, "/OutputIntents"),
    "no script": put(lambda pdf: pdf.Root.Names, "/JavaScript", lambda pdf: Dictionary()),
    "no actions": put(
        root, "/OpenAction", lambda pdf: Dictionary(S=Name.URI, URI=String("http://a.invalid"))
    ),
    "no forms": put(root, "/AcroForm", lambda pdf: Dictionary(Fields=Array([]))),
    "no layers": put(root, "/OCProperties", lambda pdf: Dictionary()),
    "no stream lies elsewhere": put(
        lambda pdf: pdf.Root.Metadata, "/F", lambda pdf: String("elsewhere.bin")
    ),
    "no forbidden filter": put(lambda pdf: pdf.Root.Metadata, "/Filter", Name.LZWDecode),
    "outline follows the headings": drop(root, "/Outlines"),
    "outline leads to pages": put(outline_of, "/Dest", lambda pdf: Array([pdf.Root, Name.Fit])),
    "outline has words": put(outline_of, "/Title", String(" ")),
    "attachments are named": drop(spec, "/UF"),
    "attachments have a relation": put(spec, "/AFRelationship", Name.Unspecified),
    "attachments are described": put(spec, "/Desc", String("")),
    "attachments have a type": drop(lambda pdf: spec(pdf).EF.F, "/Subtype"),
    "attachments are dated": drop(lambda pdf: spec(pdf).EF.F.Params, "/ModDate"),
    "attachments are whole": lambda pdf: spec(pdf).EF.F.write(b"other"),
    "attachments are associated": put(root, "/AF", lambda pdf: Array([])),
    "attachments are listed in order": swap_files,
    "tree begins with one document": second_document,
    "kinds are standard": rename("P", "Paragraph"),
    "parents agree": put(element("P"), "/P", lambda pdf: tree(pdf)),
    "no element is empty": empty_element,
    "no block stands in a line": rename("Sect", "P"),
    "table holds rows and caption": rename("Caption", "P"),
    "row groups stand in tables": within("TBody", "Div"),
    "row groups hold rows": rename("TR", "Div"),
    "rows stand in tables": within("TR", "Div"),
    "rows hold cells": rename("TD", "P"),
    "cells stand in rows": within("TD", "Div"),
    "table has one head": two_heads,
    "head comes with a body": rename("TBody", "TFoot"),
    "rows are equally wide": remove_kid("TR"),
    "heads have a scope": drop(attributes("TH"), "/Scope"),
    "cells name their heads": drop(attributes("TD"), "/Headers"),
    "named heads exist in the table": put(
        attributes("TD"), "/Headers", lambda pdf: Array([String("nowhere")])
    ),
    "ids are unique": same_id,
    "ids are listed": drop(tree, "/IDTree"),
    "caption is first or last": move_last("Table", "Caption"),
    "captions stand in tables, lists and figures": within("Caption", "Div"),
    "lists hold items": rename("LI", "P"),
    "items stand in lists": within("LI", "Div"),
    "items hold label and body": rename("LBody", "Div"),
    "labels and bodies stand in items": within("LBody", "Div"),
    "labelled lists say how": drop(attributes("L"), "/ListNumbering"),
    "contents hold entries": rename("TOCI", "P"),
    "entries stand in contents": within("TOCI", "Div"),
    "entries hold references": rename("Reference", "Div"),
    "figures are told": drop(element("Figure"), "/Alt"),
    "figures lie on their page": put(
        attributes("Figure"), "/BBox", lambda pdf: Array([0, 0, 9999, 9])
    ),
    "first heading is the only one of level 1": rename("H2", "H1"),
    "no level is skipped": rename("H3", "H4"),
    "headings hold words": put(element("H2"), "/K", lambda pdf: Array([])),
    "link elements reach a link": lambda pdf: strip_notes(first(pdf, "Link")),
    "links stand in link elements": stray_link,
    "no link in a link": within("Link", "Link"),
    "tab order is the structure's": drop(lambda pdf: pdf.pages[0], "/Tabs"),
    "pages have their key": put(lambda pdf: pdf.pages[0], "/StructParents", 7),
    "everything drawn is tagged or an artifact": content(lambda body: body + b"\n0 0 9 9 re f"),
    "no artifact in tagged content": content(
        lambda body: body + b"\n/P BMC /Artifact BMC 0 0 9 9 re f EMC EMC"
    ),
    "no tagged content in an artifact": content(
        lambda body: body + b"\n/Artifact BMC /P BMC 0 0 9 9 re f EMC EMC"
    ),
    "marks are balanced": content(lambda body: body + b"\n/Artifact BMC"),
    "numbers of content are used once": content(shared_number),
    "content and tree agree": content(
        lambda body: body + b"\n/Span <</MCID 9999>> BDC 0 0 9 9 re f EMC"
    ),
    "parent tree agrees with the tree": put(
        lambda pdf: tree(pdf).ParentTree, "/Nums", lambda pdf: Array([0, Array([])])
    ),
    "parent tree knows the links": put(link, "/StructParent", 0),
    "next key of the parent tree is free": put(tree, "/ParentTreeNextKey", 0),
    "running heads are artifacts": content(lambda body: body.replace(b"/Type /Pagination", b"")),
    "no tags in forms": form(None),
    "no form draws from another file": form("/Ref"),
    "colours are of the stated space": content(lambda body: body + b"\n0 0 0 1 k"),
    "no image is interpolated": lambda pdf: pdf.pages[0].Resources.XObject.__setitem__(
        "/Extra", pdf.make_stream(b"", Subtype=Name.Image, Interpolate=True)
    ),
    "links are described": put(link, "/Contents", String("")),
    "links are shown and printed": put(link, "/F", 2),
    "annotations are links": note_of_another_kind,
    "links lead to places in the file": put(link, "/Dest", String("nowhere")),
    "fonts are embedded": lambda pdf: strip_programs(font(pdf)),
    "fonts tell their text": drop(font, "/ToUnicode"),
    "text is text": lambda pdf: font(pdf).ToUnicode.write(
        b"1 beginbfchar\n<0001> <FEFF>\nendbfchar"
    ),
    "every code has its text": lambda pdf: font(pdf).ToUnicode.write(
        b"1 beginbfchar\n<0001> <0041>\nendbfchar"
    ),
    "no glyph is missing": missing_glyph,
    "codes are glyphs": put(font, "/Encoding", Name.WinAnsiEncoding),
}
"""For each rule, what breaks it."""
