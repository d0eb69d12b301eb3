"""The classifier's contracts: equal bits whoever asks and however many images come, gradients, one-line
errors."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from fooling import classifiers
from fooling.classifiers import ClassifierError, Crop, Numerics, Preprocessing, Resize, from_module
from fooling.classifiers.fingerprint import fingerprint
from fooling.classifiers.preprocessing import Preprocess
from fooling.errors import FoolingError

LENET = classifiers.load("builtin:lenet")
PIXELS = np.random.default_rng(0).integers(0, 256, (130, 28, 28, 1), dtype=np.uint8)
CONFIDENCES = LENET.classify(PIXELS)


def as_images(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2).float() / 255


@given(start=st.integers(0, 129), count=st.integers(1, 70))
def test_bits_do_not_depend_on_how_many_images_come(start, count):
    """A failure would make a run's archive depend on the size of its chunks and the number of workers."""
    part = PIXELS[start : start + count]
    assert np.array_equal(LENET.classify(part), CONFIDENCES[start : start + count])


@pytest.mark.parametrize("layout", ["channels-last", "nchw"])
@pytest.mark.parametrize("strided", [False, True])
def test_bytes_and_floats_give_equal_bits(layout, strided):
    """A failure would mean that an archive's confidences do not come out when its PNGs are classified."""
    classifier = LENET.with_numerics(Numerics(layout=layout))
    images = as_images(PIXELS)
    images = images if strided else images.contiguous()
    assert np.array_equal(classifier.confidences(images).numpy(), classifier.classify(PIXELS))


def test_a_tensor_of_bytes_is_classified_like_an_array():
    """On CUDA, images that are rendered there stay there: a failure costs equal bits on both ways."""
    confidences = LENET.classify(torch.from_numpy(PIXELS))
    assert isinstance(confidences, torch.Tensor)
    assert np.array_equal(confidences.numpy(), CONFIDENCES)


def test_confidences_are_a_plain_forward_pass_within_the_contract(wrap, tiny):
    images = as_images(PIXELS)
    plain = LENET.network(images).softmax(1)
    assert (LENET.confidences(images) - plain).abs().max() < 1e-6


def test_classified_from_several_threads_at_once_gives_equal_bits():
    """Evaluators share one classifier: a hidden buffer would mix up their images."""
    answers = {}

    def work(number):
        torch.set_num_threads(LENET.numerics.threads)
        answers[number] = [LENET.classify(PIXELS[number * 10 : number * 10 + 50]) for _ in range(10)]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, results in answers.items():
        for result in results:
            assert np.array_equal(result, CONFIDENCES[number * 10 : number * 10 + 50])


def test_read_only_and_strided_pixels_are_taken(recwarn):
    """Arrays from shared memory are read-only; a warning per call would fill the log."""
    pixels = PIXELS[::2]
    expected = LENET.classify(np.ascontiguousarray(pixels))
    frozen = PIXELS.copy()
    frozen.flags.writeable = False
    assert np.array_equal(LENET.classify(pixels), expected)
    assert np.array_equal(LENET.classify(frozen), CONFIDENCES)
    assert not recwarn.list


def test_no_images_give_no_confidences():
    assert LENET.classify(PIXELS[:0]).shape == (0, 10)
    assert LENET.confidences(as_images(PIXELS[:0])).shape == (0, 10)


def test_gradients_flow_to_the_images_and_only_when_asked():
    images = as_images(PIXELS[:3]).requires_grad_()
    confidences = LENET.confidences(images)
    (gradient,) = torch.autograd.grad(confidences[:, 3].sum(), images)
    assert gradient.shape == images.shape
    assert all(part.abs().max() > 0 for part in gradient)
    assert not LENET.confidences(images.detach()).requires_grad
    with torch.no_grad():
        assert not LENET.confidences(images).requires_grad


def test_the_gradient_is_that_of_the_plain_network(wrap, tiny):
    images = torch.rand(6, 3, 12, 12, generator=torch.Generator().manual_seed(1)).requires_grad_()
    (ours,) = torch.autograd.grad(wrap().confidences(images)[:, 1].sum(), images)
    (plain,) = torch.autograd.grad(tiny(images).softmax(1)[:, 1].sum(), images)
    assert (ours - plain).abs().max() < 1e-6


def test_a_users_module_is_left_as_it_is(wrap, tiny):
    """Wrapping a network to look at it must not end its training, nor lay out its weights so that saving them
    fails; and training it on must not change what the classifier says."""
    strides = [parameter.stride() for parameter in tiny.parameters()]
    classifier = wrap(tiny)
    before = classifier.confidences(torch.zeros(1, 3, 12, 12))
    assert all(parameter.requires_grad for parameter in tiny.parameters())
    assert [parameter.stride() for parameter in tiny.parameters()] == strides
    with torch.no_grad():
        tiny.head.bias += torch.arange(5.0)
    assert torch.equal(classifier.confidences(torch.zeros(1, 3, 12, 12)), before)


