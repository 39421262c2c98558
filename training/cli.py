"""The commands `groundswell train` and `groundswell evaluate`.

Heavy imports are inside the commands because every start of the command line loads this file.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from training.errors import DataError, RecipeError

if TYPE_CHECKING:
    from training.evaluate import Measured
    from training.finetune import TrainingProgress
    from training.robustness.measure import FamilyResult

app = typer.Typer(name="training", no_args_is_help=True)

Data = Annotated[
    Path,
    typer.Option("--data", envvar="GROUNDSWELL_DATA", help="Folder with the labelled data sets."),
]
Wheels = Annotated[
    Path | None,
    typer.Option(
        "--wheels",
        help="Folder with the wheels of the base model, if they are not installed.",
    ),
]
Threads = Annotated[int | None, typer.Option("--threads", min=1, help="Number of CPU threads.")]
_DATA = Path("../shared/data")


@app.command()
def train(
    recipe: Annotated[
        str,
        typer.Argument(help="A recipe file, or the name of a recipe that comes with Groundswell."),
    ],
    data: Data = _DATA,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the model [default: RUN/artifact].")
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option("--run", help="Folder for checkpoints and the journal [default: runs/NAME]."),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            "--base",
            help="A model folder or a Hugging Face id to start from, instead of the recipe's.",
        ),
    ] = None,
    *,
    resume: Annotated[
        bool, typer.Option(help="Continue from the run's checkpoint, if there is one.")
    ] = True,
    save_every: Annotated[
        int, typer.Option(min=1, help="Number of steps between checkpoints.")
    ] = 800,
    wheels: Wheels = None,
    threads: Threads = None,
) -> None:
    """Train a model by a recipe, calibrate and measure it, and write its folder."""
    with _bad_input():
        import torch

        from training.finetune import Trainer, drawn
        from training.inference import quick_metrics
        from training.package import package
        from training.prepare import prepare, tokenise
        from training.recipe import load_recipe
        from training.teacher import predict

        if threads:
            torch.set_num_threads(threads)
        plan = load_recipe(recipe)
        if base is not None:
            plan = replace(plan, bases=(base,))
        folder = run or Path("runs") / plan.name
        start = prepare(plan, data, wheels=wheels)
        val = [
            tokenise(split, start.tokenizer, plan.optimisation.max_tokens)
            for split in start.corpus.val
            if not split.data.noisy
        ]
        soft = None
        if start.teacher is not None:
            rows = drawn(plan, start.train)
            with _teacher_progress() as watch_teacher:
                soft = predict(
                    start.teacher, start.train, rows, start.pad_id, folder, watch=watch_teacher
                )
        trainer = Trainer(start.network, plan, start.train, folder, start.pad_id, soft)
        if resume and trainer.resume():
            typer.echo(f"resuming at step {trainer.step}", err=True)
        with _progress(trainer.step, plan.optimisation.steps) as watch:
            trainer.run(
                save_every=save_every,
                watch=watch,
                evaluate=lambda: quick_metrics(start.network, val, start.pad_id, rows=120),
            )
        made = package(
            start.network,
            start.tokenizer,
            start.pad_id,
            plan,
            start.corpus,
            start.origin,
            work=folder,
            out=out or folder / "artifact",
            teacher=start.teacher.model_id if start.teacher else None,
        )
    _print_table(made.measured)
    typer.echo(f"The model is in {made.path}")


@app.command()
def evaluate(
    artifact: Annotated[
        str | None,
        typer.Argument(
            help="A model folder or a Hugging Face id [default: the model that comes with "
            "Groundswell]."
        ),
    ] = None,
    data: Data = _DATA,
    recipe: Annotated[
        str, typer.Option("--recipe", help="The recipe whose data sets to measure on.")
    ] = "groundswell",
    stream: Annotated[
        Path | None,
        typer.Option(
            "--stream", help="Measure on this labelled file of comments instead of the val sets."
        ),
    ] = None,
    *,
    robustness: Annotated[
        bool, typer.Option("--robustness", help="Run the robustness cases instead of the val sets.")
    ] = False,
    failures: Annotated[
        bool, typer.Option("--failures", help="With --robustness: list the failed cases.")
    ] = False,
    threads: Threads = None,
) -> None:
    """Measure a model on the val sets, on a labelled stream, or with the robustness cases."""
    if failures and not robustness:
        raise typer.BadParameter("--failures needs --robustness")
    if robustness and stream is not None:
        raise typer.BadParameter("use either --robustness or --stream, not both")
    from model.classifier import SentimentClassifier

    if robustness:
        from training.robustness.measure import measure_robustness

        classifier = SentimentClassifier.load(artifact, threads=threads)
        results = measure_robustness(classifier)
        typer.echo(f"model {classifier.model_id}")
        _print_rates(results)
        if failures:
            _print_failures(results)
        return
    with _bad_input():
        from training.data import load_corpus
        from training.evaluate import evaluate as measure_val
        from training.evaluate import measure_stream
        from training.recipe import load_recipe

        plan = load_recipe(recipe)
        classifier = SentimentClassifier.load(artifact, threads=threads)
        if stream is not None:
            measured = [measure_stream(classifier, stream)]
        else:
            measured = measure_val(classifier, load_corpus(plan, data, train=False))
    typer.echo(f"model {classifier.model_id}")
    _print_table(measured)


@contextmanager
def _bad_input() -> Iterator[None]:
    """Report wrong input as a usage error with exit code 2."""
    try:
        yield
    except (DataError, RecipeError) as error:
        raise typer.BadParameter(str(error)) from error


@contextmanager
def _progress(done: int, steps: int) -> "Iterator[Callable[[TrainingProgress], None]]":
    """A progress bar with the loss, the speed and the remaining time."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("steps"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("loss {task.fields[loss]:.3f}, {task.fields[speed]:.0f} texts/s"),
    )
    with Bar(*columns, console=Console(stderr=True), speed_estimate_period=300) as bar:
        task = bar.add_task("steps", total=steps, completed=done, loss=0.0, speed=0.0)

        def watch(progress: "TrainingProgress") -> None:
            bar.update(
                task,
                completed=progress.step,
                loss=progress.loss,
                speed=progress.texts_per_second,
            )

        yield watch


