"""Zero-shot classifiers: equal to what transformers computes from the same prompts; CLIP's confidences are a
softmax over them, SigLIP's are not; and every part of the file that can be wrong."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch

import fooling
from fooling import classifiers
from fooling.classifiers import Numerics
from fooling.classifiers.preprocessing import Preprocess
from fooling.errors import InvalidError, NotFoundError
from fooling.present.facts import facts
from tests.fooling.classifiers.sources.small import LABELS, SIDE, write_clip

NUMERICS = Numerics(batch=5)
PROMPTS = [f"a photo of a {label}" for label in LABELS]


@pytest.fixture(params=["clip", "siglip"])
def kind(request) -> str:
    return request.param


@pytest.fixture
def folder(request, kind) -> Path:
    return request.getfixturevalue(f"{kind}_folder")


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(5, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(3))


def theirs(transformers, folder: Path, pixels: torch.Tensor, prompts: list[str]) -> torch.Tensor:
    """The confidences as transformers' documentation computes them, all prompts in one batch."""
    kind = json.loads((folder / "config.json").read_text())["model_type"]
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = (
        (transformers.SiglipModel if kind == "siglip" else transformers.CLIPModel)
        .from_pretrained(folder)
        .eval()
    )
    filled = {"padding": "max_length", "max_length": 24} if kind == "siglip" else {"padding": True}
    texts = tokenizer(prompts, return_tensors="pt", **filled)
    if kind == "siglip":
        texts = {"input_ids": texts["input_ids"]}
    with torch.no_grad():
        logits = model(pixel_values=pixels, **texts).logits_per_image
    return logits.sigmoid() if kind == "siglip" else logits.softmax(1)


def test_confidences_are_transformers(transformers, kind, folder, images, tmp_path):
    """The prompts are embedded one by one here, in one batch there: within 1e-5."""
    ours = classifiers.load(write_clip(tmp_path / "c.toml", folder), numerics=NUMERICS)
    expected = theirs(transformers, folder, Preprocess(ours.spec)(images), PROMPTS)
    found = ours.confidences(images)
    assert (found - expected).abs().max() < 1e-5
    assert expected.amax(1).std() > 1e-3, "images that are told apart"
    assert ours.spec.output == ("scores" if kind == "siglip" else "logits")
    assert torch.allclose(found.sum(1), torch.ones(5)) == (kind == "clip")


def test_inputs_are_transformers(transformers, folder, photos, tmp_path):
    ours = classifiers.load(write_clip(tmp_path / "c.toml", folder))
    small = torch.nn.functional.interpolate(photos, SIDE, mode="bilinear", antialias=True)
    pixels = (small * 255).round().to(torch.uint8)
    expected = transformers.AutoImageProcessor.from_pretrained(folder)(pixels, return_tensors="pt")[
        "pixel_values"
    ]
    assert (Preprocess(ours.spec)(pixels.float() / 255) - expected).abs().max() < 1e-5


def test_prompts_may_stand_in_a_file(folder, images, tmp_path):
    """A prompt per line; they are the labels where there are no others."""
    (tmp_path / "prompts.txt").write_text("\n".join(PROMPTS) + "\n")
    templated = classifiers.load(write_clip(tmp_path / "a.toml", folder), numerics=NUMERICS)
    listed = write_clip(tmp_path / "b.toml", folder, template=None, labels=None, prompts="prompts.txt")
    named = write_clip(tmp_path / "c.toml", folder, template=None, prompts=PROMPTS)
    ours = classifiers.load(listed, numerics=NUMERICS)
    assert ours.labels == tuple(PROMPTS)
    assert torch.equal(ours.confidences(images), templated.confidences(images))
    assert classifiers.load(named).labels == LABELS


def test_a_prompts_confidence_depends_on_its_own_words(kind, folder, images, tmp_path):
    """With another prompt beside it, a SigLIP score stays what it was, bit for bit; CLIP's share does not."""
    few = write_clip(tmp_path / "few.toml", folder, template=None, labels=None, prompts=PROMPTS[:3])
    more = write_clip(tmp_path / "more.toml", folder, template=None, labels=None, prompts=PROMPTS)
    short = classifiers.load(few, numerics=NUMERICS).confidences(images)
    long = classifiers.load(more, numerics=NUMERICS).confidences(images)[:, :3]
    if kind == "siglip":
        assert (short - long).abs().max() < 1e-6
    else:
        assert (short > long).all()


