"""Bring every message catalogue of the reports up to date with the source.

``make catalogues`` rewrites ``reports/catalogues/*.po``: new messages come in empty, messages that
no source has any more go out, and the order is that of the messages. ``--check`` writes nothing
and ends with 1 where a file would change or a message is untranslated. ``--new LANGUAGE`` begins
a file.
"""

import argparse
import io
import sys
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "reports" / "catalogues"
KEYWORDS = {
    "_": None,
    "N_": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "NP_": ((1, "c"), 2),
}
SOURCES = [("**.py", "python"), ("**.j2", "jinja2")]
DATED = ("POT-Creation-Date", "PO-Revision-Date", "Generated-By", "Last-Translator",
         "Project-Id-Version", "Report-Msgid-Bugs-To", "Language-Team")  # fmt: skip


def source_messages() -> Catalog:
    """Return every message that the reports' source has."""
    found = Catalog(charset="utf-8")
    for name, _, message, comments, context in extract_from_dir(
        ROOT / "reports", SOURCES, keywords=KEYWORDS, comment_tags=()
    ):
        found.add(message, None, [(f"reports/{name}", 0)], context=context, auto_comments=comments)
    return found


def updated(path: Path, source: Catalog) -> tuple[bytes, list[str]]:
    """Return a catalogue as it must be, and its messages that nobody translated."""
    language = path.stem.replace("-", "_")
    old = read_po(io.BytesIO(path.read_bytes()), locale=language) if path.exists() else Catalog(
        locale=language
    )  # fmt: skip
    old.update(source, no_fuzzy_matching=True)
    old.obsolete.clear()
    old.fuzzy = False
    written = io.BytesIO()
    write_po(written, old, width=0, no_location=True, sort_output=True, omit_header=False)
    lines = [
        line
        for line in written.getvalue().decode().splitlines()
        if not any(line.startswith(f'"{name}') for name in DATED) and not line.startswith("# ")
        and line != "#"
    ]  # fmt: skip
    empty = [_shown(m.id) for m in old if m.id and not _said(m)]
    return ("\n".join(lines).strip() + "\n").encode(), empty


def _said(message: Message) -> bool:
    return all(message.string) if message.pluralizable else bool(message.string)


def _shown(message: str | tuple[str, ...]) -> str:
    return message if isinstance(message, str) else message[0]


def main() -> int:
    """Write or check every catalogue."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--check", action="store_true")
    asked.add_argument("--new", metavar="LANGUAGE")
    given = asked.parse_args()
    source, bad = source_messages(), 0
    new = [FOLDER / f"{given.new}.po"] if given.new else []
    for path in sorted({*FOLDER.glob("*.po"), *new}):
        content, empty = updated(path, source)
        changed = not path.exists() or path.read_bytes() != content
        if changed and not given.check:
            path.write_bytes(content)
        bad += (changed and given.check) or bool(empty)
        state = "is out of date" if changed and given.check else "is up to date"
        print(f"{path.name} {state}; {len(empty)} of {len(source)} messages are not translated.")
        for message in empty[:20]:
            print(f"  {message!r}")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
