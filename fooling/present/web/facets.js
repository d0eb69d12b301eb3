// Which classes are shown, and in which order; and the facets: every choice says how many classes it
// would show beside the other filters.
import { byId, element } from "./dom.js";
import { formatCount, logOdds } from "./format.js";
import { entries } from "./model.js";
import { FACETS, go, shownElites, state } from "./state.js";

let words = []; // of the query that is asked for

const isFound = (entry) => words.every((word) => entry.search.includes(word) || word.replace("#", "") === entry.number);
const isChosen = (name, entry) => !state[name].length || FACETS[name].of(entry).some((choice) => state[name].includes(choice));
const passes = (entry, except) => isFound(entry) && Object.keys(FACETS).every((name) => name === except || isChosen(name, entry));

// Sorting keys: what is larger comes first, and classes of equal keys follow their numbers.
const KEYS = {
  confidence: (entry) => Math.max(...shownElites(entry).map((elite) => elite?.confidence ?? -1)),
  generation: (entry) => Math.max(...shownElites(entry).map((elite) => elite?.generation ?? -1)),
  difference: (entry) => {
    const odds = shownElites(entry).filter(Boolean).map((elite) => logOdds(elite.confidence));
    return odds.length > 1 ? Math.max(...odds) - Math.min(...odds) : -1;
  },
};

/** The entries that the state asks for, in its order. */
export function ordered() {
  words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
  const found = entries.filter((entry) => passes(entry));
  if (state.sort === "label") found.sort(byLabel);
  else if (state.sort !== "class") {
    const keys = new Map(found.map((entry) => [entry, KEYS[state.sort](entry)]));
    found.sort((a, b) => keys.get(b) - keys.get(a));
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

/** Draw all facets with their counts. */
export function drawFacets() {
  const active = Object.keys(FACETS).reduce((sum, name) => sum + state[name].length, 0);
  byId("filtering").textContent = active ? `: ${active} chosen` : "";
  const focused = document.activeElement?.dataset.choice;
  byId("facets").replaceChildren(...Object.keys(FACETS).filter((name) => FACETS[name].names.length).map(drawFacet));
  if (focused) document.querySelector(`[data-choice="${focused}"]`)?.focus();
}

// One facet: a button for each choice that some class has.
function drawFacet(name) {
  const { title, names, of } = FACETS[name];
  const counts = new Array(names.length).fill(0);
  const ever = new Set();
  for (const entry of entries) {
    const numbers = new Set(of(entry));
    for (const number of numbers) ever.add(number);
    if (passes(entry, name)) for (const number of numbers) counts[number] += 1;
  }
  const most = Math.max(1, ...counts);
  const buttons = names.map((choice, number) => {
    const pressed = state[name].includes(number);
    if (!ever.has(number) && !pressed) return null;
    const button = element("button", { type: "button", "aria-pressed": String(pressed), "data-choice": `${name}-${number}` },
      element("span", { class: "choice" }, choice), element("span", { class: "number" }, formatCount(counts[number])));
    button.style.setProperty("--share", counts[number] / most);
    button.addEventListener("click", () =>
      go({ [name]: pressed ? state[name].filter((other) => other !== number) : [...state[name], number].sort((a, b) => a - b) }));
    return element("li", {}, button);
  });
  return element("div", { class: "facet" }, element("h2", {}, title), element("ul", {}, ...buttons.filter(Boolean)));
}
