"""What a PDF says of itself: archival and accessible at once, dated by the result."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from audit.results import AuditResult, write_result

ACCESSIBLE = b"""
<rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">
<pdfuaid:part>1</pdfuaid:part>
</rdf:Description>
<rdf:Description rdf:about=""
 xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"
 xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>PDF/UA identification schema</pdfaSchema:schema>
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">
<pdfaProperty:name>part</pdfaProperty:name>
<pdfaProperty:valueType>Integer</pdfaProperty:valueType>
<pdfaProperty:category>internal</pdfaProperty:category>
<pdfaProperty:description>Part of ISO 14289 that the file follows</pdfaProperty:description>
</rdf:li></rdf:Seq></pdfaSchema:property>
</rdf:li></rdf:Bag></pdfaExtension:schemas>
</rdf:Description>
"""
"""PDF/UA-1 marker; PDF/A wants every schema beyond its own declared in the file."""

END = b"</rdf:RDF>"

DESCRIPTIONS = {
    "result.json": "The audit result that this report renders",
    "measurements.csv": "Every contrast and rate of the audit, one row each",
}
"""What an attachment is, by its name."""

OTHER = "A table of the audit"


def date(metadata: Any, finished: datetime) -> None:
    """Give a document the times of the audit, never those of the clock."""
    moment = finished.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    metadata.created = metadata.modified = moment


def declare_accessible(metadata: Any) -> None:
    """Let a PDF/A-3a document say that it follows PDF/UA-1 too.

    References
    ----------
    ISO 14289-1:2014, clause 5; ISO 19005-3:2012, 6.6.2.3.
    """
    plain = metadata.generate_rdf_metadata

    def both(*asked: Any) -> bytes:
        written: bytes = plain(*asked)
        return written.replace(END, ACCESSIBLE + END)

    metadata.generate_rdf_metadata = both


def attachments(
    weasyprint: Any, result: AuditResult, tables: Mapping[str, bytes], fetcher: Any
) -> list[Any]:
    """Return the result and the tables as files to embed, in the order of their names."""
    content = {"result.json": write_result(result), **tables}
    finished = result.run.finished.astimezone(UTC)
    return [
        weasyprint.Attachment(
            string=content[name],
            name=name,
            description=DESCRIPTIONS.get(name, OTHER),
            created=finished,
            modified=finished,
            relationship="Data",
            url_fetcher=fetcher,
        )
        for name in sorted(content)
    ]