@contextmanager
def _teacher_progress() -> Iterator[Callable[[int, int], None]]:
    """A progress bar of the teacher's rows."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("teacher"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), speed_estimate_period=300) as bar:
        task = bar.add_task("rows", total=None)
        yield lambda done, rows: bar.update(task, completed=done, total=rows)


def _print_table(measured: "Sequence[Measured]") -> None:
    """Print one table per head, at most 80 columns wide."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for head in dict.fromkeys(m.head for m in measured):
        table = Table("group", title=head, title_justify="left", box=None, padding=(0, 2, 0, 0))
        for name in ("texts", "macro-F1", "95%", "recall", "acc.", "ECE", "chance"):
            table.add_column(name, justify="right", no_wrap=True)
        for m in (m for m in measured if m.head == head):
            table.add_row(
                m.name + (" (noisy)" if m.noisy else ""),
                str(m.rows),
                f"{100 * m.macro_f1:.1f}",
                f"{100 * m.low:.1f}-{100 * m.high:.1f}",
                f"{100 * m.macro_recall:.1f}",
                f"{100 * m.accuracy:.1f}",
                f"{m.calibration_error:.3f}",
                f"{m.calibration_floor:.3f}",
            )
        console.print(table)
    console.print(
        "F1, recall and accuracy are in percent. 95% is the bootstrap interval of macro-F1; recall "
        "is the mean over the classes. ECE is the expected calibration error; chance is the ECE of "
        "a perfectly calibrated model on as many texts. Noisy sets are reported only."
    )


def _print_rates(results: "Sequence[FamilyResult]") -> None:
    from rich.console import Console
    from rich.table import Table

    languages = list(dict.fromkeys(key for result in results for key in result.by_language))
    table = Table("family", "all", *languages)
    for result in results:
        counts = [result.total, *(result.by_language.get(key) for key in languages)]
        cells = [f"{n.passed}/{n.cases} {100 * n.rate:.0f}%" if n else "" for n in counts]
        table.add_row(result.family.name, *cells)
    Console().print(table)


def _print_failures(results: "Sequence[FamilyResult]") -> None:
    for result in results:
        for outcome in result.failures:
            typer.echo(f"{result.family.name} {outcome.case.language} {outcome.case.expect}")
            for text, said in zip(outcome.case.texts, outcome.said, strict=True):
                shares = f"{said.negative:.3f} {said.neutral:.3f} {said.positive:.3f}"
                typer.echo(f"    {shares}  {' '.join(text.split())}")
