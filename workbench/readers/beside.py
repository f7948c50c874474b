"""Parameter files beside a log, read whole as a source of their own: they describe a run but do not make one."""

from __future__ import annotations

from typing import ClassVar

from msgspec.structs import replace

from workbench.core.batch import NO, Batch, Chunk, Claim, Framing, Head
from workbench.plugin.api import Reader
from workbench.readers.params import PARAM_FILES, facts_beside


class ParamsReader(Reader):
    """Reads `hparams.yaml`, `config.json`, `.hydra/config.yaml` and the like into params."""

    name: ClassVar[str] = "params"
    framing: ClassVar[Framing] = "file"

    def claim(self, head: Head) -> Claim:
        """Never by detection: it is asked for files beside a log that was detected."""
        return NO

    def read(self, chunk: Chunk) -> Batch:
        """One fact a parameter."""
        hydra = chunk.path.parent.name == ".hydra"
        name = f".hydra/{chunk.path.name}" if hydra else chunk.path.name
        precedence = PARAM_FILES.index(name) - len(PARAM_FILES) if name in PARAM_FILES else 0  # below a log's own word
        facts = [replace(fact, precedence=precedence) for fact in facts_beside({name: chunk.data})]
        return Batch(facts=facts, accepted=1, consumed=len(chunk.data))
