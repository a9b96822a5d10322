"""Rules of pages, their content, links and fonts."""

import re
from collections import Counter

import pikepdf
from opened_pdf import as_list


def _per_page(found):
    def rule(pdf):
        for number, content in enumerate(pdf.content, start=1):
            if found(content):
                yield f"page {number}: {found(content)}"

    return rule


def tabs(pdf):
    for number, page in enumerate(pdf.pdf.pages, start=1):
        if page.get("/Tabs") != "/S":
            yield f"page {number}"


def page_keys(pdf):
    keys = [page.get("/StructParents") for page in pdf.pdf.pages]
    if keys != list(range(len(keys))):
        yield f"{keys}"


def numbers_once(pdf):
    for number, content in enumerate(pdf.content, start=1):
        if max(Counter(content.numbers).values(), default=1) > 1:
            yield f"page {number}"


def content_in_tree(pdf):
    """Every piece of marked content belongs to one element, and every element's piece is drawn."""
    owned = Counter(mark for node in pdf.nodes for mark in node.marks)
    drawn = {
        (page.objgen, n)
        for page, content in zip(pdf.pdf.pages, pdf.content, strict=True)
        for n in content.numbers
    }
    yield from (f"{mark} belongs to {owned.get(mark, 0)}" for mark in drawn if owned[mark] != 1)
    yield from (f"{mark} is not drawn" for mark in owned if mark not in drawn)


def parent_tree(pdf):
    pages = {page.objgen: int(page.StructParents) for page in pdf.pdf.pages}
    for node in pdf.nodes:
        for page, n in node.marks:
            entry = pdf.parents.get(pages.get(page), [])
            if n >= len(entry) or entry[n] is None or entry[n].objgen != node.obj.objgen:
                yield f"{node}, content {n}"


def note_parents(pdf):
    owners = {note.objgen: node for node in pdf.nodes for note in node.notes}
    for _, note in pdf.annotations:
        entry = pdf.parents.get(int(note.get("/StructParent", -1)))
        owner = owners.get(note.objgen)
        if entry is None or owner is None or entry.objgen != owner.obj.objgen:
            yield f"annotation {note.objgen}"


def next_key(pdf):
    if int(pdf.root.StructTreeRoot.get("/ParentTreeNextKey", -1)) <= max(pdf.parents):
        yield "the next key is already taken"


def furniture(pdf):
    for number, content in enumerate(pdf.content, start=1):
        if not content.furniture:
            yield f"page {number} has no running head that is an artifact"


def _forms(pdf):
    streams = (entry for entry in pdf.pdf.objects if isinstance(entry, pikepdf.Stream))
    return [entry for entry in streams if entry.get("/Subtype") in ("/Form", "/PS")]


def no_tags_in_forms(pdf):
    yield from (f"form {form.objgen}" for form in _forms(pdf) if b"/MCID" in form.read_bytes())


def no_foreign_forms(pdf):
    for form in _forms(pdf):
        if "/Ref" in form or "/PS" in form or form.Subtype == "/PS":
            yield f"form {form.objgen}"


def rgb_only(pdf):
    for number, content in enumerate(pdf.content, start=1):
        if content.operators & {"k", "K"}:
            yield f"page {number} mixes inks"


def no_interpolation(pdf):
    for entry in pdf.pdf.objects:
        if isinstance(entry, pikepdf.Stream) and entry.get("/Interpolate"):
            yield f"image {entry.objgen}"


def links_described(pdf):
    for page, note in pdf.annotations:
        if not str(note.get("/Contents", "")).strip():
            yield f"page {page.index + 1}"


def links_printed(pdf):
    for page, note in pdf.annotations:
        if int(note.get("/F", 0)) & 0b100111 != 0b100:
            yield f"page {page.index + 1}: flags {note.get('/F')}"


def only_links(pdf):
    for page, note in pdf.annotations:
        if note.get("/Subtype") != "/Link":
            yield f"page {page.index + 1}: {note.get('/Subtype')}"


