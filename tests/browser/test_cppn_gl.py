"""CPPNs in WebGL against the server's renderer, in a browser whose graphics card is software. A failure shows a person
another image than the one that was classified."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page

from cppn import activations
from cppn.documents import edges_of, node_images, nodes_of
from cppn.keys import Keys
from cppn.population import Population
from cppn.rendering import Raster, render
from cppn.rendering.colour import numbers_of
from cppn.variation import Rates, initialise, mutate
from fooling.present.web.bundle import bundle
from tests.browser.serving import WITHIN

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

RATES = Rates(activations=activations.NAMES)
# What a run may choose, and how many random genotypes there are of each: 200 together. The last one is the release's.
KINDS: tuple[tuple[int, Raster], ...] = (
    (60, Raster(28, colour="grey")),
    (60, Raster(64, colour="hls", channels=3)),
    (20, Raster((24, 56), colour="hsv", channels=3)),
    (20, Raster(48, colour="rgb", channels=3)),
    (20, Raster(32, "raw", "grey", "released")),
    (20, Raster(48, "normalised", "hls", "released", 3)),
)


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """A blank page that knows the modules."""
    found = browser.new_page()
    found.set_default_timeout(1000 * WITHIN)
    found.add_script_tag(content=bundle("elite-graph.js"))
    yield found
    found.close()


def grown(count: int, outputs: int, seed: int) -> Population:
    """Random genotypes of up to 40 generations of mutations."""
    keys = [Keys(seed, generation, np.arange(count, dtype=np.uint32), 0) for generation in range(41)]
    population = initialise(keys[0], outputs, RATES)
    for generation, key in enumerate(keys[1:], 1):
        rows = np.arange(generation * count // 41, count)  # the later ones are mutated more often
        children = mutate(population, key, RATES)
        population = population.put(rows, (children, rows))
    return population


def document(population: Population, row: int, raster: Raster) -> dict[str, Any]:
    return {
        "raster": {
            "size": [raster.height, raster.width],
            "channels": raster.channels,
            "coordinates": raster.coordinates,
            "colour": raster.colour,
            "quantisation": raster.quantisation,
        },
        "nodes": [node._asdict() for node in nodes_of(population, row, raster.colour)],
        "edges": [edge._asdict() for edge in edges_of(population, row)],
    }


DRAW = """
async (documents) => {
  const canvas = document.createElement("canvas");
  const painter = CppnPainter.open(canvas, documents[0]);
  return documents.map((each) => {
    painter.replace(each);
    const pixels = painter.native();
    let text = "";
    for (let start = 0; start < pixels.length; start += 4096) text += String.fromCharCode(...pixels.subarray(start, start + 4096));
    return btoa(text);
  });
}
"""


def pixels_of(text: str, raster: Raster) -> NDArray[np.uint8]:
    found = np.frombuffer(base64.b64decode(text), np.uint8).reshape(raster.height, raster.width, 4)
    return found[:, :, : raster.channels]


def test_webgl_draws_what_the_server_draws(page: Page) -> None:
    """The levels of 200 random genotypes, of every activation, colour and quantisation, are within one of the server's in
    99.9 % of all pixels of each."""
    used = np.zeros(len(activations.NAMES), np.int64)
    worst, exact, pixels = [], 0, 0
    for seed, (count, raster) in enumerate(KINDS):
        population = grown(count, numbers_of(raster.colour), seed)
        used += np.bincount(population.activations, minlength=len(used))
        wanted = render(population, raster)
        drawn = page.evaluate(DRAW, [document(population, row, raster) for row in range(count)])
        for row, text in enumerate(drawn):
            far = np.abs(pixels_of(text, raster).astype(int) - wanted[row]).max(axis=2)
            worst.append((float((far <= 1).mean()), seed, row))
            exact, pixels = exact + int((far == 0).sum()), pixels + far.size
    assert len(worst) == 200
    assert (used > 100).all(), used
    assert exact / pixels > 0.999
    assert min(worst)[0] >= 0.999, sorted(worst)[:5]


NODES = """
(one) => {
  const canvas = document.createElement("canvas");
  const painter = CppnPainter.open(canvas, one, true);
  const [height, width] = one.raster.size;
  canvas.width = width * one.nodes.length;
  canvas.height = height;
  one.nodes.forEach(({ id }) => painter.paint({ origin: [0, 0], pace: [1, 1] }, [id * width, 0, width, height], id));
  const found = new Uint8Array(4 * canvas.width * height);
  painter.gl.readPixels(0, 0, canvas.width, height, painter.gl.RGBA, painter.gl.UNSIGNED_BYTE, found);
  return btoa(String.fromCharCode(...found));
}
"""


def test_webgl_draws_what_single_nodes_put_out(page: Page) -> None:
    """A failure shows beside a node what another one puts out, or draws it upside down."""
    raster = Raster((12, 18), colour="hls", channels=3)
    population = grown(8, 3, 7)
    row = int(population.nodes.argmax())
    nodes = node_images(population, row)
    wanted = render(nodes, Raster((12, 18)))[..., 0]
    found = np.frombuffer(base64.b64decode(page.evaluate(NODES, document(population, row, raster))), np.uint8)
    drawn = found.reshape(12, len(nodes), 18, 4)[::-1, :, :, 0].transpose(1, 0, 2)
    assert len(nodes) > 12
    assert (np.abs(drawn.astype(int) - wanted) <= 1).mean() >= 0.999


LAYOUT = "(documents) => documents.map((one) => [layoutOf(one, true, 600), layoutOf(one)])"


def test_a_graph_has_every_node_in_a_place_of_its_own(page: Page) -> None:
    """A failure hides a node behind another one, or draws an edge from right to left."""
    raster = Raster(8, colour="hls", channels=3)
    population = grown(8, 3, 9)
    documents = [document(population, row, raster) for row in range(8)]
    for one, layouts in zip(documents, page.evaluate(LAYOUT, documents), strict=True):
        whole, live = ({spot["id"]: spot for spot in layout["spots"]} for layout in layouts)
        assert whole.keys() == {node["id"] for node in one["nodes"]}
        assert live.keys() == {id for id, spot in whole.items() if spot["live"]}
        assert {0, 1, 2, 3, 4, 5, 6} <= live.keys()
        places = [(round(spot["x"]), spot["y"]) for spot in whole.values()]
        for at, (x, y) in enumerate(places):
            assert all(abs(y - other) > 90 for column, other in places[:at] if column == x)
        assert len(layouts[0]["wires"]) == len(one["edges"])
        for edge in one["edges"]:
            assert whole[edge["source"]]["x"] < whole[edge["target"]]["x"]
        for layout in layouts:
            assert all(0 < spot["y"] < layout["height"] for spot in layout["spots"])
            assert all(0 < spot["x"] < layout["width"] for spot in layout["spots"])
