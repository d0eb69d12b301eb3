// From a CPPN's document to the order in which its nodes are computed, as cppn/rendering/program.py does it.

/**
 * @typedef {{id: number, kind: "input"|"output"|"hidden", name: string, activation: string|null}} CppnNode
 * @typedef {{source: number, target: number, weight: number}} CppnEdge
 * @typedef {{size: number[], channels: number, coordinates: string, colour: string, quantisation: string}} CppnRaster
 * @typedef {{nodes: CppnNode[], edges: CppnEdge[], raster: CppnRaster}} Genotype
 * @typedef {{node: CppnNode, edges: number[]}} Step  a node to compute, and the places of the edges that are added up for it,
 *   in this order
 */

const BIAS = 3;

/**
 * The steps that give the outputs of a CPPN, sources before their targets; with `every`, those that give all of its nodes.
 * @param {Genotype} genotype
 * @returns {Step[]}
 */
export function stepsOf(genotype, every = false) {
  const incoming = genotype.nodes.map(() => []);
  genotype.edges.forEach((edge, place) => incoming[edge.target].push(place));
  const state = new Map(); // node -> whether it is the same at every pixel; undefined while its sources are computed
  for (const node of genotype.nodes) if (node.kind === "input") state.set(node.id, node.id === BIAS);
  const steps = [];
  const finish = (node) => {
    const still = incoming[node.id].filter((place) => state.get(genotype.edges[place].source));
    const moving = incoming[node.id].filter((place) => !state.get(genotype.edges[place].source));
    state.set(node.id, node.kind === "hidden" && !moving.length);
    steps.push({ node, edges: [...still, ...moving] }); // what is the same everywhere is added up first
  };
  for (const start of genotype.nodes) {
    if (state.has(start.id) || !(every || start.kind === "output")) continue;
    const stack = [[start, 0]];
    state.set(start.id, undefined);
    while (stack.length) {
      const top = stack.at(-1);
      const [node, next] = top;
      if (next === incoming[node.id].length) {
        stack.pop();
        finish(node);
        continue;
      }
      top[1] += 1;
      const source = genotype.nodes[genotype.edges[incoming[node.id][next]].source];
      if (!state.has(source.id)) {
        state.set(source.id, undefined);
        stack.push([source, 0]);
      }
    }
  }
  return steps;
}
