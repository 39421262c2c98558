"""The model that comes with the package, loaded as on a machine with neither torch nor network."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from model.artifact import ModelArtifact
from model.classifier import SentimentClassifier, shipped_weights

CASES = {
    "negative": [
        "This is the worst product I have ever bought, a total scam 😡",
        "So disappointed in her, I am unfollowing.",
        "Sản phẩm quá tệ, tôi rất thất vọng",
        "Đồ lừa đảo, tẩy chay ngay!",
        "진짜 최악이에요, 환불해 주세요",
        "너무 실망했어요. 다시는 안 사요.",
    ],
    "positive": [
        "I absolutely love this, you look gorgeous 😍",
        "Thank you so much, this made my day!",
        "Tôi rất thích sản phẩm này, tuyệt vời!",
        "Chị đẹp quá, yêu chị nhiều ❤️",
        "정말 최고예요! 너무 예뻐요",
        "이 영상 덕분에 행복해요, 감사합니다",
    ],
}
_ALONE = """
import json, socket, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "transformers", "onnx", "training", "serving"}:
            raise ModuleNotFoundError(name)

def refuse(*args, **kwargs):
    raise OSError("no network")

sys.meta_path.insert(0, Blocked())
socket.socket.connect = refuse
from model.classifier import SentimentClassifier

texts = json.loads(sys.stdin.read())
said = SentimentClassifier.load(threads=1).predict(texts)
print(json.dumps([str(one.label) for one in said]))
"""


def test_obvious_cases_without_torch_or_network() -> None:
    texts = [text for group in CASES.values() for text in group]
    done = subprocess.run(
        [sys.executable, "-c", _ALONE],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    expected = [label for label, group in CASES.items() for _ in group]
    assert dict(zip(texts, json.loads(done.stdout), strict=True)) == dict(
        zip(texts, expected, strict=True)
    )


@pytest.fixture(scope="module")
def shipped() -> SentimentClassifier:
    return SentimentClassifier.load(threads=2)


def test_insults_are_more_offensive_than_thanks(shipped: SentimentClassifier) -> None:
    insult, thanks = shipped.predict(["shut up you stupid idiot", "thank you, have a nice day"])
    assert insult.offensive is not None
    assert thanks.offensive is not None
    assert insult.offensive > 0.6 > 0.3 > thanks.offensive


def test_scripts_nobody_trained_are_still_cut_and_scored(shipped: SentimentClassifier) -> None:
    texts = ["ଓଡ଼ିଆ ଭାଷା", "ᏣᎳᎩ", "བོད་སྐད་", "Ñandú ქართული", "🦤"]
    assert all(said.windows == 1 and not said.empty for said in shipped.predict(texts))


def test_size_and_manifest() -> None:
    folder = shipped_weights()
    artifact = ModelArtifact.load(folder)
    artifact.verify()
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 70_000_000
    assert {path.name for path in folder.iterdir()} == {*artifact.files, "manifest.json"}
    assert artifact.temperatures.keys() == artifact.labels.keys()
    for name in ("metrics", "data", "recipe", "versions", "calibration", "parity", "robustness"):
        assert artifact.details[name], name
    assert max(artifact.details["parity"].values()) <= 0.005
