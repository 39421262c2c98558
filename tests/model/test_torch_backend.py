import json
import shutil
from pathlib import Path

import pytest
import torch

from model.artifact import ModelArtifact
from model.classifier import SentimentClassifier
from model.errors import ArtifactError, BackendError
from model.torch_backend import TorchBackend


def test_folder_of_transformers_is_read_by_its_label_names(transformers_folder: Path) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    classifier = SentimentClassifier.load(transformers_folder)
    assert classifier.model_id == f"transformers:{transformers_folder}"
    said = classifier.predict(["good monday"])[0]
    model = AutoModelForSequenceClassification.from_pretrained(str(transformers_folder)).eval()
    inputs = AutoTokenizer.from_pretrained(str(transformers_folder))("good monday")
    with torch.no_grad():
        logits = model(
            input_ids=torch.tensor([inputs["input_ids"]]),
            attention_mask=torch.tensor([inputs["attention_mask"]]),
        ).logits
    positive, neutral, negative = torch.softmax(logits[0], dim=-1).tolist()
    assert said.positive == pytest.approx(positive, abs=1e-4)
    assert said.neutral == pytest.approx(neutral, abs=1e-4)
    assert said.negative == pytest.approx(negative, abs=1e-4)
    assert said.offensive is None


def test_long_text_is_windowed(transformers_folder: Path) -> None:
    classifier = SentimentClassifier.load(transformers_folder)
    assert classifier.predict(["good table " * 100])[0].windows > 1


def test_labels_that_name_no_sentiment_are_refused(
    transformers_folder: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(transformers_folder, tmp_path / "opaque")
    config = json.loads((folder / "config.json").read_text())
    config["id2label"] = {str(i): f"LABEL_{i}" for i in range(3)}
    config["label2id"] = {f"LABEL_{i}": i for i in range(3)}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(BackendError, match="LABEL_0"):
        SentimentClassifier.load(folder)


def test_neither_folder_nor_reachable_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ArtifactError, match="someone/no-such-model"):
        SentimentClassifier.load("someone/no-such-model")


def test_artifact_without_torch_weights(artifact: Path) -> None:
    with pytest.raises(ArtifactError, match=r"no model\.safetensors"):
        TorchBackend.from_artifact(ModelArtifact.load(artifact))