def test_logits_are_what_the_softmax_gets():
    images = as_images(PIXELS)
    assert torch.equal(LENET.logits(images).softmax(1), LENET.confidences(images))


def test_no_logits_where_the_network_puts_out_none(wrap, tiny):
    classifier = wrap(lambda x: tiny(x).softmax(1), output="probabilities")
    with pytest.raises(ClassifierError, match='expected output = "logits" for logits, found "probabilities"'):
        classifier.logits(torch.zeros(1, 3, 12, 12))


def test_the_callers_thread_count_is_left_alone():
    before = torch.get_num_threads()
    other = LENET.with_numerics(Numerics(threads=before + 1))
    other.classify(PIXELS[:1])
    assert torch.get_num_threads() == before


def test_ten_crops_are_averaged_as_confidences(wrap, tiny):
    """The mean of logits would be another classifier (Nguyen 2015 averages the softmax)."""
    classifier = wrap(batch=20, size=16, preprocessing=Preprocessing(crop=Crop(size=12, views="ten")))
    images = torch.rand(5, 3, 16, 16, generator=torch.Generator().manual_seed(2))
    crops = [
        tiny(part).softmax(1)
        for view in (images, images.flip(-1))
        for part in (view[..., :12, :12], view[..., :12, 4:], view[..., 4:, :12], view[..., 4:, 4:], view[..., 2:14, 2:14])
    ]  # fmt: skip
    assert (classifier.confidences(images) - torch.stack(crops).mean(0)).abs().max() < 1e-6


def test_the_physical_batch_counts_crops(wrap):
    """Ten crops of fifty images in one pass would need ten times the memory that was planned for."""
    seen = []

    def network(x):
        seen.append(len(x))
        return x.mean((2, 3))

    crops = Preprocessing(crop=Crop(size=8, views="ten"))
    wrap(network, batch=20, labels=tuple("rgb"), preprocessing=crops).confidences(torch.zeros(5, 3, 12, 12))
    assert seen == [20, 20, 20]


@pytest.mark.parametrize(
    "images, message",
    [
        (torch.zeros(2, 3, 12, 13), r"expected images float32 of shape \(n, 3, 12, 12\), found float32 \(2, 3, 12, 13\)"),
        (torch.zeros(3, 12, 12), r"of shape \(n, 3, 12, 12\), found float32 \(3, 12, 12\)"),
        (torch.zeros(2, 3, 12, 12).double(), r"expected images float32 .* found float64"),
        (torch.full((2, 3, 12, 12), 255.0), r"expected images in \[0, 1\], found values from 255 to 255"),
        (torch.full((2, 3, 12, 12), float("nan")), r"expected images in \[0, 1\], found values from nan"),
    ],
)  # fmt: skip
def test_images_of_another_space_are_refused(wrap, images, message):
    """Images in 0..255, or normalised twice, are the most common mistake with attack libraries."""
    with pytest.raises(ClassifierError, match=message) as caught:
        wrap().confidences(images)
    assert "\n" not in str(caught.value)


def test_pixels_of_another_shape_are_refused():
    with pytest.raises(
        ClassifierError, match=r"expected pixels uint8 of shape \(n, 28, 28, 1\), found uint8"
    ):
        LENET.classify(np.zeros((3, 28, 28, 3), np.uint8))


@pytest.mark.parametrize(
    "network, message",
    [
        (lambda x: x.mean((2, 3)), r"expected output of shape \(4, 5\) \(rows, labels\), found \(4, 3\)"),
        (lambda x: (x,), "found tuple"),
        (lambda x: 1 / 0, "the network failed on input of shape .*ZeroDivisionError: division by zero"),
        (
            lambda x: x.new_full((4, 5), float("nan")),
            "expected finite outputs, found NaN or infinity for 2 of 2 images",
        ),
        (lambda x: x.reshape(99, 99), "RuntimeError"),
    ],
)
def test_a_network_that_fails_is_named_in_one_line(wrap, network, message):
    with pytest.raises(ClassifierError, match=message) as caught:
        wrap(network).classify(np.zeros((2, 12, 12, 3), np.uint8))
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("tiny: ")


def test_a_network_that_cannot_take_channels_last_is_told_the_remedy(wrap, tiny):
    def network(x):
        y = torch.relu(tiny.conv(x))
        return y.view(len(y), -1)[:, :5]

    with pytest.raises(ClassifierError, match='set layout = "nchw"'):
        wrap(network).confidences(torch.zeros(1, 3, 12, 12))


