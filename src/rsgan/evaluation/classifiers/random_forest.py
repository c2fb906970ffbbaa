"""Random forest on the values of a pixel series."""

from typing import ClassVar, Literal

import numpy as np
from joblib import parallel_config
from numpy.typing import NDArray
from pydantic import PositiveInt

from src.rsgan.evaluation.classifiers import CLASSIFIERS, Model, ReferenceClassifier
from src.rsgan.evaluation.classifiers.chunks import Chunks, Series, Survey


@CLASSIFIERS.register
class RandomForest(ReferenceClassifier):
    """Breiman (2001), doi:10.1023/A:1010933404324, by scikit-learn, on the values of each band at each step.

    Trees need their data in memory. They are grown from a uniform sample of the series of all chunks, which is the same
    however the series are cut into chunks.

    Attributes:
        n_trees: number of trees.
    """

    name: Literal["random_forest"] = "random_forest"
    n_trees: PositiveInt = 100
    max_series: ClassVar[int] = 20_000
    trusted: ClassVar[tuple[str, ...]] = ("sklearn.tree._tree.Tree",)

    def learn(self, chunks: Chunks, data: Survey, *, njobs: int) -> Model:
        """Learn; see `ReferenceClassifier`."""
        from sklearn.ensemble import RandomForestClassifier

        forest = RandomForestClassifier(self.n_trees, random_state=self._library_seed())
        with parallel_config("threading", n_jobs=njobs):
            return {"forest": forest.fit(data.series.reshape(len(data.series), -1), data.indices)}

    def decide(self, model: Model, series: Series, *, njobs: int) -> NDArray[np.integer]:
        """Classify; see `ReferenceClassifier`."""
        with parallel_config("threading", n_jobs=njobs):
            return model["forest"].predict(series.reshape(len(series), -1))
