// The network of an elite as a picture: nodes with what they put out, edges with their weights.
import { CppnPainter, wholeView } from "./cppn_gl.js";
import { layoutOf, NODE, pathOf } from "./cppn_graph.js";
import { byId, element } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const COLUMNS = 8; // of the server's sheet of nodes
const SHEET = 112; // pixels of the longer side of each of its images
const MOST_NODES = 400;
const MOST_PIXELS = 2 ** 24; // of the canvas behind the graph

function drawn(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** What a node is called. */
export function nodeName(node) {
  if (node.kind === "input") return node.name;
  return node.kind === "output" ? `${node.name} (${node.activation})` : `${node.activation} ${node.id}`;
}

/** The picture of a network. `chosen` is called with a node's number when it is clicked, and with an edge's place. */
export class NetworkPicture {
  constructor({ genotype }, address, chosen) {
    Object.assign(this, { genotype, address, chosen, weights: genotype.edges.map((edge) => edge.weight), painter: null, waits: false });
  }

  draw(every) {
    const holder = byId("graph");
    if (this.genotype.nodes.length > MOST_NODES) {
      holder.replaceChildren(element("p", { class: "soft" }, `This network has ${this.genotype.nodes.length} nodes, too many to be drawn as a graph.`));
      return;
    }
    this.layout = layoutOf(this.genotype, every, byId("graph-frame").clientWidth);
    const { width, height } = this.layout;
    const canvas = element("canvas", { "aria-hidden": "true" });
    const ratio = Math.min(devicePixelRatio, Math.sqrt(MOST_PIXELS / (width * height)));
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    this.ratio = ratio;
    this.painter?.gl.getExtension("WEBGL_lose_context")?.loseContext();
    this.painter = CppnPainter.open(canvas, this.genotype, true);
    this.svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": "Nodes and edges" });
    this.wires = new Map(this.layout.wires.map((wire) => [wire.place, this.wire(wire)]));
    this.nodes = new Map(this.layout.spots.map((spot) => [spot.id, this.node(spot)]));
    this.svg.append(drawn("g", {}, ...this.wires.values()), drawn("g", {}, ...this.nodes.values()));
    holder.replaceChildren(...(this.painter ? [canvas] : []), this.svg);
    for (const part of holder.children) Object.assign(part.style, { width: `${width}px`, height: `${height}px` });
    holder.style.width = `${width}px`;
    holder.style.height = `${height}px`;
    byId("weights").style.setProperty("--graph", `${height}px`);
    this.weigh(this.weights);
  }

  wire(wire) {
    const { source, target } = this.genotype.edges[wire.place];
    const path = drawn("path", { class: "wire", d: pathOf(wire) });
    path.append(drawn("title", {}, `${nodeName(this.genotype.nodes[source])} → ${nodeName(this.genotype.nodes[target])}`));
    path.addEventListener("click", () => this.chosen({ edge: wire.place }));
    return path;
  }

  node({ id, x, y, live }) {
    const node = this.genotype.nodes[id];
    const [width, height] = this.sizes();
    const box = { x: x - width / 2, y: y - height / 2, width, height };
    const made = drawn("g", { class: live ? "node" : "node dead", role: "button", tabindex: 0, "aria-label": `${node.kind} ${nodeName(node)}`, "aria-pressed": "false" });
    if (!this.painter) made.append(this.served(id, box));
    made.append(drawn("rect", { class: "node-frame", ...box }), drawn("text", { class: "node-name", x, y: y + height / 2 + 15 }, node.kind === "hidden" ? node.activation : node.name));
    if (node.kind === "output") made.append(drawn("text", { class: "node-name soft", x, y: y + height / 2 + 28 }, node.activation));
    made.addEventListener("click", () => this.chosen({ node: id }));
    made.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      this.chosen({ node: id });
    });
    return made;
  }

  // The picture of a node from the server's sheet, where this browser can't draw it.
  served(id, { x, y, width, height }) {
    const [rows, side] = [Math.ceil(this.genotype.nodes.length / COLUMNS), NODE.width];
    const sheet = drawn("image", { href: `${this.address}/nodes.png?size=${SHEET}`, x: -(id % COLUMNS) * width, y: -Math.floor(id / COLUMNS) * height, width: COLUMNS * width, height: rows * height, preserveAspectRatio: "none" });
    return drawn("svg", { x, y, width, height, viewBox: `0 0 ${width} ${height}`, overflow: "hidden", "data-side": side }, sheet);
  }

  // Width and height of a node's picture.
  sizes() {
    const [height, width] = this.genotype.raster.size;
    const factor = NODE.width / Math.max(height, width);
    return [width * factor, height * factor];
  }

  /** Show these weights; the nodes' pictures follow with the next frame. */
  weigh(weights) {
    this.weights = weights;
    if (!this.wires) return;
    for (const [place, path] of this.wires) {
      path.style.strokeWidth = `${0.8 + 0.42 * Math.min(10, Math.abs(weights[place]))}px`;
      path.classList.toggle("minus", weights[place] < 0);
    }
    if (!this.painter || this.waits) return;
    this.waits = true;
    requestAnimationFrame(() => {
      this.waits = false;
      this.paint();
    });
  }

  paint() {
    const { gl } = this.painter;
    const canvas = gl.canvas;
    gl.viewport(0, 0, canvas.width, canvas.height);
    this.painter.weigh(this.weights);
    for (const { id, x, y } of this.layout.spots) {
      const [width, height] = this.sizes().map((side) => Math.max(1, Math.round(side * this.ratio)));
      const window = [Math.round(x * this.ratio - width / 2), Math.round(y * this.ratio - height / 2), width, height];
      this.painter.paint(wholeView(this.genotype.raster.size, width, height), window, id);
    }
  }

  /** Mark a node and its edges; or, with null, nothing. */
  mark(id) {
    for (const [number, node] of this.nodes ?? []) node.setAttribute("aria-pressed", String(number === id));
    for (const [place, path] of this.wires ?? []) {
      const { source, target } = this.genotype.edges[place];
      path.classList.toggle("faint", id !== null && source !== id && target !== id);
    }
  }

  /** Mark one edge while its slider is used; or, with null, none. */
  point(place) {
    for (const [number, path] of this.wires ?? []) path.classList.toggle("pointed", number === place);
  }
}
