"""Random forest on the values of a pixel series."""

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from src.rsgan.evaluation.classifiers import CLASSIFIERS, Model, ReferenceClassifier
from src.rsgan.evaluation.classifiers.chunks import Chunks, Series, Survey
from src.rsgan.evaluation.classifiers.trees import LEAF, Trees


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

    def learn(self, chunks: Chunks, data: Survey, *, njobs: int) -> Model:
        """Learn; see `ReferenceClassifier`."""
        from joblib import parallel_config
        from sklearn.ensemble import RandomForestClassifier

        forest = RandomForestClassifier(self.n_trees, random_state=self._library_seed())
        with parallel_config("threading", n_jobs=njobs):
            forest.fit(data.series.reshape(len(data.series), -1), data.indices)
        trees = [
            {
                "feature": np.where(tree.children_left < 0, LEAF, tree.feature),
                "threshold": tree.threshold,
                "left": tree.children_left,
                "right": tree.children_right,
                "values": tree.value[:, 0],  # (N, 1, K) -> (N, K): shares of the classes
            }
            for tree in (one.tree_ for one in forest.estimators_)
        ]
        return Trees.join(trees, start=np.zeros(len(forest.classes_)), classes=forest.classes_).arrays()

    def check(self, model: Model, horizon: int, nbands: int, nclasses: int) -> None:
        """Check; see `ReferenceClassifier`."""
        Trees(**model).check(horizon * nbands, nclasses)

    def decide(self, model: Model, series: Series, *, njobs: int) -> NDArray[np.integer]:
        """Classify; see `ReferenceClassifier`."""
        return Trees(**model).decide(series, njobs=njobs)
