"""Word documents, as Teams and Otter write transcripts: their paragraphs as lines of text, which other readers read."""

from __future__ import annotations

import io
import zipfile
import zlib

from talksearch.indexer.errors import UnreadableError

ENCODING = "docx"
"""What `decode` steps call such a file."""

_PART = "word/document.xml"
_LARGEST_BYTES = 200_000_000
"""Of what a document unpacks to. A transcript of a day is 1 MB; more is a trap, or pictures."""


def is_word(data: bytes) -> bool:
    """Say whether the bytes of a file are a Word document (.docx)."""
    return data.startswith(b"PK\x03\x04") and _PART.encode() in data


def text_of(data: bytes) -> str:
    r"""Return the text of a Word document: a line for each paragraph, and for each row of a table, with tabs between.

    Raises:
        UnreadableError: it is damaged, or unpacks to far more than any transcript.
    """
    import docx  # it takes a while, and hardly any archive needs it
    from docx.table import Table

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            if sum(part.file_size for part in parts.infolist()) > _LARGEST_BYTES:
                raise UnreadableError("The Word document unpacks to more than any transcript.", "Leave the file out.")
        lines: list[str] = []
        for block in docx.Document(io.BytesIO(data)).iter_inner_content():
            if isinstance(block, Table):
                lines += ["\t".join(" ".join(cell.text.split()) for cell in row.cells) for row in block.rows]
            else:
                lines.append(block.text)
    except (zipfile.BadZipFile, zlib.error, SyntaxError, LookupError, ValueError, EOFError, OSError) as error:
        # A SyntaxError is lxml's, of broken XML.
        raise UnreadableError(f"The Word document is damaged: {error}.", "Save it again, or as plain text.") from error
    return "\n".join(lines)
