"""Writes the model card from the manifest."""

from collections.abc import Mapping, Sequence
from typing import Any

from training.evaluation import SETS
from training.lineage import lineage_table
from training.recipe import Recipe

CARD = "MODEL_CARD.md"


def model_card(
    details: Mapping[str, Any], recipe: Recipe, diagrams: Mapping[str, str] | None = None
) -> str:
    """The Markdown model card of a model folder.

    Args:
        details: the manifest, with metrics, calibration, robustness and parity.
        recipe: the recipe that it was trained by; names the sets and their terms.
        diagrams: file name → title of its reliability diagrams.
    """
    heads = "; ".join(
        f"`{head}`: {', '.join(labels)}" for head, labels in details["labels"].items()
    )
    sound = [m for m in details["metrics"] if not m["noisy"]]
    blocks = [
        f"# {details['name']}",
        "Reads a social media comment and returns calibrated probabilities. "
        f"Heads and labels: {heads}.",
        f"{_student(details)}"
        f"* Recipe: `{recipe.name}` (sha256 `{recipe.sha256[:12]}`), seed {recipe.seed}.\n"
        f"* Vocabulary: {_vocabulary(recipe)}.\n"
        f"* Reads {details['max_tokens']} tokens at once; averages longer texts over windows.\n"
        "* 8-bit weights for ONNX Runtime on a CPU.",
        "## Start",
        "The runs that led to this model, oldest first. Their recipes are in `training/recipes`.",
        lineage_table(recipe, details["base"]),
        "## Measured",
        "Metrics of the shipped 8-bit weights on the val splits, through the code that serves. No "
        "val row is in the training data, but val was used to choose settings and temperatures. F1 "
        "has its 95% bootstrap interval. ECE is the expected calibration error of the most likely "
        "class in 15 bins; by chance is the ECE that a perfectly calibrated model with the same "
        "probabilities shows on as many texts (200 simulations), so an ECE close to it is no "
        "evidence of miscalibration. Sets without a neutral class are scored over their classes.",
        _table([m for m in sound if m["kind"] != "evaluation"]),
        "Reported only, because the labels come from hashtags or mean stance:",
        _table([m for m in details["metrics"] if m["noisy"]]),
        "Written for this project, to measure languages without a public training set. Evaluation "
        "only: no model was trained, selected or calibrated on them. They are small and our own, "
        "so treat the figures as rough:",
        _table([m for m in sound if m["kind"] == "evaluation"]),
        "## Calibration",
        _calibration(details),
        "\n\n".join(f"![{title}]({name})" for name, title in (diagrams or {}).items()),
        "## Robustness",
        "Passed cases, of those written for this project (`training/robustness/families`). "
        "Evaluation only.",
        _robustness(details["robustness"]),
        "## Cost of 8 bits",
        "Macro-F1 of float32 minus macro-F1 of the shipped weights, in points: "
        + ", ".join(f"{name} {100 * lost:+.2f}" for name, lost in details["parity"].items())
        + ".",
        "## Data and terms of use",
        "| set | used for | terms |\n|---|---|---|\n"
        + "\n".join(
            f"| {data.name} | {data.head}{'' if data.weight else ', evaluation only'} "
            f"| {data.terms} |"
            for data in (*recipe.sets, *SETS)
        ),
        "## Limits",
        "Languages that are not listed above were not measured; a text in one of them is marked as "
        "out of scope if its language can be identified. The model often misreads sarcasm, quoted "
        "insults and in-group slurs. Labels are the opinions of the sets' annotators. The scores "
        "are meant for monitoring crowds; do not judge a single person by them.",
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _student(details: Mapping[str, Any]) -> str:
    learnt = details.get("distillation")
    if learnt is None:
        return ""
    return (
        f"* A student of `{learnt['teacher']}` with {learnt['layers']} layers. In its loss the "
        f"teacher's probabilities, at temperature {learnt['temperature']:g}, have the weight "
        f"{learnt['weight']:g}; the labels have the rest.\n"
    )


def _vocabulary(recipe: Recipe) -> str:
    if not recipe.vocabulary.trim:
        return "that of the base"
    return f"trimmed to {recipe.vocabulary.size} tokens"


def _table(metrics: list[dict[str, Any]]) -> str:
    rows = [
        f"| {m['name']} | {m['head']} | {m['rows']} | {100 * m['macro_f1']:.1f} "
        f"({100 * m['low']:.1f}-{100 * m['high']:.1f}) | {100 * m['macro_recall']:.1f} "
        f"| {100 * m['accuracy']:.1f} | {m['calibration_error']:.3f} "
        f"| {m['calibration_floor']:.3f} |"
        for m in metrics
    ]
    if not rows:
        return ""
    head = "| group | head | texts | macro-F1 | macro-recall | accuracy | ECE | by chance |"
    return "\n".join([head, "|---|---|---|---|---|---|---|---|", *rows])


def _calibration(details: Mapping[str, Any]) -> str:
    blocks = [
        "Each ECE below uses temperatures that were fitted on the other half of val. The shipped "
        "temperatures are fitted on both halves."
    ]
    for head, found in details["calibration"].items():
        if not found:
            continue
        own = details["language_temperatures"].get(head, {})
        blocks += [
            f"* `{head}`: temperature {details['temperatures'][head]:.3f}; ECE "
            f"{found['held_out_error_before']:.3f} before and {found['held_out_error']:.3f} after, "
            f"{found['held_out_floor']:.3f} by chance." + _gain(found, shipped=bool(own)),
            _languages(found["languages"], own),
        ]
    return "\n\n".join(block for block in blocks if block)


def _gain(found: Mapping[str, Any], *, shipped: bool) -> str:
    if not found["languages"]:
        return ""
    lead = (
        "The languages below have their own temperatures, which save"
        if shipped
        else "The languages below do not have their own temperatures, which would save"
    )
    return (
        f" {lead} {found['language_gain']:.5f} nats of log-loss per text "
        f"(standard error {found['language_gain_error']:.5f})."
    )


def _languages(tried: Mapping[str, Mapping[str, Any]], own: Mapping[str, float]) -> str:
    if not tried:
        return ""
    rows = [
        f"| {lang} | {of['rows']} | {f'{own[lang]:.3f}' if lang in own else ''} "
        f"| {of['held_out_error_one']:.3f} | {of['held_out_error_own']:.3f} | {of['floor']:.3f} |"
        for lang, of in tried.items()
    ]
    head = "| identified language | texts | temperature | ECE, shared | ECE, own | by chance |"
    return "\n".join([head, "|---|---|---|---|---|---|", *rows])


def _robustness(families: Sequence[Mapping[str, Any]]) -> str:
    groups = list(dict.fromkeys(key for family in families for key in family if key != "name"))
    cells = [[_rate(family.get(group)) for group in groups] for family in families]
    rows = [
        f"| {' | '.join([family['name'], *row])} |"
        for family, row in zip(families, cells, strict=True)
    ]
    head, rule = f"| {' | '.join(['family', *groups])} |", "|---" * (len(groups) + 1) + "|"
    return "\n".join([head, rule, *rows])


def _rate(count: Mapping[str, int] | None) -> str:
    if count is None:
        return ""
    return f"{count['passed']}/{count['cases']} ({100 * count['passed'] / count['cases']:.0f}%)"