def links_lead_somewhere(pdf):
    named = pdf.root.get("/Names", {}).get("/Dests", {}).get("/Names", [])
    places = {bytes(name) for name in list(named)[::2]}
    for page, note in pdf.annotations:
        target = note.get("/Dest")
        if not isinstance(target, pikepdf.String) or bytes(target) not in places:
            yield f"page {page.index + 1}: {note.get('/Contents')}"


def _programs(font):
    for below in font.get("/DescendantFonts", [font]):
        described = below.get("/FontDescriptor", {})
        yield any(key in described for key in ("/FontFile", "/FontFile2", "/FontFile3"))


def fonts_embedded(pdf):
    yield from (str(f.BaseFont) for f in pdf.fonts.values() if not all(_programs(f)))


def fonts_tell_text(pdf):
    yield from (str(f.BaseFont) for f in pdf.fonts.values() if "/ToUnicode" not in f)


def _characters(font):
    text = font.ToUnicode.read_bytes().decode("latin-1")
    blocks = re.findall(r"beginbfchar(.*?)endbfchar", text, re.DOTALL)
    pairs = [pair for b in blocks for pair in re.findall(r"<(\w+)>\s*<(\w*)>", b)]
    return {int(code, 16): bytes.fromhex(words).decode("utf-16-be") for code, words in pairs}


def text_is_text(pdf):
    for font in pdf.fonts.values():
        found = _characters(font) if "/ToUnicode" in font else {}
        bad = [c for c, words in found.items() if not words or set(words) & set("\0\ufeff\ufffe")]
        if bad:
            yield f"{font.BaseFont}: codes {bad[:5]}"


def _shown(pdf):
    shown = {}
    for content in pdf.content:
        for name, codes in content.text.items():
            pairs = zip(codes[::2], codes[1::2], strict=True)
            shown.setdefault(name, set()).update(256 * high + low for high, low in pairs)
    return shown


def no_missing_glyph(pdf):
    yield from (f"{name} draws .notdef" for name, codes in _shown(pdf).items() if 0 in codes)


def every_code_told(pdf):
    for name, codes in _shown(pdf).items():
        font = pdf.fonts.get(name, {})
        if "/ToUnicode" in font and codes - set(_characters(font)):
            yield f"{name}: {sorted(codes - set(_characters(font)))[:5]}"


def codes_are_glyphs(pdf):
    for font in pdf.fonts.values():
        for below in as_list(font.get("/DescendantFonts")):
            if below.Subtype == "/CIDFontType2" and "/CIDToGIDMap" not in below:
                yield str(font.BaseFont)
        if font.get("/Encoding") != "/Identity-H":
            yield f"{font.BaseFont}: encoding {font.get('/Encoding')}"


PAGE_RULES = {
    "tab order is the structure's": tabs,
    "pages have their key": page_keys,
    "everything drawn is tagged or an artifact": _per_page(lambda c: c.unmarked),
    "no artifact in tagged content": _per_page(lambda c: c.artifact_in_tagged),
    "no tagged content in an artifact": _per_page(lambda c: c.tagged_in_artifact),
    "marks are balanced": _per_page(lambda c: not c.balanced),
    "numbers of content are used once": numbers_once,
    "content and tree agree": content_in_tree,
    "parent tree agrees with the tree": parent_tree,
    "parent tree knows the links": note_parents,
    "next key of the parent tree is free": next_key,
    "running heads are artifacts": furniture,
    "no tags in forms": no_tags_in_forms,
    "no form draws from another file": no_foreign_forms,
    "colours are of the stated space": rgb_only,
    "no image is interpolated": no_interpolation,
    "links are described": links_described,
    "links are shown and printed": links_printed,
    "annotations are links": only_links,
    "links lead to places in the file": links_lead_somewhere,
    "fonts are embedded": fonts_embedded,
    "fonts tell their text": fonts_tell_text,
    "text is text": text_is_text,
    "every code has its text": every_code_told,
    "no glyph is missing": no_missing_glyph,
    "codes are glyphs": codes_are_glyphs,
}
