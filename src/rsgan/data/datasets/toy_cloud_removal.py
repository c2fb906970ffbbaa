"""Cloud removal: what clouds hide is to be found from the rest of the image and from radar."""

from typing import Literal

from src.rsgan.data.datasets import DATASETS, DatasetConfig


@DATASETS.register
class ToyCloudRemoval(DatasetConfig):
    """Clouded optical and SAR frames as source, clean optical frames as target."""

    name: Literal["toy_cloud_removal"]
    sources = ("clouded_optical", "sar")
    target = "clean_optical"
    clouds = "clouded_optical"
