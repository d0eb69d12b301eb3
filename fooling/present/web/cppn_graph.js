// Where the nodes of a CPPN stand as a graph: in layers from left to right, so ordered that few edges cross (after Sugiyama,
// Tagawa & Toda 1981), and as near to their neighbours' heights as the order allows.
import { stepsOf } from "./cppn_program.js";

export const NODE = { width: 56, column: 132, narrow: 84, row: 96, lane: 20, margin: 40 };
const SWEEPS = 12;

/**
 * @typedef {{id: number, x: number, y: number, live: boolean}} Spot  the middle of a node's picture; live: an output depends on it
 * @typedef {{place: number, points: number[][]}} Wire  an edge, by its place in the genotype, and the points that it runs through
 * @typedef {{width: number, height: number, spots: Spot[], wires: Wire[]}} Layout
 */

/**
 * @param {import("./cppn_program.js").Genotype} genotype
 * @param {boolean} every  whether nodes that no output depends on are shown, too
 * @param {number} room  the width that there is: layers stand closer, down to a limit, to fit it
 * @returns {Layout}
 */
export function layoutOf(genotype, every = false, room = Infinity) {
  const live = new Set(stepsOf(genotype).map((step) => step.node.id));
  const inputs = genotype.nodes.filter((node) => node.kind === "input").map((node) => node.id);
  for (const id of inputs) live.add(id);
  const steps = stepsOf(genotype, every);
  const shown = new Set([...inputs, ...steps.map((step) => step.node.id)]);
  const edges = genotype.edges.map((edge, place) => ({ ...edge, place })).filter((edge) => shown.has(edge.source) && shown.has(edge.target));
  const layerOf = layersOf(genotype, steps, inputs);
  const { layers, chains } = dotted(edges, shown, layerOf);
  order(layers);
  const column = Math.min(NODE.column, Math.max(NODE.narrow, (room - 2 * NODE.margin) / Math.max(1, layers.length - 1)));
  const height = place(layers, column);
  const spots = layers.flat().filter((dot) => dot.id !== null);
  const wires = edges.map((edge, number) => ({ place: edge.place, points: chains[number].map((dot) => [dot.x, dot.y]) }));
  return {
    width: 2 * NODE.margin + (layers.length - 1) * column,
    height,
    spots: spots.map(({ id, x, y }) => ({ id, x, y, live: live.has(id) })),
    wires,
  };
}

// The layer of each node: the length of the longest way to it; the outputs stand together in the last one.
function layersOf(genotype, steps, inputs) {
  const layer = new Map(inputs.map((id) => [id, 0]));
  for (const { node, edges } of steps) {
    layer.set(node.id, 1 + Math.max(0, ...edges.map((number) => layer.get(genotype.edges[number].source) ?? 0)));
  }
  const last = Math.max(...layer.values());
  for (const { node } of steps) if (node.kind === "output") layer.set(node.id, last);
  return layer;
}

// A dot for each node, and one in every layer that an edge passes through; the dots of each edge.
function dotted(edges, shown, layerOf) {
  const layers = Array.from({ length: 1 + Math.max(...[...shown].map((id) => layerOf.get(id))) }, () => []);
  const add = (id, layer) => {
    const dot = { id, layer, before: [], after: [], x: 0, y: 0, at: 0 };
    layers[layer].push(dot);
    return dot;
  };
  const dots = new Map([...shown].sort((a, b) => a - b).map((id) => [id, add(id, layerOf.get(id))]));
  const chains = edges.map(({ source, target }) => {
    const chain = [dots.get(source)];
    for (let layer = layerOf.get(source) + 1; layer < layerOf.get(target); layer += 1) chain.push(add(null, layer));
    chain.push(dots.get(target));
    for (let step = 1; step < chain.length; step += 1) {
      chain[step - 1].after.push(chain[step]);
      chain[step].before.push(chain[step - 1]);
    }
    return chain;
  });
  return { layers, chains };
}

const meanOf = (dots, value, otherwise) => (dots.length ? dots.reduce((sum, dot) => sum + value(dot), 0) / dots.length : otherwise);

// Order the dots of each layer by the mean place of their neighbours, forwards and backwards in turn.
function order(layers) {
  const number = (layer) => layer.forEach((dot, at) => (dot.at = at / Math.max(1, layer.length - 1)));
  layers.forEach(number);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const forwards = sweep % 2 === 0;
    for (const layer of forwards ? layers : layers.toReversed()) {
      // The inputs and the outputs keep their order: it is that of every other network.
      if (layer === layers[0] || (layer === layers.at(-1) && layer.every((dot) => dot.id !== null))) continue;
      const wish = new Map(layer.map((dot) => [dot, meanOf(forwards ? dot.before : dot.after, (other) => other.at, dot.at)]));
      layer.sort((a, b) => wish.get(a) - wish.get(b));
      number(layer);
    }
  }
}

// Give every dot its coordinates. Returns the height of all.
function place(layers, column) {
  const gap = (above, below) => (above.id !== null && below.id !== null ? NODE.row : above.id === null && below.id === null ? NODE.lane : (NODE.row + NODE.lane) / 2);
  for (const layer of layers) {
    layer.forEach((dot, at) => {
      dot.x = NODE.margin + dot.layer * column;
      dot.y = at ? layer[at - 1].y + gap(layer[at - 1], dot) : 0;
    });
    const middle = layer.length ? layer.at(-1).y / 2 : 0;
    for (const dot of layer) dot.y -= middle;
  }
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    for (const layer of sweep % 2 ? layers.toReversed() : layers) settle(layer, gap);
  }
  const all = layers.flat();
  const top = Math.min(...all.map((dot) => dot.y)) - NODE.margin;
  for (const dot of all) dot.y -= top;
  return Math.max(...all.map((dot) => dot.y)) + NODE.margin + 16;
}

// Move the dots of a layer as near to their neighbours' heights as their order and gaps allow: least squares under an order,
// solved by pooling those that are in each other's way (Ayer et al. 1955).
function settle(layer, gap) {
  let offset = 0;
  const pools = [];
  const offsets = layer.map((dot, at) => (offset += at ? gap(layer[at - 1], dot) : 0));
  layer.forEach((dot, at) => {
    const wish = meanOf([...dot.before, ...dot.after], (other) => other.y, dot.y) - offsets[at];
    pools.push({ mean: wish, size: 1 });
    while (pools.length > 1 && pools.at(-2).mean > pools.at(-1).mean) {
      const [a, b] = [pools.at(-2), pools.pop()];
      a.mean = (a.mean * a.size + b.mean * b.size) / (a.size + b.size);
      a.size += b.size;
    }
  });
  let at = 0;
  for (const pool of pools) for (let member = 0; member < pool.size; member += 1, at += 1) layer[at].y = pool.mean + offsets[at];
}

/** The path of an edge, from the right of one node to the left of another. */
export function pathOf({ points }) {
  const half = NODE.width / 2;
  const ends = points.map(([x, y], at) => [at === 0 ? x + half : at === points.length - 1 ? x - half : x, y]);
  return ends.slice(1).reduce((path, [x, y], at) => {
    const [fromX, fromY] = ends[at];
    const middle = (fromX + x) / 2;
    return `${path}C${middle} ${fromY} ${middle} ${y} ${x} ${y}`;
  }, `M${ends[0][0]} ${ends[0][1]}`);
}
