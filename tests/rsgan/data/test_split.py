"""The split: by view, named or drawn, seeded, exact."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from src.rsgan.data.split import SplitConfig, split_views
from utils.errors import ConfigError

PUBLISHED = SplitConfig(train=0.7, val=0.15, test=0.15)


def names(number: int) -> list[str]:
    return [str(i) for i in range(number)]


def test_the_published_data_set() -> None:
    split = split_views(names(250), PUBLISHED, 73)
    assert {part: len(views) for part, views in split.items()} == {"train": 175, "val": 37, "test": 38}


@given(number=st.integers(3, 400), train=st.integers(1, 98), seed=st.integers(0, 2**40), data=st.data())
def test_every_view_is_on_one_side(number: int, train: int, seed: int, data: st.DataObject) -> None:
    val = data.draw(st.integers(1, 100 - train))
    ratios = SplitConfig(train=train / 100, val=val / 100, test=(100 - train - val) / 100)
    split = split_views(names(number), ratios, seed)
    assert sorted((view for part in split.values() for view in part), key=int) == names(number)
    for part, share in (("train", ratios.train), ("val", ratios.val), ("test", ratios.test)):
        assert bool(split[part]) == bool(share)
        assert abs(len(split[part]) - number * share) < 1 or len(split[part]) == 1 or number < 200
        assert split[part] == sorted(split[part], key=int)
    assert split == split_views(names(number), ratios, seed)


def test_seeds_draw_different_splits_and_all_views_alike() -> None:
    tested = [view for seed in range(400) for view in split_views(names(20), PUBLISHED, seed)["test"]]
    counts = [tested.count(view) for view in names(20)]
    assert min(counts) > 35  # 60 expected, standard deviation 7
    assert max(counts) < 85


def test_shares_that_are_not_exact_in_binary_sum_to_one() -> None:
    for shares in ((0.1, 0.2, 0.7), (0.7, 0.1, 0.2), (1 / 3, 1 / 3, 1 / 3), (0.9, 0.1, 0.0)):
        assert SplitConfig(train=shares[0], val=shares[1], test=shares[2])


def test_mistakes() -> None:
    with pytest.raises(ValidationError, match=r"sum to 0\.9, expected 1"):
        SplitConfig(train=0.5, val=0.2, test=0.2)
    with pytest.raises(ValidationError, match="found an empty share"):
        SplitConfig(train=0.9, val=0.0, test=0.1)
    with pytest.raises(ConfigError, match=r"found 2 views for 3 splits \(train, val, test\)"):
        split_views(names(2), PUBLISHED, 0)
    assert split_views(names(2), SplitConfig(train=0.9, val=0.1), 0)["test"] == []


@given(numbers=st.permutations(range(12)), cuts=st.lists(st.integers(1, 12), min_size=3, max_size=3, unique=True))
def test_views_are_where_their_numbers_say(numbers: list[int], cuts: list[int]) -> None:
    """In their own order, whatever the order of the text and the seed; the rest is left out."""
    first, second, last = sorted(cuts)
    wanted = {"train": numbers[:first], "val": numbers[first:second], "test": numbers[second:last]}
    config = SplitConfig(**{part: ",".join(map(str, found)) for part, found in wanted.items()})
    expected = {part: [str(number) for number in sorted(found)] for part, found in wanted.items()}
    assert split_views(names(12), config, 0) == split_views(names(12), config, 1) == expected


def test_a_single_number_is_one_in_yaml() -> None:
    config = SplitConfig.model_validate({"train": "1-3", "val": 4, "test": 0})
    assert split_views(names(5), config, 0) == {"train": ["1", "2", "3"], "val": ["4"], "test": ["0"]}
    assert split_views(names(5), SplitConfig(train="1-3", val="4"), 0)["test"] == []


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (("1-3", "4", "2-3,5"), r"found views in two splits \(2, 3\), expected each in one"),
        (
            ("1-3", "4", "9-20"),
            r"found numbers of no view \(9, 10, 11, 12, 13, …\), expected some of the 9 views",
        ),
    ],
)
def test_numbers_that_fit_no_view_or_two_splits_are_named(parts: tuple[str, ...], message: str) -> None:
    config = SplitConfig(**dict(zip(("train", "val", "test"), parts, strict=True)))
    with pytest.raises(ConfigError, match=message):
        split_views(names(9), config, 0)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"train": "1-3", "val": "4", "test": 0.5}, "found shares beside numbers of views"),
        ({"train": 0.5, "val": "4", "test": 0.5}, "found shares beside numbers of views"),
        ({"train": "1-3", "val": "4-x"}, "found '4-x', expected numbers and ascending ranges"),
        ({"train": [1, 2], "val": 0.5}, r"found \[1, 2\], expected a share from 0 to 1, or numbers of views such as"),
        ({"train": 40, "val": 0.5}, "found 40, expected a share from 0 to 1, or numbers of views such as 1-10,40"),
        ({"train": True, "val": 0.5}, "found True, expected a share from 0 to 1"),
    ],
)
def test_neither_shares_nor_numbers(parts: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SplitConfig.model_validate(parts)
