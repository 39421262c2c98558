"""The model card, written from what was measured."""

from collections.abc import Mapping, Sequence
from typing import Any

from training.evaluation import SETS
from training.recipe import Recipe

CARD = "MODEL_CARD.md"


def model_card(
    details: Mapping[str, Any], recipe: Recipe, pictures: Mapping[str, str] | None = None
) -> str:
    """The card of an artifact in Markdown.

    Args:
        details: its manifest, with metrics, calibration, robustness and parity.
        recipe: it was trained by; names the sets and their terms.
        pictures: file name beside the card → title, of its reliability diagrams.
    """
    heads = "; ".join(
        f"`{head}`: {', '.join(labels)}" for head, labels in details["labels"].items()
    )
    sound = [m for m in details["metrics"] if not m["noisy"]]
    blocks = [
        f"# {details['name']}",
        "Reads a social media comment and gives calibrated probabilities. "
        f"Questions and answers: {heads}.",
        f"* Start: {details['base']}.\n{_student(details)}"
        f"* Recipe: `{recipe.name}` (sha256 `{recipe.sha256[:12]}`), seed {recipe.seed}, "
        f"{_steps(details['steps'], recipe)}.\n"
        f"* Vocabulary: {_vocabulary(recipe)}.\n"
        f"* Reads {details['max_tokens']} pieces at once; longer texts in windows, averaged.\n"
        "* 8-bit weights for ONNX Runtime on a CPU.",
        "## Measured",
        "On the val splits, by the shipped 8-bit weights, through the code that serves. Never "
        "trained on, but used to choose settings and temperatures. F1 with its 95% bootstrap "
        "interval; ECE is the expected calibration error of the likeliest class in 15 bins, and "
        "by chance what a perfectly calibrated model of the same probabilities would show on so "
        "many texts (200 simulations): an ECE near it is no evidence of a fault. Sets without a "
        "neutral class are scored over the classes that they have.",
        _table([m for m in sound if m["kind"] != "evaluation"]),
        "Reported but not chosen by, for their labels come from hashtags or mean stance:",
        _table([m for m in details["metrics"] if m["noisy"]]),
        "Written for this project to see how languages without a public training set are read. "
        "Evaluation only: nothing was trained, chosen or calibrated on them. They are small and we "
        "wrote them ourselves, so take them as a rough measure:",
        _table([m for m in sound if m["kind"] == "evaluation"]),
        "## Calibration",
        _calibration(details),
        "\n\n".join(f"![{title}]({name})" for name, title in (pictures or {}).items()),
        "## Robustness",
        "Cases that hold, of those written for this project; what each family tries stands in "
        "`training/robustness/families`. Evaluation only.",
        _robustness(details["robustness"]),
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


def _steps(steps: int, recipe: Recipe) -> str:
    return (
        f"{steps} steps of {recipe.optimisation.batch_size} texts" if steps else "no further step"
    )


def _student(details: Mapping[str, Any]) -> str:
    learnt = details.get("distillation")
    if learnt is None:
        return ""
    return (
        f"* A student of `{learnt['teacher']}` with {learnt['layers']} layers: the teacher's "
        f"probabilities at temperature {learnt['temperature']:g} have a share of "
        f"{learnt['weight']:g} in the loss, the sets' labels the rest.\n"
    )


def _vocabulary(recipe: Recipe) -> str:
    if not recipe.vocabulary.trim:
        return "that of the start"
    return f"cut to {recipe.vocabulary.size} pieces"


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
    head = "| group | question | texts | macro-F1 | macro-recall | accuracy | ECE | by chance |"
    return "\n".join([head, "|---|---|---|---|---|---|---|---|", *rows])


def _calibration(details: Mapping[str, Any]) -> str:
    blocks = [
        "Every ECE below is of rows judged by temperatures that were fitted on the other half of "
        "val; the shipped ones are fitted on both halves."
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
        "The languages below have temperatures of their own, for these save"
        if shipped
        else "The languages below have no temperatures of their own, for these would save"
    )
    return (
        f" {lead} {found['language_gain']:.5f} nats of log-loss a text "
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
    head = "| language told | texts | temperature | ECE at one for all | at its own | by chance |"
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
