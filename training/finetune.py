"""The training loop: multi-task, optionally in bfloat16, resumable at any step."""

import copy
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import PreTrainedModel

from model.network import Network
from training.data import Split
from training.errors import TrainingError
from training.loss import distillation_loss, multi_task_loss
from training.mixture import Batch, batches, shares
from training.recipe import Head, Optimisation, Recipe
from training.schedule import rate_at
from training.soft_targets import SoftTargets

CHECKPOINT = "checkpoint.pt"
JOURNAL = "journal.jsonl"


@dataclass(frozen=True, slots=True)
class Tokenised:
    """A split with its rows as token ids, one int32 array each."""

    split: Split
    ids: Sequence[NDArray[np.int32]]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each row, shape (rows,)."""
        return np.array([len(ids) for ids in self.ids], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """The progress of a run, as passed to ``watch``."""

    step: int
    steps: int
    loss: float
    rate: float
    texts_per_second: float


class Trainer:
    """Trains a network on a recipe's mixture of sets.

    Its folder has ``checkpoint.pt`` (weights, optimiser, random state, position), which is written
    atomically, and ``journal.jsonl`` with one line per report.
    """

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        train: Sequence[Tokenised],
        folder: Path,
        pad_id: int,
        soft: SoftTargets | None = None,
    ) -> None:
        """Prepare the optimiser and the order of batches.

        Args:
            network: has the recipe's heads, in order.
            recipe: determines learning rate, order and length of the run.
            train: the sets to learn from.
            folder: of checkpoint and journal; created if missing.
            pad_id: the padding id.
            soft: the teacher's answers to the rows that :func:`drawn` returns, if the recipe has a
                distillation.

        Raises:
            TrainingError: ``soft`` is missing, or given without a distillation.
        """
        if (soft is None) != (recipe.distillation is None):
            raise TrainingError(
                "a distillation needs the teacher's answers, and only a distillation uses them"
            )
        self.network = network
        self.step = 0
        self._recipe = recipe
        self._train = train
        self._folder = folder
        self._pad_id = pad_id
        self._soft = soft
        balance = recipe.optimisation.class_balance
        self._weights = [part.split.row_weights(balance) for part in train]
        folder.mkdir(parents=True, exist_ok=True)
        if not recipe.optimisation.embedding_learning_rate:
            network.encoder.get_input_embeddings().weight.requires_grad_(False)
        self._optimiser = _optimiser(network, recipe.optimisation)
        self._computing = _Computing(network, recipe.optimisation.precision)

    def resume(self) -> bool:
        """Continue from the folder's checkpoint; returns False if there is none.

        Raises:
            TrainingError: the checkpoint is of a run with another teacher, data, seed or network.
        """
        path = self._folder / CHECKPOINT
        if not path.is_file():
            return False
        state: dict[str, Any] = torch.load(path, weights_only=True)
        if state["run"] != self._identity():
            raise TrainingError(
                f"{path} belongs to another run; choose another --run, or delete it"
            )
        self.network.load_state_dict(state["network"])
        self._optimiser.load_state_dict(state["optimiser"])
        torch.set_rng_state(state["random"])
        self.step = state["step"]
        self._computing.copy_weights()
        return True

    def save(self) -> None:
        """Write the checkpoint, replacing the previous one atomically."""
        state = {
            "run": self._identity(),
            "network": self.network.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "random": torch.get_rng_state(),
            "step": self.step,
        }
        fresh = self._folder / f"{CHECKPOINT}.tmp"
        torch.save(state, fresh)
        fresh.replace(self._folder / CHECKPOINT)

    def run(
        self,
        until: int | None = None,
        *,
        save_every: int = 500,
        report_every: int = 20,
        watch: Callable[[TrainingProgress], None] = lambda progress: None,
        evaluate: Callable[[], dict[str, float]] | None = None,
    ) -> None:
        """Train from the current step to ``until`` (by default the recipe's last step).

        Args:
            until: the last step; the schedule remains that of the whole recipe.
            save_every: steps between checkpoints; the last step always writes one.
            report_every: steps between calls of ``watch`` and lines of the journal.
            watch: called with the progress.
            evaluate: called at each checkpoint; its metrics go into the journal.
        """
        optimisation = self._recipe.optimisation
        last = min(until or optimisation.steps, optimisation.steps)
        losses: list[float] = []
        texts, since = 0, time.monotonic()
        self._computing.network.train()
        for batch in islice(order(self._recipe, self._train), self.step, last):
            losses.append(self._advance(batch))
            texts += len(batch.rows)
            if self.step % report_every == 0 or self.step == last:
                seconds = time.monotonic() - since
                progress = TrainingProgress(
                    self.step,
                    optimisation.steps,
                    float(np.mean(losses)),
                    rate_at(self.step, optimisation),
                    texts / seconds,
                )
                watch(progress)
                self._note(step=self.step, loss=progress.loss, texts_per_second=texts / seconds)
                losses, texts, since = [], 0, time.monotonic()
            if self.step % save_every == 0 or self.step == last:
                self.save()
                if evaluate is not None:
                    self._note(step=self.step, **evaluate())
                since = time.monotonic()

    def _advance(self, batch: Batch) -> float:
        optimisation = self._recipe.optimisation
        rate = rate_at(self.step, optimisation)
        for group in self._optimiser.param_groups:
            group["lr"] = group["peak"] * rate
        rows = [self._train[s].ids[r] for s, r in zip(batch.sets, batch.rows, strict=True)]
        ids, mask = pad(rows, self._pad_id)
        if optimisation.word_dropout:
            mask = drop_words(mask, optimisation.word_dropout)
        loss = self._loss(batch, self._computing.network(ids, mask))
        loss.backward()  # type: ignore[no-untyped-call]
        self._computing.copy_gradients()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self._optimiser.step()
        self._optimiser.zero_grad(set_to_none=True)
        self._computing.copy_weights()
        self.step += 1
        return float(loss.detach())

    def _loss(self, batch: Batch, logits: Sequence[Tensor]) -> Tensor:
        splits = [self._train[s].split for s in batch.sets]
        labels = torch.tensor(
            [int(split.labels[r]) for split, r in zip(splits, batch.rows, strict=True)]
        )
        weights = torch.tensor(
            [float(self._weights[s][r]) for s, r in zip(batch.sets, batch.rows, strict=True)]
        )
        members: dict[str, Tensor] = {}
        allowed: dict[str, Tensor] = {}
        for head in self._recipe.heads:
            mine = [i for i, split in enumerate(splits) if split.data.head == head.name]
            members[head.name] = torch.tensor(mine, dtype=torch.int64)
            table = np.ones((len(splits), len(head.labels)), dtype=np.bool_)
            for i in mine:
                table[i] = splits[i].allowed
            allowed[head.name] = torch.from_numpy(table)
        by_head = dict(zip((head.name for head in self._recipe.heads), logits, strict=True))
        smoothing = self._recipe.optimisation.label_smoothing
        hard = multi_task_loss(by_head, labels, allowed, members, weights, smoothing)
        distillation = self._recipe.distillation
        if self._soft is None or distillation is None:
            return hard
        soft = distillation_loss(logits, self._soft.of(batch), distillation.temperature)
        return (1 - distillation.weight) * hard + distillation.weight * soft

    def _identity(self) -> str:
        """What a run and its checkpoint must have in common to see the same rows.

        Steps and learning rates are not included, so a run can be made shorter or longer.
        """
        bases = self._recipe.bases
        identity: dict[str, Any] = {
            "seed": self._recipe.seed,
            "base": bases[0] if len(bases) == 1 else bases,
            "batch_size": self._recipe.optimisation.batch_size,
            "sets": [[p.split.data.name, len(p.split), p.split.data.weight] for p in self._train],
            "shapes": sorted(
                [name, list(value.shape)] for name, value in self.network.state_dict().items()
            ),
        }
        if self._soft is not None:
            identity["teacher"] = self._soft.teacher
        return json.dumps(identity)

    def _note(self, **figures: float) -> None:
        with (self._folder / JOURNAL).open("a", encoding="utf-8") as journal:
            journal.write(json.dumps({k: round(v, 5) for k, v in figures.items()}) + "\n")


class _Computing:
    """The network that computes: the trained one itself, or a copy in bfloat16 whose gradients are
    applied to the trained one's float32 "master weights".
    """

    def __init__(self, network: Network, precision: str) -> None:
        self.network = network
        self._pairs: list[tuple[nn.Parameter, nn.Parameter]] = []
        if precision == "bf16":
            self.network = copy.deepcopy(network).to(torch.bfloat16)
            pairs = zip(network.parameters(), self.network.parameters(), strict=True)
            self._pairs = [pair for pair in pairs if pair[0].requires_grad]

    def copy_gradients(self) -> None:
        """Copy the gradients to the trained network."""
        for trained, computing in self._pairs:
            trained.grad = None if computing.grad is None else computing.grad.float()
            computing.grad = None

    @torch.no_grad()
    def copy_weights(self) -> None:
        """Copy the trained network's weights."""
        for trained, computing in self._pairs:
            computing.copy_(trained)


def order(recipe: Recipe, train: Sequence[Tokenised]) -> Iterator[Batch]:
    """The batches of a run, without an end."""
    share = shares(
        [len(part.split) for part in train],
        [part.split.data.weight for part in train],
        recipe.optimisation.temperature,
    )
    return batches(
        [part.lengths for part in train],
        share,
        batch_size=recipe.optimisation.batch_size,
        seed=recipe.seed,
    )


def drawn(recipe: Recipe, train: Sequence[Tokenised]) -> list[NDArray[np.bool_]]:
    """Which rows of each set a recipe's steps use, each (rows,)."""
    found = [np.zeros(len(part.split), dtype=np.bool_) for part in train]
    for batch in islice(order(recipe, train), recipe.optimisation.steps):
        for place in np.unique(batch.sets):
            found[place][batch.rows[batch.sets == place]] = True
    return found


def pad(rows: Sequence[NDArray[np.int32]], pad_id: int) -> tuple[Tensor, Tensor]:
    """Pad rows of token ids into (ids, mask), each (rows, longest), int64."""
    longest = max(len(row) for row in rows)
    ids = np.full((len(rows), longest), pad_id, dtype=np.int64)
    mask = np.zeros((len(rows), longest), dtype=np.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        mask[i, : len(row)] = 1
    return torch.from_numpy(ids), torch.from_numpy(mask)


def drop_words(mask: Tensor, share: float) -> Tensor:
    """A mask without a random share of each row's tokens; uses torch's random state.

    Args:
        mask: (rows, tokens), 1 where there is a token; the first and last token of a row are
            special ones and are kept.
        share: share of the tokens to drop, in [0, 1).
    """
    inner = mask.clone()
    inner[:, 0] = 0
    inner.scatter_(1, mask.sum(dim=1, keepdim=True) - 1, 0)
    dropped = (torch.rand(mask.shape) < share).to(mask.dtype)
    return mask - inner * dropped


def new_network(
    encoder: PreTrainedModel, heads: Sequence[Head], optimisation: Optimisation
) -> Network:
    """A network with new heads on an encoder, with the recipe's dropout."""
    for module in encoder.modules():
        if isinstance(module, nn.Dropout):
            module.p = optimisation.encoder_dropout
    return Network(encoder, {head.name: len(head.labels) for head in heads}, optimisation.dropout)


def _optimiser(network: Network, optimisation: Optimisation) -> torch.optim.Optimizer:
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    embeddings = network.encoder.get_input_embeddings().weight
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            peak = optimisation.learning_rate
            decay = optimisation.weight_decay if parameter.ndim > 1 else 0.0
            if parameter is embeddings:
                peak, decay = optimisation.embedding_learning_rate, 0.0
            elif name.startswith("heads."):
                peak = optimisation.head_learning_rate
            groups.setdefault((peak, decay), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": parameters, "lr": peak, "peak": peak, "weight_decay": decay}
            for (peak, decay), parameters in groups.items()
        ],
        betas=(0.9, 0.98),
        eps=1e-6,
        fused=True,
    )
