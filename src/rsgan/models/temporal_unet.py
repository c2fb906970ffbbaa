"""A U-Net over space whose levels look at all time steps of a series."""

import itertools
import math
from typing import Annotated, ClassVar, Literal, Self

import torch
from pydantic import Field, PositiveInt, model_validator
from torch import Tensor, nn
from torch.nn import functional

from src.rsgan.models import NETWORKS, Filters, Network
from src.rsgan.models.layers import Shape
from utils.scores import Sees

FLOOR = 12.0  # by how much a score can be below the best of its pixel
SLOWEST = 1000.0  # steps in which the slowest part of a position turns by one radian
TINY = 1e-9

InTime = Literal["none", "pooling", "attention", "both"]


@NETWORKS.register
class TemporalUNetConfig(Network):
    """A U-Net over space, with weights that all steps share, and mixing over time at each level.

    Attributes:
        widths: channels of each level, the finest first; the next has half as many pixels a side.
        blocks: residual blocks of two convolutions at each level, on the way down and on the way up.
        unshuffle: pixels a side that become channels of one pixel of the finest level.
        heads: parts of the channels that are weighted over time on their own; a level's width is a multiple of twice as
            many.
        in_time: how each level looks at the other steps: `pooling`, `attention`, `both` or `none`.
    """

    name: Literal["temporal_unet"]
    out_channels: PositiveInt | None = None
    widths: Filters
    blocks: PositiveInt = 1
    unshuffle: PositiveInt = 2
    heads: PositiveInt = 4
    in_time: Annotated[tuple[InTime, ...], Field(strict=False, min_length=1)]

    takes: ClassVar[Sees] = "series"

    @model_validator(mode="after")
    def _levels_fit(self) -> Self:
        if len(self.in_time) != len(self.widths):
            raise ValueError(f"in_time: found {len(self.in_time)} entries, expected {len(self.widths)}, as of widths")
        wrong = [width for width in self.widths if width % (2 * self.heads)]
        if wrong:
            raise ValueError(f"widths: found {wrong[0]}, expected a multiple of {2 * self.heads}, twice the heads")
        return self

    @property
    def output_size(self) -> Shape:
        return (self.out_channels, *self.input_size[1:])

    @property
    def parameters(self) -> int:
        (bands, *_), shuffled, finest = self.input_size, self.unshuffle**2, self.widths[0]
        ends = (9 * bands * shuffled + 1) * finest + (finest + 1) * self.out_channels * shuffled
        steps = sum(8 * fine * coarse + fine + coarse for fine, coarse in itertools.pairwise(self.widths))
        *twice, bottom = map(self._level_parameters, self.widths, self.in_time)
        return ends + steps + 2 * sum(twice) + bottom

    def _level_parameters(self, width: int, in_time: InTime) -> int:
        pooling = (width + 1) * (self.heads + 2 * width) + self.heads + 2 * width
        attention = 4 * width + 6 * width * (width + 1) + width * (2 * width + 1)
        mixing = {"none": 0, "pooling": pooling, "attention": attention, "both": pooling + attention}
        return 2 * self.blocks * (9 * width + 2) * width + mixing[in_time]

    @property
    def values(self) -> int:
        _, height, width = self.input_size
        sides = (self.unshuffle * 2**level for level in range(len(self.widths)))
        wide = sum(channels / side**2 for channels, side in zip(self.widths, sides, strict=True))
        return round(4 * self.blocks * wide * height * width)

    def build(self) -> nn.Module:
        return TemporalUNet(self)


class Normalisation(nn.LayerNorm):
    """Layer normalisation of each pixel's channels (Ba et al. 2016, arXiv:1607.06450); no neighbour matters."""

    def forward(self, features: Tensor) -> Tensor:
        """Normalise `(N, C, H, W)`."""
        return super().forward(features.movedim(1, -1)).movedim(-1, 1)


class Pooling(nn.Module):
    """Adds to each pixel of each step a mean over time of what its series holds.

    Step s counts at step t with `exp(score_s - decay |t - s|)`, where the score is learnt from the pixel's features and
    the decay is a head's own. Without decay it is the pooling of a series that a lightweight temporal encoder does
    (Garnot & Landrieu 2020, arXiv:2007.00586); with it, of the steps around. Costs `T²` multiplications a channel.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.before = Normalisation(width)
        self.score, self.value, self.out = (nn.Conv2d(width, made, 1) for made in (heads, width, width))
        self.decay = nn.Parameter(torch.tensor([0.0, *(2.0**-head for head in range(heads - 1))]))

    def forward(self, features: Tensor, times: Tensor, exists: Tensor) -> Tensor:
        """Mix `(B T, C, H, W)`, whose steps are at `times` `(B, T)`; those that don't exist count nowhere."""
        (number, horizon), (_, _channels, height, width), heads = times.shape, features.shape, len(self.decay)
        apart = (times[:, None, :, None] - times[:, None, None, :]).abs()  # (B, 1, T, T)
        near = (-self.decay.abs()[:, None, None] * apart).exp()
        normal = self.before(features)
        scores = self.score(normal).float().unflatten(0, (number, horizon))  # (B, T, heads, H, W)
        scores = scores.masked_fill(~exists[..., None, None, None], -torch.inf)
        above = scores - scores.amax(dim=1, keepdim=True).detach()
        weights = above.clamp_min(-FLOOR).exp() * exists[..., None, None, None]
        values = self.value(normal).float().reshape(number, horizon, heads, -1, height, width)
        weighted = torch.cat([values * weights[:, :, :, None], weights[:, :, :, None]], dim=3)
        sums = near @ weighted.transpose(1, 2).flatten(3)  # (B, heads, T, (C / heads + 1) H W)
        sums = sums.reshape(number, heads, horizon, -1, height, width).transpose(1, 2)
        means = sums[:, :, :, :-1] / (sums[:, :, :, -1:] + TINY)
        return features + self.out(means.reshape(features.shape).to(features.dtype))