def test_other_prompts_are_another_classifier(folder, tmp_path):
    """The same labels and image encoder: only the fingerprint can tell, and a resume must."""
    one = classifiers.load(write_clip(tmp_path / "c.toml", folder))
    other = classifiers.load(write_clip(tmp_path / "c.toml", folder, template="a drawing of a {}"))
    assert one.spec == other.spec
    assert one.fingerprint != other.fingerprint


def test_fingerprints_do_not_depend_on_the_last_bits_of_embeddings(folder, tmp_path):
    """They are computed where the classifier is loaded: another machine may round otherwise, and its workers
    would be refused."""
    from fooling.classifiers.fingerprint import fingerprint

    ours = classifiers.load(write_clip(tmp_path / "c.toml", folder))
    before = fingerprint(ours.spec, ours.network, torch.nn.Identity())
    ours.network.prompts = ours.network.prompts + 1e-7
    assert fingerprint(ours.spec, ours.network, torch.nn.Identity()) == before


def test_embeddings_travel_with_the_network(folder, tmp_path):
    """`.to(device)` and `.double()` reach them although they are no buffer."""
    network = classifiers.load(write_clip(tmp_path / "c.toml", folder)).network
    assert network.to("meta").prompts.device.type == "meta"


def test_manifest_and_gallery_say_what_a_confidence_is(kind, folder, tmp_path):
    """0.01 from a SigLIP is no weak softmax: whoever reads the gallery has to be told."""
    run = fooling.run(
        "imagenet-direct",
        out=tmp_path / "run",
        flags={"model": write_clip(tmp_path / "c.toml", folder)},
        assignments=("search.generations=1", "search.population=4", "run.batch=4"),
    )
    meaning = {
        "clip": "softmax over 5 prompts: what the others leave to the best one",
        "siglip": "sigmoid of how well the image goes with each of 5 prompts, by itself: no softmax, no sum of 1",
    }[kind]
    spec = json.loads((run.directory / "manifest.json").read_text())["classifier"]["spec"]
    assert (spec["confidence"], spec["output"]) == (meaning, "scores" if kind == "siglip" else "logits")
    assert dict(facts(run))["Confidence"] == meaning
    assert meaning in (run.directory / "gallery.html").read_text()


def test_what_the_file_says_wins(folder, tmp_path):
    spec = classifiers.load(
        write_clip(tmp_path / "c.toml", folder, name="mine", confidence="made up", **{"groups.pets": [0, 1]})
    ).spec
    assert (spec.name, spec.confidence, spec.groups) == ("mine", "made up", {"pets": (0, 1)})


