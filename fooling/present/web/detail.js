// The large view: one elite, each of its pixels a whole number of screen pixels, and where it comes from.
import { byId, element } from "./dom.js";
import { formatConfidence, formatCount, formatDistance } from "./format.js";
import { custom, entries, model } from "./model.js";
import { go, shownRuns, state } from "./state.js";
import { sourceOf, unit, zoomName } from "./tiles.js";
import { reveal, shown } from "./wall.js";

const dialog = byId("detail");
const LARGEST = 64;
const TWINS = 40; // classes of the same image that are listed

// The run whose elite is shown: the picked one, or else the first that has an elite of this class.
function pickedRun(entry) {
  const wanted = state.pick ?? shownRuns()[0];
  const held = [wanted, ...shownRuns()].find((number) => entry.elites[number]);
  return held === undefined ? null : model.runs[held];
}

// The entries that the arrow keys go through: those on the wall that have an elite.
const walkable = () => shown.filter((entry) => pickedRun(entry));

/** Draw the elite that the state has open, if any. */
export function drawDetail() {
  const entry = entries[state.open];
  const run = entry && pickedRun(entry);
  if (!run) {
    if (dialog.open) dialog.close();
    return;
  }
  if (!dialog.open) {
    dialog.showModal();
    byId("stage").focus();
  }
  const elite = entry.elites[run.number];
  const list = walkable();
  const at = list.indexOf(entry);
  byId("position").textContent = at < 0 ? "" : `${formatCount(at + 1)} of ${formatCount(list.length)}`;
  byId("previous").disabled = at === 0 || !list.length;
  byId("next").disabled = at === list.length - 1 || !list.length;
  byId("detail-label").textContent = entry.label;
  byId("confidence").textContent = formatConfidence(elite.confidence);
  byId("provenance").replaceChildren(...provenance(entry, run, elite).flatMap(([term, text]) =>
    [element("dt", {}, term), element("dd", {}, text)]));
  byId("others").replaceChildren(...others(entry, run, elite));
  const source = custom.image(run, entry, elite);
  const picture = byId("picture");
  if (source === null) picture.removeAttribute("src"); // it comes later in the file
  else if (picture.src !== source) picture.src = source;
  picture.alt = `Elite of class ${entry.index}, ${entry.label}`;
  const save = byId("save");
  save.href = source ?? "";
  save.download = `${String(entry.index).padStart(4, "0")}.png`;
  zoomPicture(run);
}

function provenance(entry, run, elite) {
  const better = entries.filter((other) => other.elites[run.number]?.confidence > elite.confidence).length;
  const held = entries.filter((other) => other.elites[run.number]).length;
  const rows = [
    ["Class", String(entry.index)],
    ["Confidence", String(elite.confidence)],
    ["1 − confidence", formatDistance(elite.confidence)],
    ["First answer", describeAnswer(elite)],
    ["Rank", `${formatCount(better + 1)} of ${formatCount(held)}`],
    ["Id", idOf(elite)],
  ];
  if (entry.groups.length) rows.push(["Groups", entry.groups.map((group) => model.groups[group]).join(", ")]);
  rows.push(["Run", run.name]);
  return rows.concat(run.facts.filter(([name]) => ["Model", "Encoding", "Search", "Seed"].includes(name)));
}

const idOf = ({ generation, stream, child }) =>
  `${generation}/${stream}/${child}: generation ${generation}, stream ${stream}, child ${child}`;

// What the classifier says of the image before all else: this class, or another.
function describeAnswer({ first }) {
  if (first === null) return "not known: the run is older than these answers";
  return first.own ? "this class" : `${first.label} (class ${first.index}), ${formatConfidence(first.confidence)}`;
}

