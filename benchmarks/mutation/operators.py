"""Which mutations are made: a choice of cosmic-ray's, and two of our own."""

from collections.abc import Iterator
from dataclasses import fields
from itertools import permutations
from typing import Any

from cosmic_ray import plugins
from cosmic_ray.operators.operator import Operator
from parso.python.tree import Name
from parso.tree import Leaf, NodeOrLeaf

from monitoring.policy import Policy
from serving.settings import Settings

Positions = Iterator[tuple[tuple[int, int], tuple[int, int]]]

# Swaps that somebody might type by mistake. Most others (`+` for `<<`) end in a TypeError and
# would only flatter the figures.
_ARITHMETIC = ("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "FloorDiv_Mul", "Mod_FloorDiv")
_BITS = ("Pow_Mul", "BitOr_BitAnd", "BitAnd_BitOr")
_COMPARISONS = (
    *("_".join(pair) for pair in permutations(("Lt", "LtE", "Gt", "GtE"), 2)),
    *("Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is"),
)
_KEPT = (
    *(f"ReplaceBinaryOperator_{swap}" for swap in (*_ARITHMETIC, *_BITS)),
    *(f"ReplaceComparisonOperator_{swap}" for swap in _COMPARISONS),
    *("ReplaceUnaryOperator_USub_UAdd", "ReplaceUnaryOperator_Delete_Not"),
    *("AddNot", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue"),
    *("ReplaceAndWithOr", "ReplaceOrWithAnd", "NumberReplacer", "ExceptionReplacer"),
    *("ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ZeroIterationForLoop"),
    "RemoveDecorator",
)


_DEFAULTS: dict[str, dict[str, object]] = {
    "settings": {name: field.default for name, field in Settings.model_fields.items()},
    "policy": {one.name: one.default for one in fields(Policy) if isinstance(one.default, float)},
}


class _Replacement(Operator):  # type: ignore[misc]
    """Replaces a node by other code."""

    def mutation_positions(self, node: NodeOrLeaf) -> Positions:
        """Where a node is mutated: all of it, or nowhere."""
        if self.code(node) is not None:
            yield node.start_pos, node.end_pos

    def mutate(self, node: NodeOrLeaf, index: int) -> Leaf:
        """The other code, as a leaf of the syntax tree."""
        first = node.get_first_leaf()
        return Name(f"{first.prefix}{self.code(node)}", first.start_pos)

    def code(self, node: NodeOrLeaf) -> str | None:
        """What replaces a node; None where it is left alone."""
        raise NotImplementedError

    @classmethod
    def examples(cls) -> tuple[Any, ...]:
        """None: the sample is tried, not the operator."""
        return ()


class StatementRemoved(_Replacement):
    """Removes a statement that is there for its effect: a call, or a write to an object.

    An assignment to a plain name stays, as does one in `__init__`: without it the next line that
    reads it would fail.
    """

    def code(self, node: NodeOrLeaf) -> str | None:
        """`pass` in the place of such a statement."""
        if node.parent is None or node.parent.type != "simple_stmt":
            return None
        function = node.search_ancestor("funcdef")
        has_effect = node.type == "atom_expr"
        if node.type == "expr_stmt" and (sign := node.children[1]).type == "operator":
            target = node.children[0].type
            has_effect = sign.value != "=" or (
                target == "atom_expr" and function.name.value != "__init__"
            )
        return "pass" if has_effect and function is not None else None


class FieldHardWired(_Replacement):
    """Replaces the reading of a setting, or of a number of the policy, by its default."""

    def code(self, node: NodeOrLeaf) -> str | None:
        """The default in the place of such a reading."""
        if node.type != "atom_expr" or node.children[-1].children[0].value != ".":
            return None
        owner = "".join(child.get_code() for child in node.children[:-1]).strip().split(".")[-1]
        if owner == "self" and (inside := node.search_ancestor("classdef")) is not None:
            owner = inside.name.value
        defaults = _DEFAULTS.get(owner.lower().strip("_"), {})
        name = node.children[-1].children[1].value
        return repr(defaults[name]) if name in defaults else None


_OWN = {operator.__name__: operator for operator in (StatementRemoved, FieldHardWired)}
plugins.OPERATOR_PROVIDERS["groundswell"] = _OWN  # in each process: not installed as a plugin
NAMES = (*(f"core/{name}" for name in _KEPT), *(f"groundswell/{name}" for name in _OWN))
