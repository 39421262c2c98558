"""The protocol's KOLs are frozen: the same seeds give the same streams, to the last count."""

import hashlib

import numpy as np
import pytest

from benchmarks.crisis import protocol
from benchmarks.crisis.stream import Stream, generate

FROZEN = {
    protocol.CALIBRATION_SEED: "d79bbd4c52105777",
    protocol.TEST_SEED: "44dc9ad56eebe40e",
}


def mark(streams: list[Stream]) -> str:
    digest = hashlib.sha256()
    for stream in streams:
        for counts in (stream.comments, stream.negative, stream.positive):
            digest.update(np.ascontiguousarray(counts, dtype="<i8").tobytes())
        for one in stream.incidents:
            digest.update(f"{one.kind} {one.crisis} {one.start} {one.end}".encode())
    return digest.hexdigest()[:16]


@pytest.mark.parametrize("seed", FROZEN)
def test_the_first_kol_of_every_tier_is_what_it_was(seed):
    streams = [generate(seed, index, tier) for index, tier in enumerate(protocol.TIERS)]
    assert mark(streams) == FROZEN[seed]


def test_truth_is_of_the_counts_and_moves_with_an_outage():
    for index in range(10):
        stream = generate(protocol.CALIBRATION_SEED, 1 + 5 * index, protocol.TIERS[1])
        truth = stream.truth
        assert truth is not None
        assert (truth.negative + truth.positive <= stream.comments).all()
        assert truth.negative.min() >= 0
        assert truth.positive.min() >= 0
        called = stream.negative.sum()
        expected = (
            protocol.HIT_RATE * truth.negative.sum()
            + protocol.FALSE_LABEL_RATE * (stream.comments - truth.negative).sum()
        )
        assert called == pytest.approx(expected, rel=0.1)
        for one in stream.incidents:
            if one.kind == "brigade":
                window = slice(one.start, one.end)
                assert truth.added_negative[window].min() > 0.8
            if one.kind == "outage":
                assert truth.negative[one.start : one.end - 5].sum() == 0
    quiet = slice(0, protocol.WARM_UP_DAYS * protocol.MINUTES_PER_DAY)
    assert truth.added_negative[quiet].max() == 0.0
