import math

import torch

from training.loss import distillation_loss, masked_cross_entropy, multi_task_loss


def test_absent_class_takes_no_part() -> None:
    logits = torch.tensor([[1.0, 9.0, -1.0]], requires_grad=True)
    allowed = torch.tensor([[True, False, True]])
    loss = masked_cross_entropy(logits, torch.tensor([0]), allowed, smoothing=0.0)
    assert math.isclose(loss.item(), math.log(1 + math.exp(-2.0)), rel_tol=1e-5)
    loss.sum().backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert logits.grad[0, 1] == 0
    assert logits.grad[0, 0] != 0


def test_smoothing_spreads_over_allowed_classes_only() -> None:
    allowed = torch.tensor([[True, False, True]])
    even = masked_cross_entropy(torch.zeros(1, 3), torch.tensor([0]), allowed, smoothing=0.5)
    assert math.isclose(even.item(), math.log(2), rel_tol=1e-6)
    sure = masked_cross_entropy(
        torch.tensor([[4.0, 0.0, 0.0]]), torch.tensor([0]), allowed, smoothing=0.5
    )
    kept, other = -math.log(1 + math.exp(-4)), -math.log(1 + math.exp(4))
    assert math.isclose(sure.item(), -(0.75 * kept + 0.25 * other), rel_tol=1e-5)


def test_all_classes_without_smoothing_is_cross_entropy() -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(5, 3), torch.tensor([0, 1, 2, 1, 0])
    ours = masked_cross_entropy(logits, labels, torch.ones(5, 3, dtype=torch.bool), 0.0)
    theirs = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
    assert torch.allclose(ours, theirs, atol=1e-6)


def test_each_row_counts_for_its_own_head() -> None:
    logits = {
        "a": torch.zeros(3, 2, requires_grad=True),
        "b": torch.zeros(3, 4, requires_grad=True),
    }
    members = {"a": torch.tensor([0, 2]), "b": torch.tensor([1])}
    allowed = {name: torch.ones_like(value, dtype=torch.bool) for name, value in logits.items()}
    loss = multi_task_loss(logits, torch.tensor([1, 3, 0]), allowed, members, torch.ones(3), 0.0)
    assert math.isclose(loss.item(), (2 * math.log(2) + math.log(4)) / 3, rel_tol=1e-6)
    loss.backward()  # type: ignore[no-untyped-call]
    assert logits["a"].grad is not None
    assert logits["a"].grad[1].abs().sum() == 0
    assert logits["a"].grad[0].abs().sum() > 0


def test_a_heavier_row_counts_for_more() -> None:
    logits = {"a": torch.tensor([[2.0, 0.0], [0.0, 1.0]])}
    allowed = {"a": torch.ones(2, 2, dtype=torch.bool)}
    members, weights = {"a": torch.tensor([0, 1])}, torch.tensor([0.5, 1.5])
    loss = multi_task_loss(logits, torch.tensor([0, 0]), allowed, members, weights, 0.0)
    rows = [math.log(1 + math.exp(-2.0)), math.log(1 + math.exp(1.0))]
    assert math.isclose(loss.item(), (0.5 * rows[0] + 1.5 * rows[1]) / 2, rel_tol=1e-6)


def test_distance_to_the_teacher_by_hand() -> None:
    """One head, one row: the teacher says 3/4, 1/4 at T = 1 and the student the reverse."""
    far, near = torch.tensor([[math.log(3.0), 0.0]]), torch.tensor([[0.0, math.log(3.0)]])
    at_one = distillation_loss([near], [far], 1.0)
    assert math.isclose(at_one.item(), 0.5 * math.log(3), rel_tol=1e-6)
    share = math.sqrt(3) / (math.sqrt(3) + 1)  # of the teacher at T = 2
    by_hand = 4 * (2 * share - 1) * math.log(share / (1 - share))
    assert math.isclose(distillation_loss([near], [far], 2.0).item(), by_hand, rel_tol=1e-5)
    assert distillation_loss([far], [far + 5], 2.0).item() == 0  # a shift says nothing


def test_distances_of_heads_add_up_and_those_of_rows_are_averaged() -> None:
    torch.manual_seed(0)
    mine, theirs = (
        [torch.randn(2, 3), torch.randn(2, 2)],
        [torch.randn(2, 3), torch.randn(2, 2)],
    )
    each = [
        distillation_loss([a[row : row + 1]], [b[row : row + 1]], 2.0)
        for a, b in zip(mine, theirs, strict=True)
        for row in range(2)
    ]
    together = distillation_loss(mine, theirs, 2.0)
    assert torch.allclose(together, torch.stack(each).sum() / 2)


def test_a_temperature_leaves_the_size_of_small_gradients() -> None:
    """At a high T, T**2 KL tends to half the mean square of the centred difference (Hinton)."""
    mine = torch.tensor([[0.3, 0.0, -0.3]])
    loss = distillation_loss([mine], [torch.zeros(1, 3)], 50.0)
    assert math.isclose(loss.item(), 0.5 * float((mine**2).mean()), rel_tol=0.02)
