"""Rules of the file as a whole: what it says of itself, carries and never does."""

import re
from hashlib import md5
from xml.etree import ElementTree

import pikepdf
from opened_pdf import as_list, pairs

PDFUA = "http://www.aiim.org/pdfua/ns/id/"
DC = "{http://purl.org/dc/elements/1.1/}"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
ACTIONS = {
    "/JavaScript", "/Launch", "/URI", "/SubmitForm", "/ImportData", "/GoToR", "/GoToE", "/Sound",
    "/Movie", "/ResetForm", "/Rendition", "/Trans", "/SetOCGState", "/Hide", "/Thread",
    "/GoTo3DView",
}  # fmt: skip


def header(pdf):
    if not re.match(rb"%PDF-1\.[0-7]\n%[\x80-\xff]{4}", pdf.raw):
        yield repr(pdf.raw[:20])


def marked(pdf):
    if not pdf.root.get("/MarkInfo", {}).get("/Marked", False):
        yield "it is not marked as tagged"


def no_suspects(pdf):
    if pdf.root.get("/MarkInfo", {}).get("/Suspects", False):
        yield "it says that its tags are doubtful"


def language(pdf):
    if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", str(pdf.root.get("/Lang", ""))):
        yield f"language {str(pdf.root.get('/Lang', ''))!r}"


def title_shown(pdf):
    if not pdf.root.get("/ViewerPreferences", {}).get("/DisplayDocTitle", False):
        yield "windows show the file name"


def metadata(pdf):
    stream = pdf.root.get("/Metadata")
    if stream is None or stream.get("/Subtype") != "/XML":
        yield "there is none"
        return
    try:
        ElementTree.fromstring(pdf.xmp)
    except ElementTree.ParseError as error:
        yield str(error)


def _xmp(pdf, key):
    with pdf.pdf.open_metadata() as meta:
        return str(meta.get(key, ""))


def title(pdf):
    words = ElementTree.fromstring(pdf.xmp).find(f".//{DC}title//{RDF}li")
    if words is None or not (words.text or "").strip():
        yield "there is none"


def says_archival(pdf):
    found = (_xmp(pdf, "pdfaid:part"), _xmp(pdf, "pdfaid:conformance"))
    if found != ("3", "A"):
        yield f"{found}"


def says_accessible(pdf):
    if _xmp(pdf, "pdfuaid:part") != "1":
        yield f"part {_xmp(pdf, 'pdfuaid:part')!r}"


def declares_schema(pdf):
    space = "{http://www.aiim.org/pdfa/ns/schema#}"
    tree = ElementTree.fromstring(pdf.xmp)
    declared = [entry.text for entry in tree.iter(f"{space}namespaceURI")]
    if PDFUA not in declared:
        yield f"declared: {declared}"


def dates_agree(pdf):
    told = {_digits(pdf.pdf.docinfo.get(k, "")) for k in ("/CreationDate", "/ModDate")}
    written = {_digits(_xmp(pdf, k)) for k in ("xmp:CreateDate", "xmp:ModifyDate")}
    if len(told | written) != 1 or "" in told:
        yield f"{told} and {written}"


def _digits(moment):
    return re.sub(r"\D", "", str(moment))[:14]


def not_encrypted(pdf):
    if "/Encrypt" in pdf.pdf.trailer:
        yield "it is"


def identified(pdf):
    if len(as_list(pdf.pdf.trailer.get("/ID"))) != 2:
        yield "no identifier"


def colour_space(pdf):
    intents = as_list(pdf.root.get("/OutputIntents"))
    stated = [str(i.S) for i in intents if int(i.get("/DestOutputProfile", {}).get("/N", 0)) == 3]
    if stated != ["/GTS_PDFA1"]:
        yield f"{stated}"


def no_script(pdf):
    if "/JavaScript" in pdf.root.get("/Names", {}):
        yield "in the names"
    yield from ("an action" for entry in pdf.dictionaries if "/JS" in entry)


def no_actions(pdf):
    if "/OpenAction" in pdf.root:
        yield "on opening"
    for entry in pdf.dictionaries:
        if "/AA" in entry or ("/S" in entry and str(entry.get("/S")) in ACTIONS):
            yield f"{entry.get('/S')} in {entry.objgen}"


def no_forms(pdf):
    if "/AcroForm" in pdf.root or "/XFA" in pdf.root:
        yield "it has fields"


def no_layers(pdf):
    if "/OCProperties" in pdf.root:
        yield "it has layers"


