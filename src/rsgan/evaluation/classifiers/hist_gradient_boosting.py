"""Gradient boosting on the values of a pixel series."""

from typing import ClassVar, Literal

import numpy as np

from src.rsgan.evaluation.classifiers import CLASSIFIERS, Model
from src.rsgan.evaluation.classifiers.chunks import Chunks, Survey
from src.rsgan.evaluation.classifiers.trees import LEAF, TreeClassifier, join


@CLASSIFIERS.register
class HistGradientBoosting(TreeClassifier):
    """Boosted trees on binned values (Ke et al. 2017, LightGBM), by scikit-learn: `n_trees` for each class."""

    name: Literal["hist_gradient_boosting"] = "hist_gradient_boosting"
    max_series: ClassVar[int] = 100_000

    def learn(self, chunks: Chunks, data: Survey, *, njobs: int) -> Model:
        from sklearn.ensemble import HistGradientBoostingClassifier

        # Held-out pixels would come from the same parcels as the others, and tell nothing about when to stop.
        boosted = HistGradientBoostingClassifier(
            max_iter=self.n_trees, early_stopping=False, random_state=self._library_seed()
        )
        boosted.fit(data.series.reshape(len(data.series), -1), data.indices)
        # scikit-learn has no public name for its trees and for what their sums start from.
        nodes = [tree.nodes for iteration in boosted._predictors for tree in iteration]
        trees = [
            {
                "feature": np.where(node["is_leaf"], LEAF, node["feature_idx"].astype(np.int64)),
                "threshold": node["num_threshold"],
                "left": node["left"],
                "right": node["right"],
                "values": node["value"][:, None],
            }
            for node in nodes
        ]
        return join(trees, boosted._baseline_prediction.ravel(), boosted.classes_)
