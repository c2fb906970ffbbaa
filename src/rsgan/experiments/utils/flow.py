"""What experiments share that generate series by flow matching."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, ClassVar

import torch
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor
from torch.nn import functional

from src.rsgan.data.store import Batch
from src.rsgan.experiments import Generated
from src.rsgan.experiments.experiment import Channels, Descend, Figures, stay
from src.rsgan.experiments.utils import losses
from src.rsgan.experiments.utils.series import LOG_VARIANCES, SeriesExperiment, SeriesSettings, let_pass
from utils.fields import Amount
from utils.seeding import Streams

# Of noise: pixels a side that have the same, and whether all steps do. What isn't known of a parcel isn't known of any
# of its pixels: of noise of single pixels, nothing would be left over a parcel.
SCALES = ((1, False), (4, False), (16, False), (16, True))

PARTS = 3  # what the network gives for each band of the target
PLACES = (-3.0, 4.6)  # log odds of how far along the way a sample is first and last told of: 0.05 and 0.99


class Flow(SeriesExperiment):
    """See `FlowSettings`."""

    figures: ClassVar = {
        "estimate": ("Loss/train_estimate", "Loss/val_estimate"),
        "generator": ("Loss/train_generator", "Loss/val_generator"),
        "mae": ("Metric/train_mae", "Metric/val_mae"),
    }
    val_loss = "generator"

    def step(self, sample: Batch, descend: Descend = stay) -> Figures:
        """Learn the estimate, and where the way ends from a place on it."""
        source, target, exists, settings = sample["source"], sample["target"], sample["exists"], self.settings
        start, log_variance = self._start(self.generator(self._told(source), sample["times"], exists), source)
        along = torch.rand(len(source), device=source.device)
        noise = self._noise(draw_noise(target.shape), log_variance.detach())
        way = start.detach(), bridge(start.detach(), target, along, noise), along
        end = self._end(self.generator(self._told(source, *way), sample["times"], exists), *way)
        uncertainty = losses.gaussian_nll(start.detach()[exists], log_variance[exists], target[exists])
        estimate = self.fidelity(start[exists], target[exists]) + settings.variance_weight * uncertainty
        flow = functional.mse_loss(end[exists], target[exists])
        descend("generator", estimate + settings.flow_weight * flow)
        error = losses.mean_absolute_error(start[exists], target[exists])
        return {"estimate": estimate, "generator": flow, "mae": error}

    def _told(self, source: Tensor, *way: Tensor) -> Tensor:
        """Join source, estimate, place on the way, `(B, T, C, H, W)`, and how far that is, `(B,)`; zeros at first."""
        if not way:
            more = self.configured["generator"].input_size[0] - source.shape[2]
            return functional.pad(source, (0, 0, 0, 0, 0, more))
        start, place, along = way
        far = _as_series(along, source).expand(*source.shape[:2], 1, *source.shape[3:])
        return torch.cat([source, start, place, far], dim=2)

    def _start(self, made: Tensor, source: Tensor) -> tuple[Tensor, Tensor]:
        """Make the estimate of what the generator gives, and the logarithm of its variance."""
        mean, passing, log_variance = made.float().chunk(PARTS, dim=2)
        estimate = let_pass(source, passing, mean) if self.settings.keeps_source else mean
        return estimate, log_variance.clamp(*LOG_VARIANCES)

    def _noise(self, drawn: Tensor, log_variance: Tensor) -> Tensor:
        """Noise of a bridge: in proportion to the standard deviation of what isn't known."""
        return self.settings.noise * (log_variance / 2).exp() * drawn.to(log_variance)

    def _end(self, made: Tensor, start: Tensor, place: Tensor, along: Tensor) -> Tensor:
        """Make the end of the way of what the generator gives.

        Of normally distributed targets of variance v, the end to expect is `v / (τ v + noise² (1 - τ))` of the way from
        the estimate to the place: its log odds are those of `v / noise²` less `log(1 - τ)`, whatever τ is.
        """
        change, passing, _ = made.float().chunk(PARTS, dim=2)
        passing = passing - torch.log1p(-_as_series(along, passing))
        return torch.lerp(start, place, passing.sigmoid()) + change

    def translate(self, series: Batch) -> Generated:
        _, samples = self._go(series, self.settings.samples)
        return Generated(samples.mean(dim=0), samples=samples)

    def stages(self, series: Batch) -> dict[str, Tensor]:
        start, samples = self._go(series, 1)
        return {"Estimate": start, "Generated": samples[0]}

    def _go(self, series: Batch, samples: int) -> tuple[Tensor, Tensor]:
        """Generate samples `(S, T, C, H, W)` of a series, and the estimate `(T, C, H, W)` that they begin with."""
        source, times = series["source"][None], series["times"][None]
        start, log_variance = self._start(self.in_tiles(self._told(source), times), source)
        drawn = [self._sample(number, source, times, start, log_variance) for number in range(samples)]
        return start[0], torch.stack(drawn)

    def _sample(self, number: int, source: Tensor, times: Tensor, start: Tensor, log_variance: Tensor) -> Tensor:
        """Go the way once, with noise of the sample's own: `(T, C, H, W)`."""
        stream = torch.Generator().manual_seed(Streams((self.settings.seed,)).integer("samples", number))
        noise = self._noise(draw_noise(start.shape, stream), log_variance)
        grid = torch.cat([torch.linspace(*PLACES, self.settings.legs).sigmoid(), torch.ones(1)]).to(start)
        place, before = bridge(start, start, grid[:1], noise), None
        for along, further in pairwise(grid.split(1)):
            way = start, place, along
            end = self._end(self.in_tiles(self._told(source, *way), times), *way)
            # In the middle of the next leg, the end in sight will have moved on half as far as in the one before.
            ahead = end if before is None or further == 1 else torch.lerp(before, end, 1.5)
            place, before = follow(*way, ahead, further), end
        return place[0]