def no_streams_outside(pdf):
    for entry in pdf.pdf.objects:
        if isinstance(entry, pikepdf.Stream) and ("/F" in entry or "/FFilter" in entry):
            yield f"stream {entry.objgen}"


def no_lzw(pdf):
    for entry in pdf.pdf.objects:
        if isinstance(entry, pikepdf.Stream):
            filters = [str(f) for f in as_list(entry.get("/Filter"))]
            if {"/LZWDecode", "/Crypt"} & set(filters):
                yield f"stream {entry.objgen}"


def _outline(pdf):
    def walk(items, depth):
        for item in items:
            yield depth, item
            yield from walk(item.children, depth + 1)

    with pdf.pdf.open_outline() as outline:
        return list(walk(outline.root, 1))


def outline_follows(pdf):
    """Every heading down to the third level below the title has its entry, at least as deep."""
    depths = [depth for depth, _ in _outline(pdf)]
    levels = [int(n.kind[1]) - 1 for n in pdf.nodes if n.kind in ("H2", "H3", "H4")]
    if not depths or len(depths) != len(levels):
        yield f"{len(depths)} entries for {len(levels)} headings"
    for depth, level in zip(depths, levels, strict=False):
        if not level <= depth <= 3:
            yield f"depth {depth} for level {level}"


def outline_leads(pdf):
    pages = {page.objgen for page in pdf.pdf.pages}
    for _, item in _outline(pdf):
        if not item.destination or item.destination[0].objgen not in pages:
            yield str(item.title)


def outline_named(pdf):
    yield from ("an entry without words" for _, i in _outline(pdf) if not str(i.title).strip())


def file_names(pdf):
    for spec in pdf.files:
        if not str(spec.get("/F", "")) or str(spec.get("/F")) != str(spec.get("/UF", "")):
            yield f"{spec.get('/F')} and {spec.get('/UF')}"


def file_relations(pdf):
    known = {"/Source", "/Data", "/Alternative", "/Supplement"}
    yield from (str(s.get("/UF")) for s in pdf.files if str(s.get("/AFRelationship")) not in known)


def files_described(pdf):
    yield from (str(s.get("/UF")) for s in pdf.files if not str(s.get("/Desc", "")).strip())


def files_typed(pdf):
    for spec in pdf.files:
        if "/" not in str(spec.EF.F.get("/Subtype", ""))[1:]:
            yield str(spec.get("/UF"))


def files_dated(pdf):
    for spec in pdf.files:
        if not {"/ModDate", "/CreationDate"} <= set(spec.EF.F.get("/Params", {}).keys()):
            yield str(spec.get("/UF"))


def files_whole(pdf):
    for spec in pdf.files:
        content, told = spec.EF.F.read_bytes(), spec.EF.F.get("/Params", {})
        digest = md5(content, usedforsecurity=False).digest()
        if int(told.get("/Size", -1)) != len(content) or bytes(told.get("/CheckSum")) != digest:
            yield str(spec.get("/UF"))


def files_associated(pdf):
    associated = {spec.objgen for spec in as_list(pdf.root.get("/AF"))}
    yield from (str(s.get("/UF")) for s in pdf.files if s.objgen not in associated)


def files_listed(pdf):
    names = pdf.root.get("/Names", {}).get("/EmbeddedFiles", {}).get("/Names", [])
    listed = [(str(name), spec.objgen) for name, spec in pairs(names)]
    if listed != sorted((str(s.UF), s.objgen) for s in pdf.files):
        yield f"{[name for name, _ in listed]}"


FILE_RULES = {
    "header is of PDF 1": header,
    "file is marked as tagged": marked,
    "tags are not doubtful": no_suspects,
    "language is named": language,
    "title is shown": title_shown,
    "metadata is there": metadata,
    "title is there": title,
    "says PDF/A-3a": says_archival,
    "says PDF/UA-1": says_accessible,
    "declares the PDF/UA schema": declares_schema,
    "dates agree": dates_agree,
    "not encrypted": not_encrypted,
    "has an identifier": identified,
    "states its colour space": colour_space,
    "no script": no_script,
    "no actions": no_actions,
    "no forms": no_forms,
    "no layers": no_layers,
    "no stream lies elsewhere": no_streams_outside,
    "no forbidden filter": no_lzw,
    "outline follows the headings": outline_follows,
    "outline leads to pages": outline_leads,
    "outline has words": outline_named,
    "attachments are named": file_names,
    "attachments have a relation": file_relations,
    "attachments are described": files_described,
    "attachments have a type": files_typed,
    "attachments are dated": files_dated,
    "attachments are whole": files_whole,
    "attachments are associated": files_associated,
    "attachments are listed in order": files_listed,
}
