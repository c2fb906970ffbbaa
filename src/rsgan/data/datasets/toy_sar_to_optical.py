"""SAR-to-optical translation."""

from typing import Literal

from src.rsgan.data.datasets import DATASETS, DatasetConfig


@DATASETS.register
class ToySARToOptical(DatasetConfig):
    """SAR frames as source, optical frames as target."""

    name: Literal["toy_sar_to_optical"]
    sources = ("sar",)
    target = "optical"
    clouds = "optical"
