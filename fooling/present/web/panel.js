// The panel beside a wall: what the runs are, how far they got, and their curves.
import { drawCurve } from "./chart.js";
import { byId, element } from "./dom.js";
import { formatConfidence, formatCount } from "./format.js";
import { model } from "./model.js";
import { ALL, go, shownRuns, state } from "./state.js";

let panelFor = "";

/** Draw the panel where it has changed. */
export function drawPanel() {
  const panel = `${state.run} ${byId("curve").clientWidth}`;
  if (panel === panelFor) return;
  panelFor = panel;
  drawRuns();
  const runs = shownRuns().map((number) => model.runs[number]);
  const drawn = runs.some((run) => run.curve.length > 1);
  byId("curve").hidden = !drawn;
  if (drawn) drawCurve(byId("curve-plot"), runs, byId("curve").clientWidth || 300);
}

function drawRuns() {
  const same = (name, text) => shownRuns().every((number) => new Map(model.runs[number].facts).get(name) === text);
  const subject = model.runs[shownRuns()[0]];
  const common = subject.facts.filter(([name, text]) => same(name, text));
  const parts = model.runs.length > 1
    ? [choices()]
    : [element("h2", {}, subject.name, " ", element("span", { class: `status ${subject.status}` }, subject.status))];
  if (state.run !== ALL) parts.push(headlineOf(subject));
  byId("runs").replaceChildren(...parts);
  byId("facts").replaceChildren(...common.flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, text)]));
}

// A button for each run, and one for all side by side.
function choices() {
  const facts = new Map(model.runs[0].facts);
  const differs = (name) => name !== "Time" && model.runs.some((run) => new Map(run.facts).get(name) !== facts.get(name));
  const differing = [...facts.keys()].filter(differs);
  const choose = (run, ...content) => {
    const button = element("button", { type: "button", class: "run", "aria-pressed": String(state.run === run) }, ...content);
    button.addEventListener("click", () => go({ run, pick: null }, true));
    return button;
  };
  return element("div", { class: "choices" }, choose(ALL, "All runs side by side"), ...model.runs.map((run) => {
    const told = new Map(run.facts);
    const status = run.status === "completed" ? "" : `, ${run.status}`;
    return choose(run.number,
      element("b", { class: `run-${run.number % 6}` }, run.letter),
      element("span", {}, element("strong", {}, run.name), ` ${formatConfidence(run.median)} median${status}`,
        element("small", {}, differing.map((name) => `${name} ${told.get(name)}`).join(", "))));
  }));
}

/** How sure the classifier is of a run's elites, in four numbers. */
export function headlineOf(run) {
  const of = `of ${formatCount(run.classes)}`;
  const told = [
    [formatConfidence(run.median), "median confidence"],
    [run.top1 === null ? "unknown" : formatCount(run.top1), `${of} are top-1`],
    [formatCount(run.above[0]), `${of} at 99 %`],
    [formatCount(run.above[1]), `${of} at 99.99 %`],
  ];
  return element("div", { class: "headline" }, ...told.map(([number, words]) => element("p", {}, element("b", {}, number), words)));
}
