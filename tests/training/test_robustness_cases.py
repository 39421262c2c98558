"""The robustness cases as they are shipped, and how a file of them is read."""

import re
from collections import Counter

import pytest

from model.text import normalise
from training.errors import DataError
from training.robustness.cases import Case, Family, load_families, parse_family
from training.robustness.relations import Relation

FAMILIES = {family.name: family for family in load_families()}
HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")
VIETNAMESE = re.compile("[\u0300-\u0323ăâđêôơưĂÂĐÊÔƠƯ\u1ea0-\u1ef9àáãèéìíòóõùúýÀÁÃÈÉÌÍÒÓÕÙÚÝ]")


def in_language(family: Family, language: str) -> list[Case]:
    return [case for case in family.cases if case.language == language]


def test_every_complaint_is_a_family() -> None:
    assert set(FAMILIES) == {
        "code_mixed",
        "confidence",
        "emoji",
        "emphasis",
        "polite",
        "probabilities",
        "references",
        "repetition",
        "sarcasm",
        "short",
    }
    assert all(family.title and family.complaint for family in FAMILIES.values())


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_family_is_large_enough_in_three_languages(name: str) -> None:
    family = FAMILIES[name]
    assert len(family.cases) >= 25
    assert all(len(in_language(family, language)) >= 10 for language in ("en", "vi", "ko"))


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_texts_are_in_the_language_they_are_filed_under(name: str) -> None:
    korean = [bool(HANGUL.search(normalise(c.texts[0]))) for c in in_language(FAMILIES[name], "ko")]
    vietnamese = [bool(VIETNAMESE.search(c.texts[0])) for c in in_language(FAMILIES[name], "vi")]
    english = [HANGUL.search(c.texts[0]) for c in in_language(FAMILIES[name], "en")]
    assert sum(korean) >= 0.7 * len(korean)
    assert sum(vietnamese) >= 0.6 * len(vietnamese)
    assert not any(english)


def test_no_case_is_written_twice_and_every_variant_differs() -> None:
    texts = Counter(case.texts for family in FAMILIES.values() for case in family.cases)
    assert [text for text, times in texts.items() if times > 1] == []
    assert all(len(set(pair)) == len(pair) for pair in texts)


def test_every_relation_is_demanded_somewhere() -> None:
    assert {case.expect for family in FAMILIES.values() for case in family.cases} == set(Relation)


def test_variants_are_made_in_three_ways() -> None:
    family = parse_family(
        "made",
        """
        title = "t"
        complaint = "c"
        [cases]
        en = [
          { expect = "negative", text = "bad" },
          { expect = "same_sign", text = "bad", other = "BAD" },
          { expect = "angrier", text = "bad", append = " 😡" },
        ]
        ko = [{ expect = "not_milder", text = "별로", repeat = 3 }]
        """,
    )
    assert (family.name, family.title, family.complaint) == ("made", "t", "c")
    assert family.cases == (
        Case("en", Relation.NEGATIVE, ("bad",)),
        Case("en", Relation.SAME_SIGN, ("bad", "BAD")),
        Case("en", Relation.ANGRIER, ("bad", "bad 😡")),
        Case("ko", Relation.NOT_MILDER, ("별로", "별로 별로 별로")),
    )


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ('{ expect = "kind", text = "x" }', "no relation 'kind'"),
        ('{ expect = "same", text = "x" }', "same needs 2 texts, not 1"),
        ('{ expect = "valid", text = "x", repeat = 2 }', "valid needs 1 texts, not 2"),
        (
            '{ expect = "same", text = "x", other = "y", append = "z" }',
            "append, other do not define one",
        ),
        ('{ expect = "same", text = "x", othr = "y" }', "othr do not define one variant"),
        ('{ expect = "same", text = "x", repeat = "2" }', "repeat do not define one variant"),
        ('{ expect = "same" }', "lacks 'text'"),
        ("{ expect }", "not valid TOML"),
    ],
)
def test_a_wrong_case_is_named(case: str, says: str) -> None:
    with pytest.raises(DataError, match=f"family made.*{says}"):
        parse_family("made", f'title = "t"\ncomplaint = "c"\n[cases]\nen = [{case}]')
