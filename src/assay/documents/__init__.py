"""Documents of all common kinds: `read(path or bytes) -> Document(text, places, notes)`.

kind       what some bytes are            formats/   a file for each format, all with the same function
document   what comes out                 helper     the process in which PDF, spreadsheets and images are opened
pages      "1-3,7"                        reader     from a path to a document
ocr        pages that are images
"""

from assay.documents.document import Document
from assay.documents.reader import read

__all__ = ["Document", "read"]
