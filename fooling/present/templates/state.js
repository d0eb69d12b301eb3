// What is shown is a pure function of this state, and the state is the address: every view is a URL.
// `go` is the only way to change it.

const DATA = JSON.parse(byId("data").textContent);
const SORTS = {
  confidence: "most confident",
  class: "class number",
  label: "label",
  generation: "latest found",
  ...(DATA.runs.length > 1 ? { difference: "difference between runs" } : {}),
};
const ALL = "all"; // every run, side by side
const ANSWER_NAMES = ["the class itself", "another class", "not known"]; // what the classifier answers first
const BAND_NAMES = [...DATA.bands.map((band) => band.name), DATA.vacant];
const DEFAULTS = {
  run: DATA.runs.length > 1 ? ALL : 0,
  sort: "confidence",
  reverse: false,
  q: "",
  band: [], // bands, answers and groups by their places in the lists, by name in the address; empty means any
  answer: [],
  group: [],
  tile: 0, // zoom of the wall, 0 = what suits the images
  open: null, // the class in the large view, by its place in DATA.classes
  pick: null, // the run in the large view, null = the first that is shown
  zoom: 0, // zoom of the large view, 0 = fit
};
const HISTORY_DELAY = 200; // browsers refuse more than some 20 address changes a second

let state = parse(location.hash);
let written = location.hash;
let timer = 0;
let render = () => {};

function parse(hash) {
  const given = new URLSearchParams(hash.slice(1));
  const number = (name, below) => {
    const value = Number(given.get(name) ?? NaN);
    return Number.isInteger(value) && value >= 0 && value < below ? value : null;
  };
  const chosen = (name, names) =>
    names.map((_, place) => place).filter((place) => given.getAll(name).includes(names[place]));
  return {
    run: given.get("run") === ALL ? ALL : number("run", DATA.runs.length) ?? DEFAULTS.run,
    sort: Object.hasOwn(SORTS, given.get("sort") ?? "") ? given.get("sort") : DEFAULTS.sort,
    reverse: given.get("reverse") === "true",
    q: given.get("q") ?? "",
    band: chosen("band", BAND_NAMES),
    answer: chosen("answer", ANSWER_NAMES),
    group: chosen("group", DATA.groups),
    tile: given.get("tile") === "0.5" ? 0.5 : number("tile", 17) ?? 0,
    open: number("open", DATA.classes.length),
    pick: number("pick", DATA.runs.length),
    zoom: number("zoom", 65) ?? 0,
  };
}

function address({ band, answer, group, ...plain }) {
  const parts = Object.entries(plain).filter(([name, value]) => value !== DEFAULTS[name]);
  for (const place of band) parts.push(["band", BAND_NAMES[place]]);
  for (const place of answer) parts.push(["answer", ANSWER_NAMES[place]]);
  for (const place of group) parts.push(["group", DATA.groups[place]]);
  return `#${new URLSearchParams(parts).toString() || "all"}`; // a bare "#" would scroll to the top
}

// Change some of the state. `step` adds an entry to the browser's history, so that Back undoes it.
function go(changes, step = false) {
  state = { ...state, ...changes };
  render();
  clearTimeout(timer);
  if (step) write(true);
  else timer = setTimeout(write, HISTORY_DELAY);
}

function write(step = false) {
  const hash = address(state);
  if (hash === written || (hash === "#all" && written === "")) return;
  if (step) location.hash = hash;
  else location.replace(hash);
  written = location.hash;
}

addEventListener("hashchange", () => {
  if (location.hash === written) return;
  clearTimeout(timer);
  written = location.hash;
  state = parse(location.hash);
  render();
});

// The runs that are shown, by number.
const shownRuns = () => (state.run === ALL ? DATA.runs.map((_, number) => number) : [state.run]);
