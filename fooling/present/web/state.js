// What is shown is a pure function of this state, and the state is the address: every view is a URL.
// `go` is the only way to change it.
import { answerOf, bandOf, entries, foundIn, FOUND_NAMES, model } from "./model.js";

export const ALL = "all"; // every run, side by side
export let SORTS = {}; // the names of the orders
// What classes are told apart by: the choices of each facet, and which of them a class is among.
export const FACETS = {
  band: { title: "Confidence", names: [], of: (entry) => shownElites(entry).map(bandOf) },
  answer: {
    title: "The classifier's first answer",
    names: ["the class itself", "another class", "not known"],
    of: (entry) => shownElites(entry).filter(Boolean).map(answerOf),
  },
  group: { title: "Group", names: [], of: (entry) => entry.groups },
  found: { title: "Found in generation", names: FOUND_NAMES, of: (entry) => shownElites(entry).filter(Boolean).map(foundIn) },
};
export let state = {};

const HISTORY_DELAY = 200; // browsers refuse more than some 20 address changes a second
let defaults = {};
let keptNames = [];
let keeper = null; // of the address
let written = "";
let timer = 0;
let draw = () => {};

// A file on the disk keeps its state behind the "#", as browsers let it change nothing else of its address.
const IN_HASH = {
  event: "hashchange",
  read: () => location.hash.slice(1),
  write: (text, step) => (step ? (location.hash = text) : location.replace(`#${text}`)),
  text: (query) => query || "all", // a bare "#" would scroll to the top
};
const IN_QUERY = {
  event: "popstate",
  read: () => location.search.slice(1),
  write: (text, step) => history[step ? "pushState" : "replaceState"](null, "", text ? `?${text}` : location.pathname),
  text: (query) => query,
};

/** Read the state from the address, when the model is there; `render` draws it whenever it has changed. Parts of a query
    that are named in `kept` belong to the page and stay as they are. */
export function begin(render, inQuery = false, kept = []) {
  keptNames = kept;
  const several = model.runs.length > 1;
  SORTS = {
    confidence: "most confident",
    class: "class number",
    label: "label",
    generation: "latest found",
    ...(several ? { difference: "difference between runs" } : {}),
  };
  FACETS.band.names = [...model.bands.map((band) => band.name), model.vacant];
  FACETS.group.names = model.groups;
  defaults = {
    run: several ? ALL : 0,
    sort: "confidence",
    reverse: false,
    q: "",
    band: [], // facets: choices by their places in the lists, by name in the address; empty means any
    answer: [],
    group: [],
    found: [],
    tile: 0, // zoom of the wall, 0 = what suits the images
    open: null, // the class in the large view, by its place in the model
    pick: null, // the run in the large view, null = the first that is shown
    zoom: 0, // zoom of the large view, 0 = fit
  };
  keeper = inQuery ? IN_QUERY : IN_HASH;
  draw = render;
  written = keeper.read();
  state = parse(written);
  addEventListener(keeper.event, () => {
    if (keeper.read() === written) return;
    clearTimeout(timer);
    written = keeper.read();
    state = parse(written);
    draw();
  });
}

function parse(text) {
  const given = new URLSearchParams(text);
  const number = (name, below) => {
    const value = Number(given.get(name) ?? NaN);
    return Number.isInteger(value) && value >= 0 && value < below ? value : null;
  };
  const chosen = ([name, { names }]) => [name, names.map((_, place) => place).filter((place) => given.getAll(name).includes(names[place]))];
  return {
    run: given.get("run") === ALL ? ALL : number("run", model.runs.length) ?? defaults.run,
    sort: Object.hasOwn(SORTS, given.get("sort") ?? "") ? given.get("sort") : defaults.sort,
    reverse: given.get("reverse") === "true",
    q: given.get("q") ?? "",
    ...Object.fromEntries(Object.entries(FACETS).map(chosen)),
    tile: given.get("tile") === "0.5" ? 0.5 : number("tile", 17) ?? 0,
    open: number("open", entries.length),
    pick: number("pick", model.runs.length),
    zoom: number("zoom", 65) ?? 0,
  };
}

function address(shown) {
  const here = new URLSearchParams(keeper.read());
  const parts = keptNames.flatMap((name) => here.getAll(name).map((value) => [name, value]));
  parts.push(...Object.entries(shown).filter(([name, value]) => !(name in FACETS) && value !== defaults[name]));
  for (const [name, { names }] of Object.entries(FACETS)) parts.push(...shown[name].map((place) => [name, names[place]]));
  return keeper.text(new URLSearchParams(parts).toString());
}

/** Change some of the state. `step` adds an entry to the browser's history, so that Back undoes it. */
export function go(changes, step = false) {
  state = { ...state, ...changes };
  draw();
  clearTimeout(timer);
  if (step) write(true);
  else timer = setTimeout(write, HISTORY_DELAY);
}

function write(step = false) {
  const text = address(state);
  if (text === written || (text === "all" && written === "")) return;
  keeper.write(text, step);
  written = keeper.read();
}

/** The runs that are shown, by number. */
export const shownRuns = () => (state.run === ALL ? model.runs.map((_, number) => number) : [state.run]);

/** The elites of a class in the shown runs, null where there is none. */
export const shownElites = (entry) => shownRuns().map((run) => entry.elites[run]);
