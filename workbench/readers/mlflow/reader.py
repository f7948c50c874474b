"""MLflow's file store: one source a run, its folder read as a whole by the reader itself."""

from __future__ import annotations

from typing import ClassVar

from workbench.plugin.api import Batch, Chunk, Claim, Framing, Head, Reader


class MlflowReader(Reader):
    """Reads a run's folder: `meta.yaml`, params, tags and inputs whole when they change, metrics by their tails."""

    name: ClassVar[str] = "mlflow"
    framing: ClassVar[Framing] = "path"
    names: ClassVar[tuple[str, ...]] = ("meta.yaml",)

    def claim(self, head: Head) -> Claim:
        """Certain for the `meta.yaml` of a run; those of experiments, datasets and models are none of one."""
        from workbench.readers.mlflow import folder as folders

        uuid = folders.run_id_in(head.data)
        if head.name != folders.META or not uuid:
            return Claim(0.0, "a meta.yaml without run_uuid: of an experiment, a dataset or a model, not of a run")
        return Claim(1.0, "the meta.yaml of an MLflow run", native_id=uuid, covers=("**",))

    def stamp(self, place: str) -> tuple[int, int]:
        """Of the whole folder while the run goes on; of what may still change once it has ended."""
        from workbench.readers.mlflow import folder as folders

        return folders.stamp(place)

    def read(self, chunk: Chunk) -> Batch:
        """Whatever the folder tells that it did not before."""
        from workbench.readers.mlflow.reading import read_folder

        return read_folder(chunk)