class FlowSettings(SeriesSettings):
    """`smoothL1(estimate, target) + variance_weight * NLL + flow_weight * MSE(end, target)` is minimised.

    The generator gives an estimate and its variance, as in `SequenceSettings`; and, told of the estimate and of a place
    `(1 - τ) estimate + τ target + noise sqrt(τ (1 - τ)) z` on a Brownian bridge between the two, the target. In testing
    the way is gone in some legs, with noise that is drawn once: as an ordinary differential equation, in steps of the
    log odds of τ that are right to second order (Lu et al. 2022, arXiv:2211.01095). Relatives: Lipman et al. 2023,
    arXiv:2210.02747; diffusion bridges for cloud removal, arXiv:2504.03607.

    Attributes:
        variance_weight: of the negative log likelihood of the target around the estimate; of the variance alone.
        flow_weight: of the error at the end of the way.
        noise: standard deviation of the bridge, in those of the estimate: a bridge of one width for all pixels would
            leave in clear ones as much of it as in hidden ones.
        legs: in which a sample goes the way; each runs the network.
        samples: of each series in testing. Their mean is the image.
    """

    variance_weight: Amount = 0.1
    flow_weight: Amount = 1
    noise: PositiveFloat = 2
    legs: PositiveInt = 5
    samples: Annotated[int, Field(ge=2)] = 10

    optimizers: ClassVar = {"generator": ("generator",)}
    builds = Flow

    def channels(self, source: int, target: int) -> dict[str, Channels]:
        return {"generator": (source + 2 * target + 1, PARTS * target)}


def _as_series(along: Tensor, series: Tensor) -> Tensor:
    """Give what is of series, `(B,)`, as many axes as they have."""
    return along.reshape(-1, *[1] * (series.ndim - 1))


def bridge(start: Tensor, end: Tensor, along: Tensor, noise: Tensor) -> Tensor:
    """Find the place on a Brownian bridge, `along`, `(B,)`, of the way."""
    along = _as_series(along, start)
    return torch.lerp(start, end, along) + (along * (1 - along)).sqrt() * noise


def follow(start: Tensor, place: Tensor, along: Tensor, end: Tensor, further: Tensor) -> Tensor:
    """Go on from a place on a bridge to one that is `further`, with the noise that there is, to an end in sight."""
    far = _as_series(along, start)
    noise = (place - torch.lerp(start, end, far)) / (far * (1 - far)).sqrt()
    return bridge(start, end, further, noise)


def draw_noise(shape: Sequence[int], generator: torch.Generator | None = None) -> Tensor:
    """Draw noise `(B, T, C, H, W)` of unit variance, as much of it at each of `SCALES`."""
    number, horizon, bands, height, width = shape
    total = torch.zeros(shape)
    for side, constant in SCALES:
        rows, columns = -(-height // side), -(-width // side)
        coarse = torch.randn(number, 1 if constant else horizon, bands, rows, columns, generator=generator)
        fine = coarse.repeat_interleave(side, dim=-2).repeat_interleave(side, dim=-1)
        total += fine[..., :height, :width]
    return total / len(SCALES) ** 0.5
