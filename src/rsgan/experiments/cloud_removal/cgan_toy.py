"""Cloud removal by a conditional GAN."""

from typing import Literal

from src.rsgan.experiments import EXPERIMENTS
from src.rsgan.experiments.utils.cgan import CGANSettings


@EXPERIMENTS.register
class CGANToySettings(CGANSettings):
    name: Literal["cgan_toy_cloud_removal"]
