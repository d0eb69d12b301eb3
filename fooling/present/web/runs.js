// The page of all runs: search, facets, order, pages and the queue, kept up to date.
import { get, onceAtATime, post, remove } from "./api.js";
import { makeCard, updateCard } from "./card.js";
import { byId, element, isTyping, pageData, plain, setText } from "./dom.js";
import { formatCount } from "./format.js";
import { encodingName, searchName, titleOf } from "./jobs.js";
import { onConnection, onGone, onJob, onQueue } from "./live.js";
import { ask, say } from "./messages.js";
import { dragRows, drawQueue, updateRow } from "./queue.js";
import { describeKeys } from "./shell.js";

const FACET_LENGTH = 8; // values that a facet shows at first
const NAMES = { encoding: encodingName, search: searchName };
const unfolded = new Set();
let model = pageData();

const asked = () => new URLSearchParams(location.search);

/** Go to another view of this page. */
function go(change, replace = false) {
  const query = asked();
  query.delete("page");
  change(query);
  const address = query.size ? `/?${query}` : "/";
  history[replace ? "replaceState" : "pushState"](null, "", address);
  refresh();
}

const refresh = onceAtATime(async () => {
  try {
    model = await get(`/runs.json?${asked()}`);
    draw();
  } catch (error) {
    if (error.status) say(error.message, true); // the top bar tells of a lost connection
  }
});

/** Changes of many runs at once end in few requests. */
let refreshing = 0;
function refreshSoon() {
  if (!refreshing) refreshing = setTimeout(() => ((refreshing = 0), refresh()), 300);
}

async function act(change, job) {
  const name = plain(titleOf(job));
  if (change === "delete" && !(await ask(`Delete ${name}?`, "The run directory goes, with all images, checkpoints and the log. This can't be undone.", "Delete"))) return;
  if (change === "cancel" && !(await ask(`Cancel ${name}?`, "It ends for good. What it has found stays. To go on later, pause it instead.", "Cancel the run"))) return;
  try {
    if (change === "delete") await remove(`/api/v1/runs/${job.id}`);
    else await post(`/api/v1/runs/${job.id}/${change}`);
  } catch (error) {
    say(error.message, true);
  }
  refresh();
}

async function move(id, before) {
  const job = model.waiting.find((entry) => entry.job.id === id)?.job;
  try {
    await post(`/api/v1/${job?.kind === "run" ? "runs" : "studies"}/${id}/move`, { before });
  } catch (error) {
    say(error.message, true);
  }
  await refresh();
  const place = model.waiting.findIndex((entry) => entry.job.id === id);
  if (place >= 0) setText(byId("moved"), `${plain(titleOf(job))} is number ${place + 1} of ${model.waiting.length} in the queue.`);
}

function draw() {
  const nothing = model.everything === 0;
  byId("empty").hidden = !nothing;
  byId("found").hidden = nothing;
  byId("tools").hidden = nothing;
  drawQueueSection();
  if (nothing) return;
  drawCards();
  drawFacets();
  drawPager();
  if (document.activeElement !== byId("query")) byId("query").value = model.q;
  byId("sort").value = model.sort;
  const shown = model.total === model.everything ? formatCount(model.total) : `${formatCount(model.total)} of ${formatCount(model.everything)}`;
  setText(byId("count"), `${shown} ${model.everything === 1 ? "run" : "runs"}`);
  byId("nothing").hidden = model.total > 0;
}

function drawQueueSection() {
  const busy = model.running.length + model.waiting.length;
  byId("queue-part").hidden = busy === 0;
  const counts = [[model.running.length, "running"], [model.waiting.length, "waiting"]];
  setText(byId("queue-count"), counts.filter(([count]) => count).map(([count, name]) => `${formatCount(count)} ${name}`).join(", "));
  byId("queue-hint").hidden = model.waiting.length < 2;
  drawQueue(byId("queue"), model, move);
}

function drawCards() {
  const list = byId("cards");
  const cards = new Map([...list.children].map((card) => [card.dataset.id, card]));
  const focused = document.activeElement;
  const wanted = model.items.map((job) => {
    const card = cards.get(job.id);
    if (card) updateCard(card, job);
    return card ?? makeCard(job, act);
  });
  // Only what is elsewhere is moved: moving an element takes the focus from it.
  wanted.forEach((card, place) => list.children[place] !== card && list.insertBefore(card, list.children[place] ?? null));
  while (list.children.length > wanted.length) list.lastElementChild.remove();
  if (focused !== document.activeElement && document.contains(focused)) focused.focus({ preventScroll: true });
}

function drawFacets() {
  // What all runs have is no choice, and neither are labels of which each is of one run.
  const worth = ({ name, choices }) => choices.length > 1 && (name !== "label" || choices.some((choice) => choice.count > 1));
  const facets = model.facets.filter((facet) => worth(facet) || facet.choices.some((choice) => choice.chosen));
  byId("facets").replaceChildren(...facets.map(drawFacet));
  const chosen = model.facets.flatMap((facet) => facet.choices.filter((choice) => choice.chosen));
  setText(byId("filtering"), chosen.length ? ` (${chosen.length})` : "");
  byId("clear-filters").hidden = !chosen.length;
}

