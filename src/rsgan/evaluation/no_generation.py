"""Land cover without any generated image: judges that learn from the sources of images, and are tested on them."""

import logging
from collections.abc import Sequence

from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.evaluation.classifiers import FittedClassifier, ReferenceClassifier
from src.rsgan.evaluation.pixels import PixelSample

logger = logging.getLogger(__name__)


def learn_from_sources(
    judges: Sequence[FittedClassifier], data: ToyDataModule, *, njobs: int
) -> list[FittedClassifier]:
    """Fit what each judge is to the source series of the pixels whose real series it has learnt from."""
    return [_learn(judge.settings, data, njobs=njobs) for judge in judges]


def _learn(settings: ReferenceClassifier, data: ToyDataModule, *, njobs: int) -> FittedClassifier:
    sample = PixelSample.to_learn_from(settings, data.views("train"), "source")
    logger.info("fitting %s to %d pixel series of the sources", settings.name, len(sample))
    return sample.fit(settings, njobs=njobs)
