"""The split: by view, seeded, exact."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from src.rsgan.data.split import SplitRatios, split_views
from utils.errors import ConfigError

PUBLISHED = SplitRatios(train=0.7, val=0.15, test=0.15)


def names(number: int) -> list[str]:
    return [str(i) for i in range(number)]


def test_the_published_data_set() -> None:
    split = split_views(names(250), PUBLISHED, 73)
    assert {part: len(views) for part, views in split.items()} == {"train": 175, "val": 37, "test": 38}


@given(number=st.integers(3, 400), train=st.integers(1, 98), seed=st.integers(0, 2**40), data=st.data())
def test_every_view_is_on_one_side(number: int, train: int, seed: int, data: st.DataObject) -> None:
    val = data.draw(st.integers(1, 100 - train))
    ratios = SplitRatios(train=train / 100, val=val / 100, test=(100 - train - val) / 100)
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
        assert SplitRatios(train=shares[0], val=shares[1], test=shares[2])


def test_mistakes() -> None:
    with pytest.raises(ValidationError, match=r"sum to 0\.9, expected 1"):
        SplitRatios(train=0.5, val=0.2, test=0.2)
    with pytest.raises(ValidationError, match="found an empty share"):
        SplitRatios(train=0.9, val=0.0, test=0.1)
    with pytest.raises(ConfigError, match=r"found 2 views for 3 splits \(train, val, test\)"):
        split_views(names(2), PUBLISHED, 0)
    assert split_views(names(2), SplitRatios(train=0.9, val=0.1), 0)["test"] == []