class Attention(nn.Module):
    """Multi-head self-attention over the steps of each pixel, and a perceptron (Vaswani et al. 2017, arXiv:1706.03762).

    Positions are sinusoids of the times. Costs `2 T²` multiplications a channel.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.queries, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.perceptron = nn.Sequential(nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))

    def forward(self, features: Tensor, times: Tensor, exists: Tensor) -> Tensor:
        """Mix `(B T, C, H, W)`; see `Pooling.forward`."""
        number, horizon = times.shape
        height, width = features.shape[2:]
        series = features.unflatten(0, (number, horizon)).permute(0, 3, 4, 1, 2)  # (B, H, W, T, C)
        series = series.flatten(0, 2).contiguous()  # (P, T, C)
        places = self._positions(times, series.shape[-1]).repeat_interleave(height * width, dim=0)
        parts = self.queries(self.before(series) + places.to(series.dtype)).chunk(3, dim=-1)
        queries, keys, values = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)
        mask = None if exists.all() else exists[:, None, None].repeat_interleave(height * width, dim=0)
        mixed = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
        series = series + self.out(mixed.transpose(1, 2).flatten(2))
        series = series + self.perceptron(self.between(series))
        series = series.unflatten(0, (number, height, width)).permute(0, 3, 4, 1, 2)
        return series.reshape(features.shape).contiguous(memory_format=torch.channels_last)

    @staticmethod
    def _positions(times: Tensor, width: int) -> Tensor:
        """Sinusoids of times `(B, T)`: `(B, T, width)`."""
        exponents = torch.arange(0, width, 2, device=times.device) / width
        angles = times[..., None] * (-math.log(SLOWEST) * exponents).exp()
        return torch.cat([angles.sin(), angles.cos()], dim=-1)


class Level(nn.Module):
    """Residual blocks over space (He et al. 2016, arXiv:1603.05027), then what mixes over time."""

    def __init__(self, width: int, blocks: int, heads: int, in_time: InTime) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.Sequential(
                Normalisation(width),
                nn.ReLU(),
                nn.Conv2d(width, width, 3, padding=1),
                nn.ReLU(),
                nn.Conv2d(width, width, 3, padding=1),
            )
            for _ in range(blocks)
        )
        mixing = {"none": (), "pooling": (Pooling,), "attention": (Attention,), "both": (Pooling, Attention)}
        self.mixing = nn.ModuleList(kind(width, heads) for kind in mixing[in_time])

    def forward(self, features: Tensor, times: Tensor, exists: Tensor) -> Tensor:
        for block in self.blocks:
            features = features + block(features)
        for mixing in self.mixing:
            features = mixing(features, times, exists)
        return features


class TemporalUNet(nn.Module):
    """See `TemporalUNetConfig`.

    Relatives: U-TAE (Garnot & Landrieu 2021, arXiv:2107.07933), U-TILISE (Stucker et al. 2023,
    doi:10.1109/TGRS.2023.3333391).
    """

    def __init__(self, config: TemporalUNetConfig) -> None:
        super().__init__()
        self.unshuffle, widths = config.unshuffle, config.widths
        steps = list(itertools.pairwise(widths))
        shuffled = config.unshuffle**2
        self.first = nn.Conv2d(config.input_size[0] * shuffled, widths[0], 3, padding=1)
        levels = [
            (width, config.blocks, config.heads, in_time) for width, in_time in zip(widths, config.in_time, strict=True)
        ]
        self.encoder = nn.ModuleList(Level(*level) for level in levels)
        self.down = nn.ModuleList(nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in steps)
        self.up = nn.ModuleList(nn.ConvTranspose2d(coarse, fine, 2, stride=2) for fine, coarse in steps)
        self.decoder = nn.ModuleList(Level(*level) for level in levels[:-1])
        self.last = nn.Conv2d(widths[0], config.out_channels * shuffled, 1)
        nn.init.zeros_(self.last.weight)  # it begins with nothing of its own
        nn.init.zeros_(self.last.bias)

    def forward(self, frames: Tensor, times: Tensor, exists: Tensor) -> Tensor:
        """Translate series.

        Args:
            frames: `(B, T, C, H, W)`, of any height and width.
            times: `(B, T)`, of the steps.
            exists: `(B, T)`, whether there is a frame; what is made of other frames is of no use.

        Returns:
            `(B, T, out_channels, H, W)`.
        """
        number, horizon, _, height, width = frames.shape
        multiple = self.unshuffle * 2 ** len(self.down)
        features = functional.pad(frames.flatten(0, 1), (0, -width % multiple, 0, -height % multiple), mode="replicate")
        features = functional.pixel_unshuffle(features, self.unshuffle).contiguous(memory_format=torch.channels_last)
        features = self.first(features)
        skips = []
        for level, down in zip(self.encoder, (*self.down, None), strict=True):
            features = level(features, times, exists)
            if down is not None:
                skips.append(features)
                features = down(features)
        for level, up in reversed(list(zip(self.decoder, self.up, strict=True))):
            features = level(up(features) + skips.pop(), times, exists)
        made = functional.pixel_shuffle(self.last(functional.relu(features)), self.unshuffle)
        return made[..., :height, :width].unflatten(0, (number, horizon))