function drawFacet(facet) {
  const most = Math.max(1, ...facet.choices.map((choice) => choice.count));
  const all = unfolded.has(facet.name) || facet.choices.length <= FACET_LENGTH + 1;
  const shown = all ? facet.choices : facet.choices.filter((choice, place) => place < FACET_LENGTH || choice.chosen);
  const items = shown.map((choice) => {
    const name = (NAMES[facet.name] ?? String)(choice.value);
    const button = element("button", { type: "button", "aria-pressed": choice.chosen },
      element("span", { class: "choice" }, plain(name)), element("span", { class: "number" }, formatCount(choice.count)));
    button.style.setProperty("--share", choice.count / most);
    button.addEventListener("click", () => toggle(facet.name, choice));
    return element("li", {}, button);
  });
  if (!all) {
    const more = element("button", { type: "button", class: "quiet" }, `${facet.choices.length - shown.length} more`);
    more.addEventListener("click", () => (unfolded.add(facet.name), drawFacets()));
    items.push(element("li", {}, more));
  }
  return element("section", { class: "facet" }, element("h2", {}, facet.title), element("ul", {}, ...items));
}

function toggle(name, choice) {
  go((query) => {
    const values = query.getAll(name).filter((value) => value !== choice.value);
    query.delete(name);
    if (!choice.chosen) values.push(choice.value);
    values.forEach((value) => query.append(name, value));
  });
}

function drawPager() {
  byId("pager").hidden = model.pages === 1;
  const first = (model.page - 1) * model.size + 1;
  setText(byId("span"), `${formatCount(first)} to ${formatCount(first + model.items.length - 1)} of ${formatCount(model.total)}`);
  byId("page").value = model.page;
  byId("page").max = model.pages;
  setText(byId("pages"), `of ${formatCount(model.pages)}`);
  byId("before").disabled = model.page <= 1;
  byId("after").disabled = model.page >= model.pages;
}

function turn(page) {
  const wanted = Math.min(model.pages, Math.max(1, Math.round(page) || 1));
  go((query) => wanted > 1 && query.set("page", wanted));
  byId("tools").scrollIntoView({ block: "start" });
}

const set = (name, value, usual) => (query) => (value === usual ? query.delete(name) : query.set(name, value));

byId("query").addEventListener("input", (event) => go(set("q", event.target.value, ""), true));
byId("sort").addEventListener("change", (event) => go(set("sort", event.target.value, "newest")));
byId("tools").addEventListener("submit", (event) => event.preventDefault());
const clear = () => go((query) => [...query.keys()].forEach((name) => name !== "sort" && query.delete(name)));
byId("clear").addEventListener("click", clear);
byId("clear-filters").addEventListener("click", clear);
byId("before").addEventListener("click", () => turn(model.page - 1));
byId("after").addEventListener("click", () => turn(model.page + 1));
byId("page").addEventListener("change", (event) => turn(Number(event.target.value)));
addEventListener("popstate", () => refresh());
dragRows(byId("queue"), move);

// Where there is room the filters are open; on a phone they fold, so that the runs come first.
const roomy = matchMedia("(min-width: 901px)");
const fold = () => (byId("filters").open = roomy.matches);
roomy.addEventListener("change", fold);
fold();

function moveAmong(key) {
  const links = [...byId("cards").querySelectorAll("h2 a")];
  const place = links.indexOf(document.activeElement);
  if (place < 0) return links[0] && !document.activeElement?.closest?.("#queue") ? (links[0].focus(), true) : false;
  const top = (link) => link.closest("li").offsetTop;
  const columns = Math.max(1, links.filter((link) => top(link) === top(links[0])).length);
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key];
  links[Math.min(links.length - 1, Math.max(0, place + steps))].focus();
  return true;
}

addEventListener("keydown", (event) => {
  if (isTyping(event) || document.querySelector("dialog[open]")) return;
  let used = true;
  if (event.key === "/" && model.everything) byId("query").focus();
  else if (event.key === "n") location.href = "/new";
  else if (event.key.startsWith("Arrow")) used = moveAmong(event.key);
  else used = false;
  if (used) event.preventDefault();
});
describeKeys([["/", "search"], ["arrows", "go from run to run"], ["Enter", "opens a run"], ["n", "new run"], ["↑ ↓", "on the arrows of the queue: move a job"]]);

onJob((job) => {
  const card = byId("cards").querySelector(`[data-id="${CSS.escape(job.id)}"]`);
  const row = byId("queue").querySelector(`[data-id="${CSS.escape(job.id)}"]`);
  const known = card?.job ?? model.running.find((other) => other.id === job.id);
  if (card) updateCard(card, job);
  if (row) updateRow(row, job);
  if (!known || known.state !== job.state) refreshSoon();
});
onGone(() => refreshSoon());
onQueue(() => refreshSoon());
onConnection((state) => state === "open" && refresh());

draw();
