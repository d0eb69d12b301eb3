// Runs beside each other. What is compared stands in the address as `runs`; the rest of the query is the wall's.
//
// The model of the page is fooling/service/pages/compare.py; its `wall` is that of the gallery without the elites, which are
// fetched as columns, with the id of each run.
import { get, post } from "./api.js";
import { byId, isTyping, pageData, plain, setText } from "./dom.js";
import { onConnection, onGone, onJob } from "./live.js";
import { say } from "./messages.js";
import { custom, setModel } from "./model.js";
import { drawPanel } from "./panel.js";
import { findRuns } from "./picker.js";
import { readElites } from "./run-data.js";
import { describeKeys } from "./shell.js";
import { begin } from "./state.js";
import { drawWall, listen, moveFocus } from "./wall.js";

const MOST_RUNS = 12;
const comparedData = pageData();
const comparedIds = comparedData.runs.map((job) => job.id);

/** Compare other runs: another address. */
function compareThese(ids) {
  const query = new URLSearchParams(location.search);
  query.delete("run"); // the one that was shown alone
  if (ids.length) query.set("runs", ids.join(","));
  else query.delete("runs");
  location.assign(`/compare?${query.toString().replaceAll("%2C", ",")}`);
}

for (const button of document.querySelectorAll("[data-remove]")) {
  button.addEventListener("click", () => compareThese(comparedIds.filter((id) => id !== button.dataset.remove)));
}
findRuns(byId("find"), byId("candidates"), (id) => comparedIds.includes(id), (job) => {
  if (comparedIds.length < MOST_RUNS) compareThese([...comparedIds, job.id]);
  else say(`At most ${MOST_RUNS} runs are compared; leave one out first.`);
});

const adding = new Set();
for (const button of document.querySelectorAll("[data-add]")) {
  button.addEventListener("click", () => {
    const id = button.dataset.add;
    if (!adding.delete(id)) adding.add(id);
    button.setAttribute("aria-pressed", String(adding.has(id)));
    byId("go").disabled = comparedIds.length + adding.size < 2;
  });
}
byId("go")?.addEventListener("click", () => compareThese([...comparedIds, ...adding].slice(0, MOST_RUNS)));

// The wall.
function drawCompared() {
  drawPanel();
  drawWall();
}

/** The classes of all runs, the same one only where number and label agree; and what finds the elite of each in a run. */
function mergeClasses(columns, names) {
  const merged = new Map();
  const groups = [...new Set(names.flatMap((each) => Object.keys(each.groups)))].sort();
  const places = columns.map(({ classes }, run) => {
    const { labels } = names[run];
    const own = new Map();
    classes.forEach((index, place) => {
      const key = `${index} ${labels[index]}`;
      own.set(key, place);
      if (!merged.has(key)) merged.set(key, { index, label: labels[index], groups: new Set() });
    });
    for (const [name, members] of Object.entries(names[run].groups)) {
      for (const index of members) merged.get(`${index} ${labels[index]}`)?.groups.add(groups.indexOf(name));
    }
    return own;
  });
  const about = [...merged].map(([key, each]) => ({ ...each, key, groups: [...each.groups].sort((a, b) => a - b) }));
  about.sort((a, b) => a.index - b.index || (a.label < b.label ? -1 : 1));
  const readers = columns.map((column, run) => readElites(column, names[run].labels));
  const eliteAt = (run, position, index) => {
    const place = places[run.number].get(about[position].key);
    return place === undefined ? null : readers[run.number](run, place, index);
  };
  return { about, groups, eliteAt };
}

async function showWall() {
  const runs = comparedData.wall.runs;
  const columns = await Promise.all(runs.map((run) => get(`/api/v1/runs/${run.id}/columns`)));
  const names = await Promise.all(runs.map((run) => get(`/api/v1/runs/${run.id}/classes`)));
  for (const each of names) each.labels = each.labels.map(plain);
  const { about, groups, eliteAt } = mergeClasses(columns, names);
  Object.assign(custom, {
    image: (run, entry, elite) => `/api/v1/runs/${run.id}/elites/${entry.index}.png?of=${elite.generation}.${elite.stream}.${elite.child}`,
    href: (run, entry) => `/runs/${run.id}/elites/${entry.index}`,
    open: null, // a link is a link
  });
  setModel({ ...comparedData.wall, groups: groups.map(plain) }, about, eliteAt);
  begin(drawCompared, true, ["runs"]);
  listen(drawCompared);
  drawCompared();
}

if (comparedData.wall) {
  showWall().catch((error) => say(error.message, true));
  for (const share of document.querySelectorAll(".share")) share.style.flexGrow = share.dataset.count;
}

addEventListener("keydown", (event) => {
  if (isTyping(event)) return;
  let used = false;
  if (event.key === "/") (byId("query") ?? byId("find")).focus();
  if (event.key === "a") byId("find").focus();
  used = event.key === "/" || event.key === "a" || (comparedData.wall && event.key.startsWith("Arrow") && moveFocus(event.key));
  if (used) event.preventDefault();
});
describeKeys([["/", "filter the classes"], ["a", "add a run"], ["arrows", "move on the wall"], ["Enter", "open an elite"]]);

// The tests.
byId("test")?.addEventListener("click", async () => {
  byId("test").disabled = true;
  try {
    await post("/api/v1/studies", { kind: "compare", runs: comparedIds });
    location.reload();
  } catch (error) {
    byId("test").disabled = false;
    say(error.message, true);
  }
});

// What happens meanwhile. Nothing moves under a reader: what is newer is shown when they ask for it.
const reached = new Map(comparedData.runs.map((job) => [job.id, job]));
function tellOfMore(text) {
  byId("further").hidden = false;
  setText(byId("further-text"), text);
}
byId("refresh").addEventListener("click", () => location.reload());
onJob((job) => {
  const before = reached.get(job.id);
  if (before) {
    const state = document.querySelector(`.chip[data-id="${job.id}"] .state`);
    state.className = `state ${job.state}`;
    setText(state, job.state);
    if (job.progress.generation !== before.progress.generation) {
      tellOfMore(`${job.label || job.name} has got to generation ${job.progress.generation.toLocaleString("en")}.`);
    }
  }
  const waiting = byId("testing");
  if (waiting?.dataset.study !== job.id) return;
  if (["completed", "failed", "cancelled"].includes(job.state)) location.reload();
  else {
    setText(waiting.querySelector(".state"), job.state);
    waiting.querySelector(".state").className = `state ${job.state}`;
  }
});
onGone((id) => comparedIds.includes(id) && tellOfMore("A run that is compared here was deleted."));
let wasLost = false;
onConnection((state) => {
  if (state === "open" && wasLost && comparedIds.length) tellOfMore("The connection is back; something may have changed meanwhile.");
  wasLost = state !== "open";
});