@pytest.mark.parametrize(
    "changes, error, message",
    [
        ({"model": None}, InvalidError, "expected model, which is not there"),
        ({"model": "no/folder/here"}, NotFoundError, r"expected a folder or OWNER/NAME\[@REVISION\]"),
        ({"template": None}, InvalidError, r"expected a template \(with labels\) or prompts, one of the two"),
        ({"prompts": PROMPTS}, InvalidError, r"expected a template \(with labels\) or prompts, one of the two"),
        ({"template": "a photo"}, InvalidError, "expected {} once in the template, found 'a photo'"),
        ({"labels": None}, InvalidError, "expected labels for the template, found none"),
        ({"labels": "no.txt"}, NotFoundError, "no.txt"),
        ({"template": None, "prompts": PROMPTS[:2]}, InvalidError, "expected 5 prompts, one per label, found 2"),
        ({"size": 224}, InvalidError, "expected no size, which is the model's own"),
        ({"labels": ["cat", "CAT"]}, InvalidError, "the model reads 'a photo of a CAT' as 'a photo of a cat'"),
        ({"templates": "x"}, InvalidError, "templates is not a key"),
        ({"template": "a photo of something or somebody or {}"}, InvalidError, "expected prompts of at most 24 tokens, found .. in 'a photo of something or somebody or cat'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(clip_folder, tmp_path, changes, error, message):
    """A prompt that is cut short would be another class, with nobody told."""
    with pytest.raises(error, match=message) as caught:
        classifiers.load(write_clip(tmp_path / "c.toml", clip_folder, **changes))
    assert "\n" not in str(caught.value)


def test_other_models_are_refused(hf_folder, tmp_path):
    with pytest.raises(InvalidError, match="expected a model of type clip or siglip, found 'vit'"):
        classifiers.load(write_clip(tmp_path / "c.toml", hf_folder))


def test_a_tokenizer_that_is_missing_is_said_so(clip_folder, tmp_path):
    """transformers would make one up, which reads all prompts alike."""
    copy = Path(shutil.copytree(clip_folder, tmp_path / "copy"))
    for file in copy.glob("*token*"):
        file.unlink()
    with pytest.raises(
        InvalidError, match=r"expected a tokenizer \(tokenizer.json, .*\) in .*copy, found none"
    ) as caught:
        classifiers.load(write_clip(tmp_path / "c.toml", copy))
    assert "\n" not in str(caught.value)


def test_a_tokenizer_that_is_damaged_is_said_so(clip_folder, tmp_path):
    copy = Path(shutil.copytree(clip_folder, tmp_path / "copy"))
    (copy / "tokenizer.json").write_text("{}")
    with pytest.raises(InvalidError, match="its tokenizer can't be loaded") as caught:
        classifiers.load(write_clip(tmp_path / "c.toml", copy))
    assert "\n" not in str(caught.value)


def test_a_model_folder_is_found_beside_the_file(clip_folder, tmp_path, monkeypatch):
    """Whatever folder the command is given in."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "small").symlink_to(clip_folder)
    spec = write_clip(tmp_path / "models" / "c.toml", Path("small"))
    assert classifiers.load(spec).labels == LABELS


def test_siglips_own_tokenizer(transformers, siglip_folder, tmp_path):
    """Checkpoints of SigLIP 1 come with a sentencepiece model, which needs a package of the extra."""
    sentencepiece = pytest.importorskip(
        "sentencepiece", reason="sentencepiece is not installed: the extra hf"
    )
    copy = Path(shutil.copytree(siglip_folder, tmp_path / "copy"))
    for file in copy.glob("*token*"):
        file.unlink()
    (tmp_path / "texts.txt").write_text("\n".join(PROMPTS))
    sentencepiece.SentencePieceTrainer.train(
        input=str(tmp_path / "texts.txt"), model_prefix=str(copy / "spiece"), vocab_size=19, minloglevel=2,
        pad_id=0, eos_id=1, unk_id=2, bos_id=-1,
    )  # fmt: skip
    tokenizer = transformers.SiglipTokenizer(vocab_file=str(copy / "spiece.model"), model_max_length=24)
    tokenizer.save_pretrained(copy)
    ours = classifiers.load(write_clip(tmp_path / "c.toml", copy), numerics=NUMERICS)
    images = torch.rand(5, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(3))
    expected = theirs(transformers, copy, Preprocess(ours.spec)(images), PROMPTS)
    assert (ours.confidences(images) - expected).abs().max() < 1e-5


def test_the_ready_made_config_is_for_prompts():
    config = tomllib.loads((Path(__file__).parents[4] / "configs" / "clip-prompts.toml").read_text())
    assert config["search"]["name"] == "map-elites"


def test_siglip_reads_prompts_as_it_was_trained_whatever_its_tokenizer_knows(siglip_folder, tmp_path):
    """SigLIP 2's tokenizer file tells capitals apart, its training did not: scores would sink, with nothing said."""
    capitals = {"labels": ["Cat", "Dog"], "template": "A photo of a {}."}
    ours = classifiers.load(write_clip(tmp_path / "a.toml", siglip_folder, **capitals), numerics=NUMERICS)
    small = {"labels": ["cat", "dog"], "template": "a photo of a {}"}
    plain = classifiers.load(write_clip(tmp_path / "b.toml", siglip_folder, **small), numerics=NUMERICS)
    images = torch.rand(3, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(3))
    assert torch.equal(ours.confidences(images), plain.confidences(images))
    assert ours.notes[0].endswith("as this model was trained: 'A photo of a Cat.' as 'a photo of a cat'")
    assert plain.notes == ()
    with pytest.raises(InvalidError, match=r"the model reads 'A photo of a cat.' as 'A photo of a Cat.'"):
        classifiers.load(
            write_clip(tmp_path / "c.toml", siglip_folder, **{**capitals, "labels": ["Cat", "cat"]})
        )


def test_one_prompt_alone_is_no_choice(clip_folder, siglip_folder, tmp_path):
    """CLIP would be 100 % certain of it in every image; SigLIP's prompts are independent of each other."""
    with pytest.raises(InvalidError, match="expected two prompts or more"):
        classifiers.load(write_clip(tmp_path / "one.toml", clip_folder, labels=["cat"]))
    one = classifiers.load(write_clip(tmp_path / "one.toml", siglip_folder, labels=["cat"]))
    assert one.classify(np.zeros((1, SIDE, SIDE, 3), np.uint8)).item() < 1
