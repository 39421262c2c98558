import numpy as np

from training.augment import augment
from training.data import Split
from training.recipe import DataSet

LABELS = ("negative", "neutral", "positive")
MOODS = DataSet("moods", "moods", "sentiment", {label: label for label in LABELS})


def split(label: str, rows: int = 400) -> Split:
    texts = [f"Parcel {i} came on Monday" for i in range(rows)]
    labels = np.full(rows, LABELS.index(label))
    return Split(MOODS, texts, labels, ["en"] * rows, np.ones(3, dtype=np.bool_))


def kind(before: str, after: str) -> str:
    if before == after:
        return "same"
    if after == f"{before} {before}":
        return "twice"
    if after.casefold() == before.casefold():
        return "case"
    if after.startswith(before):
        return "emoji"
    return "drawn out" if after.replace("ooo", "o") == before else "unknown"


def kinds(label: str, share: float = 0.5) -> dict[str, int]:
    made = split(label)
    pairs = zip(made.texts, augment(made, LABELS, share).texts, strict=True)
    found = [kind(before, after) for before, after in pairs]
    return {name: found.count(name) for name in sorted(set(found))}


def test_each_rewriting_is_taken_about_equally_often() -> None:
    found = kinds("negative")
    assert set(found) == {"case", "drawn out", "emoji", "same", "twice"}
    assert 160 <= found.pop("same") <= 240
    assert all(25 <= count <= 75 for count in found.values()), found


def test_neutral_text_takes_no_emoji() -> None:
    assert "emoji" not in kinds("neutral")


def test_emoji_has_the_mood_of_the_label() -> None:
    made = split("positive")
    ends = {text[-1] for text in augment(made, LABELS, 1.0).texts if not text[-1].isalpha()}
    assert ends
    assert ends <= set("😍❤🥰👏😊💕🙌")


def test_same_texts_on_every_call_and_none_without_a_share() -> None:
    made = split("negative")
    assert augment(made, LABELS, 0.3).texts == augment(made, LABELS, 0.3).texts
    assert augment(made, LABELS, 0.0).texts == made.texts


def test_labels_and_order_stay() -> None:
    made = split("positive")
    after = augment(made, LABELS, 1.0)
    assert (after.labels == made.labels).all()
    assert all(f"{i}" in text for i, text in enumerate(after.texts))
