// Puts the page together: the runs' panel, the controls, and `render`, which draws the state.
//
// DATA: bands [{name, low}], vacant, groups [name], classes [{index, label, groups}], and runs, each with
// its facts [[name, text]], curve (rows: see chart.js), answers ([class, label] of what the classifier answers first to
// some elite), top1 (how many elites that is their own class of, or null) and, for each class, null or
// [confidence, generation, stream, child, number of the image, place in answers or null, confidence of that answer].

DATA.runs.forEach((run, number) => Object.assign(run, { number, letter: letterOf(number) }));

// A, B ... Z, AA, AB ...
function letterOf(number) {
  const last = String.fromCharCode(65 + (number % 26));
  return number < 26 ? last : letterOf(Math.floor(number / 26) - 1) + last;
}

function drawRuns() {
  const several = DATA.runs.length > 1;
  const facts = new Map(DATA.runs[0].facts);
  const same = (name, text) => shownRuns().every((number) => new Map(DATA.runs[number].facts).get(name) === text);
  const subject = DATA.runs[shownRuns()[0]];
  const common = subject.facts.filter(([name, text]) => same(name, text));
  const differing = [...facts.keys()].filter((name) => name !== "Time" && DATA.runs.some((run) => new Map(run.facts).get(name) !== facts.get(name)));
  const parts = [];
  if (several) {
    const choose = (run, ...content) => {
      const button = element("button", { type: "button", class: "run", "aria-pressed": state.run === run }, ...content);
      button.addEventListener("click", () => go({ run, pick: null }, true));
      return button;
    };
    parts.push(element("div", { class: "choices" }, choose(ALL, "All runs side by side"), ...DATA.runs.map((run) => {
      const told = new Map(run.facts);
      return choose(run.number,
        element("b", { class: `run-${run.number % 6}` }, run.letter),
        element("span", {}, element("strong", {}, run.name), ` ${headline(run)}`,
          element("small", {}, differing.map((name) => `${name} ${told.get(name)}`).join(", "))));
    })));
  } else {
    parts.push(element("h2", {}, subject.name, " ", element("span", { class: `status ${subject.status}` }, subject.status)));
  }
  if (state.run !== ALL) parts.push(element("div", { class: "headline" },
    element("p", {}, element("b", {}, formatConfidence(subject.median)), "median confidence"),
    element("p", {}, element("b", {}, subject.top1 === null ? "unknown" : formatCount(subject.top1)), `of ${formatCount(subject.classes)} are top-1`),
    element("p", {}, element("b", {}, formatCount(subject.above[0])), `of ${formatCount(subject.classes)} at 99 %`),
    element("p", {}, element("b", {}, formatCount(subject.above[1])), `of ${formatCount(subject.classes)} at 99.99 %`)));
  byId("runs").replaceChildren(...parts);
  byId("facts").replaceChildren(...common.flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, text)]));
}

const headline = (run) => `${formatConfidence(run.median)} median${run.status === "completed" ? "" : `, ${run.status}`}`;

let panelFor = "";

render = () => {
  const panel = `${state.run} ${byId("curve").clientWidth}`;
  if (panel !== panelFor) {
    panelFor = panel;
    drawRuns();
    const runs = shownRuns().map((number) => DATA.runs[number]);
    const drawn = runs.some((run) => run.curve.length > 1);
    byId("curve").hidden = !drawn;
    if (drawn) drawCurve(byId("curve-plot"), runs, byId("curve").clientWidth || 300);
  }
  if (byId("query").value !== state.q) byId("query").value = state.q;
  byId("sort").value = state.sort;
  byId("reverse").setAttribute("aria-pressed", state.reverse);
  drawWall();
  drawDetail();
};

for (const [value, name] of Object.entries(SORTS)) byId("sort").append(element("option", { value }, name));
byId("query").addEventListener("input", (event) => go({ q: event.target.value }));
byId("sort").addEventListener("change", (event) => go({ sort: event.target.value, reverse: false }));
byId("reverse").addEventListener("click", () => go({ reverse: !state.reverse }));
byId("smaller").addEventListener("click", () => zoomWall(-1));
byId("larger").addEventListener("click", () => zoomWall(1));
byId("clear").addEventListener("click", () => go({ q: "", band: [], answer: [], group: [] }));
byId("tools").addEventListener("submit", (event) => event.preventDefault());
addEventListener("resize", () => render());

// Where there is room the panel is open; on a phone it folds, so that the images come first.
const roomy = matchMedia("(min-width: 901px)");
const folds = document.querySelectorAll(".panel details");
const fold = () => folds.forEach((part) => (part.open = roomy.matches));
folds.forEach((part) => part.addEventListener("toggle", () => render()));
roomy.addEventListener("change", fold);
fold();

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.matches("input, select");
  let used = false;
  if (dialog.open) {
    used = Object.hasOwn(DETAIL_KEYS, event.key);
    if (used) DETAIL_KEYS[event.key]();
  } else if (event.key === "/" && !typing) {
    byId("query").focus();
    used = true;
  } else if (event.key.startsWith("Arrow") && !typing) {
    used = moveFocus(event.key);
  }
  if (used) event.preventDefault();
});

render();
