"""Random forest on the values of a pixel series."""

from typing import ClassVar, Literal

import numpy as np

from src.rsgan.evaluation.classifiers import CLASSIFIERS, Model
from src.rsgan.evaluation.classifiers.chunks import Chunks, Survey
from src.rsgan.evaluation.classifiers.trees import LEAF, TreeClassifier, join


@CLASSIFIERS.register
class RandomForest(TreeClassifier):
    """Breiman (2001), doi:10.1023/A:1010933404324, by scikit-learn, on the values of each band at each step."""

    name: Literal["random_forest"] = "random_forest"
    max_series: ClassVar[int] = 20_000

    def learn(self, chunks: Chunks, data: Survey, *, njobs: int) -> Model:
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
        return join(trees, np.zeros(len(forest.classes_)), forest.classes_)
