"""What processes that train or test have in common: which of them speaks, and of what."""

import logging
import os
import warnings

import torch

HARMLESS = (
    ".*LeafSpec",  # Lightning 2.6 asks PyTorch 2.13 for something that a later PyTorch will not have
    "Checkpoint directory .* exists and is not empty",  # a run that goes on
)


def first_process() -> bool:
    """Say whether this is the first, or the only one, of the processes that train together."""
    return os.environ.get("LOCAL_RANK", "0") == "0"


def quieten() -> None:
    """Keep to what a user should read: one process speaks, and Lightning only when something is wrong."""
    for name in ("pytorch_lightning", "lightning_fabric", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.WARNING)
    if not first_process():
        logging.disable(logging.WARNING)
    for harmless in HARMLESS:
        warnings.filterwarnings("ignore", message=harmless)
    torch.set_float32_matmul_precision("high")