// The same class in the other runs, and the classes that share this very image.
function others(entry, run, elite) {
  const parts = [];
  if (model.runs.length > 1) {
    const choices = model.runs.filter((other) => entry.elites[other.number]).map((other) => {
      const theirs = entry.elites[other.number];
      const thumb = element("img", { alt: "", width: 64, height: Math.round((64 * other.height) / other.width), ...sourceOf(other, entry, theirs) });
      const button = element("button", { type: "button", class: "run", "aria-pressed": String(other === run) }, thumb,
        element("span", {}, element("b", { class: `run-${other.number % 6}` }, other.letter), ` ${formatConfidence(theirs.confidence)}`));
      button.addEventListener("click", () => go({ pick: other.number }));
      return button;
    });
    parts.push(element("h3", {}, "This class in each run"), element("div", { class: "runs" }, ...choices));
  }
  const twins = entries.filter((other) => other !== entry && other.elites[run.number]?.image === elite.image);
  if (twins.length) {
    const links = twins.slice(0, TWINS).map((twin) => {
      const link = element("a", { href: custom.href(run, twin) },
        twin.label, element("span", { class: "number" }, formatConfidence(twin.elites[run.number].confidence)));
      link.addEventListener("click", (event) => {
        event.preventDefault();
        go({ open: twin.position, pick: run.number });
      });
      return element("li", {}, link);
    });
    parts.push(element("h3", {}, "The same image is also the elite of"), element("ul", {}, ...links));
    if (twins.length > TWINS) parts.push(element("p", {}, `and ${formatCount(twins.length - TWINS)} more classes`));
  }
  return parts;
}

// The largest whole zoom at which the image fits the stage; at least 1.
function fitting(run) {
  const stage = byId("stage");
  const room = Math.min((stage.clientWidth - 32) / run.width, (stage.clientHeight - 32) / run.height);
  return Math.min(LARGEST, Math.max(1, Math.floor(room / unit())));
}

function zoomPicture(run) {
  const zoom = state.zoom || fitting(run);
  const picture = byId("picture");
  picture.style.width = `${run.width * zoom * unit()}px`;
  picture.style.height = `${run.height * zoom * unit()}px`;
  byId("zoom").textContent = `${zoomName(zoom)}${state.zoom ? "" : " (fit)"}`;
  byId("zoom").title = `${run.width} × ${run.height} image pixels, each ${zoom * Math.max(1, Math.round(devicePixelRatio))} screen pixels wide`;
}

function zoomBy(direction) {
  const now = state.zoom || fitting(pickedRun(entries[state.open]));
  const step = Math.max(1, Math.floor(now / (direction > 0 ? 4 : 5)));
  go({ zoom: Math.min(LARGEST, Math.max(1, now + direction * step)) });
}

function walk(steps) {
  const list = walkable();
  const at = list.indexOf(entries[state.open]);
  const next = list[Math.min(Math.max(at + steps, 0), list.length - 1)];
  if (next) go({ open: next.position });
}

function switchRun(step) {
  const entry = entries[state.open];
  const held = model.runs.filter((run) => entry.elites[run.number]);
  const at = held.indexOf(pickedRun(entry));
  go({ pick: held[(at + step + held.length) % held.length].number });
}

const DETAIL_KEYS = {
  ArrowLeft: () => walk(-1),
  ArrowRight: () => walk(1),
  Home: () => walk(-Infinity),
  End: () => walk(Infinity),
  ArrowUp: () => switchRun(-1),
  ArrowDown: () => switchRun(1),
  "+": () => zoomBy(1),
  "=": () => zoomBy(1),
  "-": () => zoomBy(-1),
  1: () => go({ zoom: 1 }),
  0: () => go({ zoom: 0 }),
};

/** What a key does in the large view. Gives whether it does anything, or null where the view is closed. */
export function pressInDetail(key) {
  if (!dialog.open) return null;
  if (!Object.hasOwn(DETAIL_KEYS, key)) return false;
  DETAIL_KEYS[key]();
  return true;
}

/** Let the buttons of the large view work. */
export function listenInDetail() {
  byId("previous").addEventListener("click", () => walk(-1));
  byId("next").addEventListener("click", () => walk(1));
  byId("zoom-in").addEventListener("click", () => zoomBy(1));
  byId("zoom-out").addEventListener("click", () => zoomBy(-1));
  byId("one-to-one").addEventListener("click", () => go({ zoom: 1 }));
  byId("fit").addEventListener("click", () => go({ zoom: 0 }));
  byId("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => {
    const entry = entries[state.open];
    if (!entry) return;
    go({ open: null, pick: null, zoom: 0 });
    const place = shown.indexOf(entry);
    if (place >= 0) reveal(place).querySelector("a")?.focus({ preventScroll: true });
  });
}
