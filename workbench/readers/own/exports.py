"""What workbench writes for others, recognised when it lies in a project: it tells of runs, and is none."""

from __future__ import annotations

import re
from pathlib import Path

from workbench.core.batch import Claim, Head
from workbench.core.written import is_remembered

OWN_EXPORT = Claim(0.0, "an export of workbench, not read", nearly=True)
"""The answer to a file of workbench's own: no reader may take it, and Sources says why."""

_HEADERS = (
    b"run_id,run,key,step,wall_time,value",
    b"id,name,format,path,status,status_reason,",
    b"path,format,generation,bytes,accepted,rejected,status,message",
    b"key,direction,unit,kind,run_id,run,value,delta.absolute,",
)
"""How the CSV of points, runs, sources and comparisons begins."""
_DOCUMENTS = re.compile(
    rb"""\s*(?:
      \[\s*\{"run_id":\ "[^"]*",\ "run":\ "[^"]*",\ "key":\ "[^"]*",\ "step":
    | \[?\s*\{\s*"id":\ "[0-9a-f]{12}",\s*"name":\ "[^"]*",\s*"format":\ "[^"]*",\s*"path":\ "[^"]*",\s*"status":
    | \[\s*\{\s*"path":\ "[^"]*",\s*"format":\ "[^"]*",\s*"generation":
    | \{\s*"baseline":\ [^,]*,\s*"value":\ "[a-z0-9@]+",\s*"runs":
    | \{\s*"title":\ "Workbench\ report[":]
    | (?:\#\ )?Workbench\ report:\ [^\n]*\r?\n\s*(?:\d{4}-\d\d-\d\dT|\#\#|\n)
    | <\?xml[^>]*>\s*<testsuites\ name="Workbench\ report
    | <!doctype\ html>.{0,2000}?<title>Workbench\ report
    )""",
    re.VERBOSE | re.DOTALL,
)
"""How JSON listings, points and every form of the report begin."""


def own_export(head: Head) -> Claim | None:
    """The answer to a file that workbench itself has written, by how it begins or because it remembers it."""
    if head.first_line.startswith(_HEADERS) or _DOCUMENTS.match(head.data):
        return OWN_EXPORT
    if head.place and is_remembered(Path(head.place), head.data, head.size):
        return OWN_EXPORT
    return None