def test_scores_out_of_range_are_refused_and_rounding_is_not(wrap):
    def network(value):
        return lambda x: x.new_full((len(x), 5), value)

    assert wrap(network(1.00001), output="scores").confidences(torch.zeros(1, 3, 12, 12)).max() == 1.0
    with pytest.raises(
        ClassifierError, match=r"found values from 1.1 to 1.1 \(the spec says output = \"scores\"\)"
    ):
        wrap(network(1.1), output="scores").confidences(torch.zeros(1, 3, 12, 12))


def test_differentiable_says_whether_gradients_arrive(wrap, tiny):
    """Parameters that can be trained give an output a gradient of its own, which says nothing of the images."""
    assert wrap().differentiable
    for network in (lambda x: tiny(x).detach(), lambda x: tiny(x.detach())):
        classifier = wrap(network)
        assert not classifier.differentiable
        with pytest.raises(ClassifierError, match="gradient ascent unavailable"):
            classifier.confidences(torch.zeros(1, 3, 12, 12, requires_grad=True))
        assert classifier.confidences(torch.zeros(1, 3, 12, 12)).shape == (1, 5)


def test_the_fingerprint_changes_with_weights_spec_and_preprocessing_only(wrap, tiny, spec):
    """It is how a resumed run knows that it has the same classifier."""
    one = wrap()
    assert wrap().fingerprint == one.fingerprint
    assert one.with_numerics(Numerics(batch=7, layout="nchw")).fingerprint == one.fingerprint
    others = [
        wrap(labels=tuple("abcdf")),
        wrap(output="scores"),
        wrap(preprocessing=Preprocessing(scale=255.0)),
        wrap(size=16, preprocessing=Preprocessing(resize=Resize(size=12))),
    ]
    with torch.no_grad():
        tiny.head.bias[0] += 1e-6
    others.append(wrap())
    assert len({one.fingerprint, *(other.fingerprint for other in others)}) == 6


def test_non_persistent_buffers_count_for_the_fingerprint(spec):
    """Means and scales folded into a network are often such buffers; they are not in its state dict."""

    class Folded(nn.Module):
        def __init__(self, mean):
            super().__init__()
            self.register_buffer("mean", torch.tensor(mean), persistent=False)

    prints = {fingerprint(spec(), Folded(mean), Preprocess(spec())) for mean in (0.0, 0.5)}
    assert len(prints) == 2


@pytest.mark.slow
def test_a_compiled_network_gives_the_confidences_of_the_plain_one():
    """A failure costs what `run.compile` promises. From several threads, as evaluators ask."""
    if not shutil.which("c++"):
        pytest.skip("torch.compile needs a C++ compiler")
    compiled = LENET.with_numerics(Numerics(compiled=True))
    with ThreadPoolExecutor(2, initializer=lambda: torch.set_num_threads(1)) as pool:
        for confidences in pool.map(compiled.classify, [PIXELS] * 4):
            assert np.abs(confidences - CONFIDENCES).max() < 1e-6
            assert np.array_equal(confidences, compiled.classify(PIXELS))
    assert np.array_equal(compiled.with_numerics(Numerics()).classify(PIXELS), CONFIDENCES)


@pytest.mark.parametrize("views, batches", [(None, [7, 3, 1]), ("ten", [35, 17])])
def test_the_batch_can_be_halved_down_to_one_image(wrap, tiny, views, batches):
    """A failure costs a run that was one step from fitting into memory, or one that never gives up."""
    classifier = wrap(nn.Sequential(nn.AdaptiveAvgPool2d(12), tiny), batch=2 * batches[0]).with_input(
        16, views
    )
    for batch in batches:
        classifier = classifier.halved()
        assert classifier.numerics.batch == batch
    with pytest.raises(FoolingError, match="tiny: out of memory on cpu even with one image") as failure:
        classifier.halved()
    assert failure.value.exit_code == 1


def test_running_out_of_memory_is_not_taken_for_a_broken_network(wrap):
    """A failure costs runs that would go on with a smaller batch: the engine looks for this error."""

    def hungry(x):
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        wrap(hungry).classify(np.zeros((1, 12, 12, 3), np.uint8))


def test_other_numerics_leave_the_first_classifier_as_it_is(tiny, spec):
    first = from_module(tiny, spec(), Numerics(batch=4))
    strides = first.network.conv.weight.stride()
    first.with_numerics(Numerics(batch=4, layout="nchw"))
    assert first.network.conv.weight.stride() == strides
