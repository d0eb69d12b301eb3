// The page of a run: its head, the strip of all classes, the wall, its curve, and what happens while it goes on.
import { get, onceAtATime } from "./api.js";
import { drawCurve } from "./chart.js";
import { byId, isTyping, pageData, plain } from "./dom.js";
import { rememberWall } from "./elite-walk.js";
import { drawFeed } from "./feed.js";
import { listenOnFilm, openFilm } from "./film.js";
import { onConnection, onGone, onJob } from "./live.js";
import { say } from "./messages.js";
import { changeElites, custom, entries, model, setModel } from "./model.js";
import { headlineOf } from "./panel.js";
import { drawGone, drawHead, drawNothing, listenOnHead } from "./run-head.js";
import { readElites, summarise } from "./run-data.js";
import { describeKeys } from "./shell.js";
import { begin, go, state } from "./state.js";
import { drawStrip, listenOnStrip } from "./strip.js";
import { drawWall, focusedEntry, listen, moveFocus, refreshCards, showEntry, shown } from "./wall.js";

const PAUSE = 1000; // milliseconds between two looks at a run that goes on
const page = pageData();
const base = `/api/v1/runs/${page.job.id}`;
let job = page.job;
let gone = false;
let generation = null; // of the checkpoint that is drawn; null: none yet
let history = { generation: -1, curve: [], replacements: [], notices: [] };
let filming = null;

function image(run, entry, elite) {
  return `${base}/elites/${entry.index}.png?of=${elite.image}`;
}

function show(entry) {
  if (!showEntry(entry)) say(`Class ${entry.index} is not among those that the filters let through.`);
}

function render() {
  drawWall();
  if (state.open !== filming) {
    filming = state.open;
    if (filming === null) byId("film").close();
    else openFilm(base, entries[filming], () => state.open !== null && go({ open: null }));
  }
}

let chartFor = "";
function drawCharts() {
  const width = byId("curve").clientWidth;
  const key = `${width} ${history.generation} ${generation}`;
  if (key === chartFor) return;
  chartFor = key;
  byId("headline").replaceChildren(headlineOf(model.runs[0]));
  byId("curve").hidden = history.curve.length < 2;
  if (history.curve.length > 1) drawCurve(byId("curve-plot"), [{ ...model.runs[0], curve: history.curve }], width || 300);
}

/** Fetch what the run has found, and draw what has changed. */
async function look() {
  if (gone) return;
  try {
    if (!page.begun) await meet();
    if (!page.begun) return drawNothing(job, page.damaged);
    const [columns, now] = await Promise.all([get(`${base}/columns`), get(`${base}/history`)]);
    history = now;
    if (columns.generation < 0) drawNothing(job);
    else if (generation === null) await open(columns);
    else if (columns.generation !== generation) update(columns);
    if (generation !== null) {
      drawCharts();
      drawFeed(history, show);
    }
  } catch (error) {
    if (error.status === 404) return drawGone();
    if (error.status === 409) drawNothing(job, error.message);
    else if (error.status !== 0) say(error.message, true);
  }
}

/** Read what the run is, which it was not when the page was drawn. */
async function meet() {
  const fresh = await get(`${location.pathname}.json`);
  if (!fresh.begun && !fresh.damaged) return;
  Object.assign(page, fresh);
  const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
  const drawn = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of ["what", "about", "actions"]) byId(id).replaceWith(document.adoptNode(drawn.getElementById(id)));
  listenOnHead();
  drawHead(job);
}

async function open(columns) {
  const classes = await get(`${base}/classes`);
  const labels = classes.labels.map(plain);
  generation = columns.generation;
  const run = { name: job.label || job.name, width: page.begun.width, height: page.begun.height, curve: [], ...summarise(columns) };
  const names = Object.keys(classes.groups);
  const groupsOf = new Map(columns.classes.map((index) => [index, []]));
  names.forEach((name, number) => classes.groups[name].forEach((index) => groupsOf.get(index)?.push(number)));
  const bands = page.bands.map(([name, low]) => ({ name, low }));
  const about = columns.classes.map((index) => ({ index, label: labels[index], groups: groupsOf.get(index) }));
  setModel({ bands, vacant: page.vacant, groups: names.map(plain), runs: [run] }, about, readElites(columns, labels));
  model.labels = labels;
  byId("none").hidden = true;
  byId("found").hidden = false;
  begin(render, true);
  listen(render);
  listenOnStrip(show);
  render();
  const sizes = new ResizeObserver(() => {
    drawStrip();
    drawCharts();
  });
  for (const id of ["strip-figure", "curve"]) sizes.observe(byId(id));
}

function update(columns) {
  generation = columns.generation;
  Object.assign(model.runs[0], summarise(columns));
  refreshCards(changeElites(readElites(columns, model.labels)));
  drawStrip(true);
}

const lookAgain = onceAtATime(async () => {
  await look();
  await new Promise((resolve) => setTimeout(resolve, PAUSE));
});

function onKey(event) {
  if (isTyping(event) || document.querySelector("dialog[open]")) return;
  let used = false;
  const entry = focusedEntry();
  if (event.key === "/") byId("query").focus(), (used = true);
  else if (event.key === "f" && entry?.elites[0]) custom.film(entry), (used = true);
  else if (event.key.startsWith("Arrow")) used = moveFocus(event.key);
  if (used) event.preventDefault();
}

Object.assign(custom, {
  image,
  href: (run, entry) => `/runs/${page.job.id}/elites/${entry.index}`,
  film: (entry) => go({ open: entry.position }, true),
});
describeKeys([["/", "filter the wall"], ["arrows", "move on the wall"], ["Enter", "opens the elite"], ["f", "the film of its ancestors"]]);
drawHead(job);
listenOnHead();
listenOnFilm();
addEventListener("keydown", onKey);
addEventListener("pagehide", () => rememberWall(page.job.id, shown.filter((entry) => entry.elites[0]).map((entry) => entry.index)));
onJob((changed) => {
  if (changed.id !== page.job.id) return;
  job = changed;
  drawHead(job);
  lookAgain();
});
onGone((id) => {
  if (id !== page.job.id) return;
  gone = true;
  drawGone();
});
onConnection((connection) => connection === "open" && lookAgain());
lookAgain();
