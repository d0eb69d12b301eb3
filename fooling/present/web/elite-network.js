// The weights of an elite's network under sliders: the image follows at once, the classifier a moment later.
import { onceAtATime, post } from "./api.js";
import { byId, element, setText } from "./dom.js";
import { showAsked } from "./elite-answers.js";
import { NetworkPicture, nodeName } from "./elite-graph.js";
import { readQuery, writeQuery } from "./elite-query.js";
import { formatConfidence } from "./format.js";
import { stepsOf } from "./cppn_program.js";

const LIMIT = 10; // weights lie between -10 and 10 where evolution puts them
const CALM = 250; // milliseconds without a change before the classifier is asked

/** Let the sliders and the graph work. */
export function listenOnNetwork(page, address, stage) {
  const { edges, nodes } = page.genotype;
  const own = edges.map((edge) => edge.weight);
  const weights = own.slice();
  for (const [place, weight] of readQuery().weights) if (place in weights) weights[place] = weight;
  const able = Boolean(stage.painter) || page.models.length > 0;
  let chosen = null;
  let asks = 0;
  let timer = 0;
  const picture = new NetworkPicture(page, address, choose);

  const changes = () => weights.map((weight, place) => [place, weight]).filter(([place, weight]) => Math.fround(weight) !== own[place]);

  const ask = onceAtATime(async () => {
    const changed = changes();
    const at = (asks += 1);
    try {
      const found = await post(`${address}/variation`, { weights: Object.fromEntries(changed), ask: page.home, id: page.elite.id, ...stage.wants() });
      if (at === asks) await stage.receive(found.png);
      if (found.asked) showAsked(found.asked, page.elite.class, at, changed.length ? `With ${countOf(changed.length)}.` : "");
      if (found.asked) setText(byId("sure"), formatConfidence(found.asked.own ? found.asked.own.confidence : null));
    } catch (error) {
      setText(byId("answers-note"), error.message);
    }
  });

  function show() {
    const changed = changes();
    stage.weigh(weights, changed.length > 0);
    picture.weigh(weights);
    byId("reset").disabled = !changed.length;
    byId("reset").textContent = changed.length ? `Reset ${countOf(changed.length)}` : "Reset the weights";
    document.body.classList.toggle("is-changed", changed.length > 0);
    writeQuery({ weights: changed });
    clearTimeout(timer);
    if (page.models.length) timer = setTimeout(ask, CALM);
  }

  function set(place, weight) {
    weights[place] = weight;
    show();
  }

  function reset() {
    weights.splice(0, weights.length, ...own);
    show();
    list();
  }

  // The edges that have sliders: those of the chosen node, or all that are shown.
  function list() {
    const shown = new Set(picture.layout?.wires.map((wire) => wire.place) ?? edges.keys());
    const order = stepsOf(page.genotype, true).toReversed().map((step) => step.node.id);
    const groups = new Map(order.map((id) => [id, []]));
    edges.forEach((edge, place) => {
      if (shown.has(place) && (chosen === null || edge.source === chosen || edge.target === chosen)) groups.get(edge.target).push(place);
    });
    setText(byId("weights-title"), chosen === null ? "All weights" : `Weights at ${nodeName(nodes[chosen])}`);
    byId("weights-all").hidden = chosen === null;
    byId("weights").replaceChildren(...[...groups].filter(([, places]) => places.length).map(([id, places]) =>
      element("fieldset", { class: "weights-of" }, element("legend", {}, `into ${nodeName(nodes[id])}`), ...places.map(row))));
  }

  function row(place) {
    const edge = edges[place];
    const most = Math.max(LIMIT, Math.ceil(Math.abs(own[place])), Math.ceil(Math.abs(weights[place])));
    const name = nodeName(nodes[edge.source]);
    const slider = element("input", { type: "range", min: -most, max: most, step: "any", value: weights[place], "aria-label": `Weight from ${name} to ${nodeName(nodes[edge.target])}`, disabled: !able });
    const number = element("output", {}, weights[place].toFixed(2));
    slider.dataset.place = place;
    slider.addEventListener("input", () => {
      number.textContent = Number(slider.value).toFixed(2);
      set(place, Number(slider.value));
    });
    slider.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -0.05, ArrowDown: -0.05, ArrowRight: 0.05, ArrowUp: 0.05, PageUp: 1, PageDown: -1 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      slider.value = Number(slider.value) + step;
      slider.dispatchEvent(new Event("input"));
    });
    const label = element("label", { class: "weight" }, element("span", { class: "weight-name" }, name), slider, number);
    label.addEventListener("pointerenter", () => picture.point(place));
    label.addEventListener("pointerleave", () => picture.point(null));
    slider.addEventListener("focus", () => picture.point(place));
    slider.addEventListener("blur", () => picture.point(null));
    slider.addEventListener("dblclick", () => {
      slider.value = own[place];
      slider.dispatchEvent(new Event("input"));
    });
    return label;
  }

  function choose({ node = null, edge = null }) {
    if (edge !== null) {
      if (chosen !== null && edges[edge].source !== chosen && edges[edge].target !== chosen) choose({});
      byId("weights").querySelector(`[data-place="${edge}"]`)?.focus();
      return;
    }
    chosen = node === chosen ? null : node;
    picture.mark(chosen);
    list();
  }

  const redraw = () => {
    picture.draw(byId("every").checked);
    picture.mark(chosen);
    list();
  };
  byId("every").addEventListener("change", redraw);
  byId("reset").addEventListener("click", reset);
  byId("weights-all").addEventListener("click", () => choose({}));
  stage.reset = reset;
  picture.weights = weights;
  redraw();
  if (changes().length) show();
}

const countOf = (count) => (count === 1 ? "1 changed weight" : `${count} changed weights`);
