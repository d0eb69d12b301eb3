// Which classes are shown, and in which order; and the facets: every choice says how many classes it
// would show beside the other filters.
import { byId, element } from "./dom.js";
import { formatCount, logOdds } from "./format.js";
import { entries } from "./model.js";
import { FACETS, go, shownElites, shownRuns, state } from "./state.js";

const NAMES = Object.keys(FACETS);
let counts = {}; // facet -> of each choice, how many classes it would show beside the other filters
let among = {}; // facet -> by the position of a class, the choices that it is among
let ever = {}; // facet -> the choices that some class is among
let choicesFor = null;

// A wall of 21,843 classes is looked through at every key, so what a class is among is found once.
function readChoices(changed) {
  const key = `${state.run}`;
  const anew = choicesFor?.entries !== entries || choicesFor.key !== key;
  choicesFor = { entries, key };
  for (const name of NAMES) {
    const { of, names } = FACETS[name];
    if (anew) among[name] = new Array(entries.length);
    for (const entry of anew ? entries : changed) {
      const found = of(entry);
      among[name][entry.position] = found.length > 1 ? [...new Set(found)] : found;
    }
    if (!anew && !changed.length) continue;
    ever[name] = new Array(names.length).fill(false);
    for (const found of among[name]) for (const choice of found) ever[name][choice] = true;
  }
}

/** Forget what these entries were among: they have got other elites. */
export const reread = (changed) => readChoices(changed);

// The entries that pass all filters. A class that fails one facet alone still counts for that facet's choices.
function survey() {
  readChoices([]);
  const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
  const numbers = words.map((word) => word.replace("#", ""));
  const isFound = (entry) => words.every((word, place) => entry.search.includes(word) || numbers[place] === entry.number);
  const asked = NAMES.filter((name) => state[name].length);
  const found = [];
  counts = Object.fromEntries(NAMES.map((name) => [name, new Array(FACETS[name].names.length).fill(0)]));
  const add = (name, position) => {
    for (const choice of among[name][position]) counts[name][choice] += 1;
  };
  for (const entry of entries) {
    if (words.length && !isFound(entry)) continue;
    const { position } = entry;
    const failed = asked.filter((name) => !among[name][position].some((choice) => state[name].includes(choice)));
    if (!failed.length) {
      found.push(entry);
      for (const name of NAMES) add(name, position);
    } else if (failed.length === 1) add(failed[0], position);
  }
  return found;
}

// Sorting keys: what is larger comes first, and classes of equal keys follow their numbers.
const highest = (runs, entry, field) => runs.reduce((most, run) => Math.max(most, entry.elites[run]?.[field] ?? -1), -1);
const KEYS = {
  confidence: (runs, entry) => highest(runs, entry, "confidence"),
  generation: (runs, entry) => highest(runs, entry, "generation"),
  difference: (runs, entry) => {
    const odds = shownElites(entry).filter(Boolean).map((elite) => logOdds(elite.confidence));
    return odds.length > 1 ? Math.max(...odds) - Math.min(...odds) : -1;
  },
};

/** The entries that the state asks for, in its order. */
export function ordered() {
  const found = survey();
  if (state.sort === "label") found.sort(byLabel);
  else if (state.sort !== "class") {
    const runs = shownRuns();
    const keys = new Float64Array(entries.length);
    for (const entry of found) keys[entry.position] = KEYS[state.sort](runs, entry);
    found.sort((a, b) => keys[b.position] - keys[a.position]);
  }
  return state.reverse ? found.reverse() : found;
}

// Comparing texts of 20,000 classes takes a moment, so their order is found once.
let ranks = null;
let ranksFor = null;
function byLabel(a, b) {
  if (ranksFor !== entries) {
    const collator = new Intl.Collator("en", { numeric: true });
    ranks = new Int32Array(entries.length);
    [...entries].sort((one, other) => collator.compare(one.label, other.label)).forEach((entry, rank) => (ranks[entry.position] = rank));
    ranksFor = entries;
  }
  return ranks[a.position] - ranks[b.position];
}

/** Draw all facets, with the counts of when the entries were last put in order. */
export function drawFacets() {
  const active = NAMES.reduce((sum, name) => sum + state[name].length, 0);
  byId("filtering").textContent = active ? `: ${active} chosen` : "";
  const focused = document.activeElement?.dataset.choice;
  byId("facets").replaceChildren(...NAMES.filter((name) => FACETS[name].names.length).map(drawFacet));
  if (focused) document.querySelector(`[data-choice="${focused}"]`)?.focus();
}

// One facet: a button for each choice that some class has.
function drawFacet(name) {
  const { title, names } = FACETS[name];
  const most = Math.max(1, ...counts[name]);
  const buttons = names.map((choice, number) => {
    const pressed = state[name].includes(number);
    if (!ever[name][number] && !pressed) return null;
    const button = element("button", { type: "button", "aria-pressed": String(pressed), "data-choice": `${name}-${number}` },
      element("span", { class: "choice" }, choice), element("span", { class: "number" }, formatCount(counts[name][number])));
    button.style.setProperty("--share", counts[name][number] / most);
    button.addEventListener("click", () =>
      go({ [name]: pressed ? state[name].filter((other) => other !== number) : [...state[name], number].sort((a, b) => a - b) }));
    return element("li", {}, button);
  });
  return element("div", { class: "facet" }, element("h2", {}, title), element("ul", {}, ...buttons.filter(Boolean)));
}
