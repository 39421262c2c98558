"""The model card, written from what was measured."""

from collections.abc import Mapping
from typing import Any

from training.evaluation import SETS
from training.recipe import Recipe

CARD = "MODEL_CARD.md"


def model_card(details: Mapping[str, Any], recipe: Recipe) -> str:
    """The card of an artifact in Markdown.

    Args:
        details: its manifest, with metrics, calibration and parity.
        recipe: it was trained by; names the sets and their terms.
    """
    heads = "; ".join(
        f"`{head}`: {', '.join(labels)}" for head, labels in details["labels"].items()
    )
    sound = [m for m in details["metrics"] if not m["noisy"]]
    blocks = [
        f"# {details['name']}",
        "Reads a social media comment and gives calibrated probabilities. "
        f"Questions and answers: {heads}.",
        f"* Start: {details['base']}.\n"
        f"* Recipe: `{recipe.name}` (sha256 `{recipe.sha256[:12]}`), seed {recipe.seed}, "
        f"{details['steps']} steps of {recipe.optimisation.batch_size} texts.\n"
        f"* Vocabulary: {_vocabulary(recipe)}.\n"
        f"* Reads {details['max_tokens']} pieces at once; longer texts in windows, averaged.\n"
        "* 8-bit weights for ONNX Runtime on a CPU.",
        "## Measured",
        "On the val splits, by the shipped 8-bit weights, through the code that serves. Never "
        "trained on, but used to choose settings and temperatures. F1 with its 95% bootstrap "
        "interval; ECE is the expected calibration error of the likeliest class. Sets without a "
        "neutral class are scored over the classes that they have.",
        _table([m for m in sound if m["kind"] != "evaluation"]),
        "Reported but not chosen by, for their labels come from hashtags or mean stance:",
        _table([m for m in details["metrics"] if m["noisy"]]),
        "Written for this project to see how far languages without a training set are read by "
        "transfer from the others. Evaluation only: nothing was trained, chosen or calibrated on "
        "them. They are small and we wrote them ourselves, so take them as a rough measure:",
        _table([m for m in sound if m["kind"] == "evaluation"]),
        "## Calibration",
        _calibration(details),
        "## What 8 bits cost",
        "Macro-F1 of float32 less that of the shipped weights, in points: "
        + ", ".join(f"{name} {100 * lost:+.2f}" for name, lost in details["parity"].items())
        + ".",
        "## Data and their terms",
        "| set | used for | terms |\n|---|---|---|\n"
        + "\n".join(
            f"| {data.name} | {data.head}{'' if data.weight else ', evaluation only'} "
            f"| {data.terms} |"
            for data in (*recipe.sets, *SETS)
        ),
        "## Limits",
        "Languages without a figure above are not measured; a text in one of them is marked as out "
        "of scope where its language can be told. Sarcasm, quoted insults and in-group slurs are "
        "often misread. Labels are the sets' annotators' opinions. The scores are meant for "
        "watching crowds; do not judge a single person by them.",
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _vocabulary(recipe: Recipe) -> str:
    if not recipe.vocabulary.trim:
        return "that of the start"
    return f"cut to {recipe.vocabulary.size} pieces"


def _table(metrics: list[dict[str, Any]]) -> str:
    rows = [
        f"| {m['name']} | {m['head']} | {m['rows']} | {100 * m['macro_f1']:.1f} "
        f"({100 * m['low']:.1f}-{100 * m['high']:.1f}) | {100 * m['macro_recall']:.1f} "
        f"| {100 * m['accuracy']:.1f} | {m['calibration_error']:.3f} |"
        for m in metrics
    ]
    if not rows:
        return ""
    head = "| group | question | texts | macro-F1 | macro-recall | accuracy | ECE |"
    return "\n".join([head, "|---|---|---|---|---|---|---|", *rows])


def _calibration(details: Mapping[str, Any]) -> str:
    lines = [
        f"* `{head}`: temperature {details['temperatures'][head]:.3f}; on rows that it was not "
        f"fitted on, ECE {found['held_out_error_before']:.3f} before and "
        f"{found['held_out_error']:.3f} after."
        for head, found in details["calibration"].items()
        if found
    ]
    return "\n".join(["One temperature a question, fitted on half of each val split.", "", *lines])
