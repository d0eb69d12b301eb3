// Which classes are shown, and in which order; and the facets: every choice says how many classes it
// would show beside the other filters.

const entries = DATA.classes.map((given, position) => ({
  ...given,
  position,
  number: String(given.index),
  search: given.label.toLowerCase(),
  elites: DATA.runs.map((run) => run.elites[position] && readElite(run, given.index, run.elites[position])),
}));

// `first` is what the classifier answers first: { index, label, confidence, own: whether it is the class itself }, or
// null where that is not known.
function readElite(run, index, [confidence, generation, stream, child, image, place, sure]) {
  const [answer, label] = place === null ? [] : run.answers[place];
  const first = place === null ? null : { index: answer, label, confidence: sure, own: answer === index };
  return { confidence, generation, image, id: `${generation}/${stream}/${child}: generation ${generation}, stream ${stream}, child ${child}`, first };
}

const answerOf = (elite) => (elite.first === null ? 2 : elite.first.own ? 0 : 1);
const answersOf = (entry) => eliteOf(entry).filter(Boolean).map(answerOf);

const bandOf = (elite) =>
  elite ? DATA.bands.findIndex((band) => elite.confidence >= band.low) : DATA.bands.length;
const eliteOf = (entry) => shownRuns().map((run) => entry.elites[run]);
const bandsOf = (entry) => eliteOf(entry).map(bandOf);

let words = []; // of the query that is asked for
const FILTERS = {
  q: (entry) => words.every((word) => entry.search.includes(word) || word.replace("#", "") === entry.number),
  band: (entry) => !state.band.length || bandsOf(entry).some((band) => state.band.includes(band)),
  answer: (entry) => !state.answer.length || answersOf(entry).some((answer) => state.answer.includes(answer)),
  group: (entry) => !state.group.length || entry.groups.some((group) => state.group.includes(group)),
};

const passes = (entry, except) =>
  Object.entries(FILTERS).every(([name, test]) => name === except || test(entry));

// Sorting keys: what is larger comes first, and classes of equal keys follow their numbers.
const KEYS = {
  confidence: (entry) => Math.max(...eliteOf(entry).map((elite) => elite?.confidence ?? -1)),
  generation: (entry) => Math.max(...eliteOf(entry).map((elite) => elite?.generation ?? -1)),
  difference: (entry) => {
    const odds = eliteOf(entry).filter(Boolean).map((elite) => logOdds(elite.confidence));
    return odds.length > 1 ? Math.max(...odds) - Math.min(...odds) : -1;
  },
};

function ordered() {
  words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
  const found = entries.filter((entry) => passes(entry));
  const collator = new Intl.Collator("en", { numeric: true });
  if (state.sort === "label") found.sort((a, b) => collator.compare(a.label, b.label));
  else if (state.sort !== "class") {
    const keys = new Map(found.map((entry) => [entry, KEYS[state.sort](entry)]));
    found.sort((a, b) => keys.get(b) - keys.get(a));
  }
  return state.reverse ? found.reverse() : found;
}

function drawFacets() {
  const facets = [facet("band", "Confidence", BAND_NAMES, bandsOf), facet("answer", "The classifier's first answer", ANSWER_NAMES, answersOf)];
  if (DATA.groups.length) facets.push(facet("group", "Group", DATA.groups, (entry) => entry.groups));
  const active = state.band.length + state.answer.length + state.group.length;
  byId("filtering").textContent = active ? `: ${active} chosen` : "";
  const focused = document.activeElement?.dataset.choice;
  byId("facets").replaceChildren(...facets);
  if (focused) document.querySelector(`[data-choice="${focused}"]`)?.focus();
}

// One facet: a button for each choice that some class has.
function facet(name, title, choices, numbersOf) {
  const counts = new Array(choices.length).fill(0);
  const ever = new Set();
  for (const entry of entries) {
    const numbers = new Set(numbersOf(entry));
    for (const number of numbers) ever.add(number);
    if (passes(entry, name)) for (const number of numbers) counts[number] += 1;
  }
  const most = Math.max(1, ...counts);
  const buttons = choices.map((choice, number) => {
    if (!ever.has(number) && !state[name].includes(number)) return null;
    const pressed = state[name].includes(number);
    const button = element("button", { type: "button", "aria-pressed": pressed, "data-choice": `${name}-${number}` },
      element("span", { class: "choice" }, choice), element("span", { class: "number" }, formatCount(counts[number])));
    button.style.setProperty("--share", counts[number] / most);
    button.addEventListener("click", () =>
      go({ [name]: pressed ? state[name].filter((other) => other !== number) : [...state[name], number].sort((a, b) => a - b) }));
    return element("li", {}, button);
  });
  return element("div", { class: "facet" }, element("h2", {}, title), element("ul", {}, ...buttons.filter(Boolean)));
}
