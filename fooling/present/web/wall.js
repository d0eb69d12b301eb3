// The wall: a card for each class that is shown. A network may have tens of thousands of classes, so only the cards near
// the window are made; all cards are of one height, which the style sheet sees to.
import { byId, element } from "./dom.js";
import { drawFacets, ordered, reread } from "./facets.js";
import { formatCount } from "./format.js";
import { entries } from "./model.js";
import { FACETS, go, SORTS, shownRuns, state } from "./state.js";
import { makeCard, resizeTiles, zoomWall } from "./tiles.js";

const MARGIN = 800; // pixels above and below the window in which cards are made
const CACHED = 3000; // cards that are kept beside those in the wall

let cards = new Map(); // entry -> its card, for the choice of runs `cardsFor`
let cardsFor = null;
export let shown = []; // the entries on the wall, in order: all of them, whether their cards are made or not
let shownFor = null;
let columns = 1;
let pitch = 0; // from one row of cards to the next, in pixels; every card is of one height
let made = [0, 0]; // the rows whose cards are in the document: from, up to but without
let printing = false;
let lastFocused = null; // the entry whose card had the focus last

/** Draw the wall as the state asks for, and its facets. */
export function drawWall() {
  if (byId("query").value !== state.q) byId("query").value = state.q;
  byId("sort").value = state.sort;
  byId("reverse").setAttribute("aria-pressed", state.reverse);
  if (cardsFor !== state.run) {
    cards = new Map();
    cardsFor = state.run;
    shownFor = null;
  }
  const resized = resizeTiles(); // before anything changes: to measure what has changed costs a layout
  const asked = [state.run, state.sort, state.reverse, state.q, ...Object.keys(FACETS).map((name) => state[name])];
  const key = JSON.stringify(asked);
  const changed = key !== shownFor;
  if (changed) {
    shown = ordered();
    shownFor = key;
    byId("again").hidden = true;
    byId("nothing").hidden = shown.length > 0;
    byId("count").textContent = shown.length === entries.length
      ? `${formatCount(entries.length)} classes`
      : `${formatCount(shown.length)} of ${formatCount(entries.length)} classes`;
    drawFacets();
  }
  if (resized || !pitch) measure();
  if (pitch) drawRows(resized || changed); // the window, or what is above the wall, may have another height
}

// How many cards are in a row, and how far apart the rows are.
function measure() {
  const wall = byId("wall");
  if (!shown.length) return;
  if (!wall.firstElementChild) wall.replaceChildren(cardOf(0));
  const style = getComputedStyle(wall);
  columns = style.gridTemplateColumns.split(" ").length;
  pitch = wall.firstElementChild.getBoundingClientRect().height + parseFloat(style.rowGap);
}

const rowCount = () => Math.ceil(shown.length / columns);

// Put the cards near the window into the document. Above and below them the wall is padded, so that it is as long as
// if all were there.
function drawRows(afresh = false) {
  const wall = byId("wall");
  const start = wall.getBoundingClientRect().top;
  const row = (y) => Math.min(rowCount(), Math.max(0, Math.floor((y - start) / pitch)));
  const rows = printing ? [0, rowCount()] : [row(-MARGIN), Math.min(rowCount(), row(innerHeight + MARGIN) + 1)];
  if (!afresh && rows[0] === made[0] && rows[1] === made[1]) return;
  wall.style.setProperty("--above", `${rows[0] * pitch}px`);
  wall.style.setProperty("--below", `${(rowCount() - rows[1]) * pitch}px`);
  const before = made;
  made = rows;
  if (afresh || rows[0] >= before[1] || rows[1] <= before[0]) return wall.replaceChildren(...cardsOf(rows[0], rows[1]));
  // Only what comes and goes is touched: what stays keeps its layout and the focus.
  const count = (from, to) => Math.max(0, Math.min(to * columns, shown.length) - from * columns);
  for (let n = count(before[0], rows[0]); n > 0; n -= 1) wall.firstElementChild.remove();
  for (let n = count(rows[1], before[1]); n > 0; n -= 1) wall.lastElementChild.remove();
  wall.prepend(...cardsOf(rows[0], before[0]));
  wall.append(...cardsOf(before[1], rows[1]));
}

// The cards of the rows from one up to, but without, another.
function cardsOf(from, to) {
  const list = [];
  for (let place = from * columns; place < Math.min(to * columns, shown.length); place += 1) list.push(cardOf(place));
  return list;
}

function cardOf(place) {
  const entry = shown[place];
  let card = cards.get(entry);
  if (!card) {
    if (cards.size > CACHED) cards = new Map();
    card = makeCard(entry);
    cards.set(entry, card);
  }
  card.setAttribute("aria-posinset", place + 1);
  card.setAttribute("aria-setsize", shown.length);
  return card;
}

/** Forget the cards that are not in the document: they are made anew when they come near the window. */
export function forgetCards() {
  for (const [entry, card] of cards) if (!card.isConnected) cards.delete(entry);
}

/** Draw these entries' cards anew where they are: nothing moves, and the focus stays. */
export function refreshCards(changed) {
  reread(changed);
  for (const entry of changed) {
    const old = cards.get(entry);
    if (!old) continue;
    cards.delete(entry);
    if (!old.isConnected) continue;
    const card = makeCard(entry);
    for (const name of ["aria-posinset", "aria-setsize"]) card.setAttribute(name, old.getAttribute(name));
    card.classList.add("fresh");
    const focused = old.contains(document.activeElement);
    old.replaceWith(card);
    cards.set(entry, card);
    if (focused) card.querySelector("a")?.focus({ preventScroll: true });
  }
  byId("again").hidden = !isStale();
  drawFacets();
}

// Whether the order, or what passes the filters, is another one than when it was asked for.
function isStale() {
  const now = ordered();
  return now.length !== shown.length || now.some((entry, place) => entry !== shown[place]);
}

/** Show an entry on the wall. Gives whether it is among those that are shown. */
export function showEntry(entry) {
  const place = shown.indexOf(entry);
  if (place < 0) return false;
  const card = reveal(place);
  (card.querySelector("a") ?? card).focus({ preventScroll: true });
  card.classList.remove("pointed");
  void card.offsetWidth; // so that the animation begins anew
  card.classList.add("pointed");
  return true;
}

/** The entry that has the focus on the wall, or null. */
export const focusedEntry = () => (byId("wall").contains(document.activeElement) ? entryOf(document.activeElement) : null);

// The entry whose card an element is in.
const entryOf = (part) => entries[Number(part.closest("li").dataset.position)];

/** Scroll so that the card at a place is in the window, and give it. */
export function reveal(place) {
  const row = Math.floor(place / columns);
  const wall = byId("wall").getBoundingClientRect();
  const top = wall.top + row * pitch;
  const hidden = byId("tools").getBoundingClientRect().bottom; // the tools stay on top of the wall
  if (top < Math.max(0, hidden)) scrollBy({ top: top - Math.max(0, hidden) - 8, behavior: "instant" });
  else if (top + pitch > innerHeight) scrollBy({ top: top + pitch - innerHeight, behavior: "instant" });
  drawRows();
  return cardOf(place);
}

let waiting = false;
function scrolled() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    if (shown.length) drawRows();
  });
}

/** Arrow keys on the wall: to the next image to the left or right, or to the same run's in the row above or below. */
export function moveFocus(key) {
  const link = document.activeElement;
  if (link === document.body && lastFocused) return showEntry(lastFocused); // it was scrolled away
  if (!byId("wall").contains(link)) return false;
  const here = shown.indexOf(entryOf(link));
  const siblings = [...link.closest("li").querySelectorAll("a")];
  const at = siblings.indexOf(link);
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key];
  const beside = Math.abs(step) === 1 ? siblings[at + step] : undefined;
  if (beside) return beside.focus(), true;
  for (let place = here + step; place >= 0 && place < shown.length; place += step) {
    const held = shownRuns().filter((run) => shown[place].elites[run]);
    if (!held.length) continue;
    const links = reveal(place).querySelectorAll("a");
    const same = held.indexOf(Number(link.dataset.run));
    links[step === -1 ? links.length - 1 : Math.abs(step) === 1 ? 0 : Math.max(0, same)].focus({ preventScroll: true });
    return true;
  }
  return true;
}

/** Let the controls of the wall change the state; `render` draws it after the window has changed. */
export function listen(render) {
  for (const [value, name] of Object.entries(SORTS)) byId("sort").append(element("option", { value }, name));
  byId("query").addEventListener("input", (event) => go({ q: event.target.value }));
  byId("sort").addEventListener("change", (event) => go({ sort: event.target.value, reverse: false }));
  byId("reverse").addEventListener("click", () => go({ reverse: !state.reverse }));
  byId("again").addEventListener("click", () => {
    shownFor = null;
    render();
  });
  byId("smaller").addEventListener("click", () => zoomWall(-1));
  byId("larger").addEventListener("click", () => zoomWall(1));
  byId("clear").addEventListener("click", () => go({ q: "", ...Object.fromEntries(Object.keys(FACETS).map((name) => [name, []])) }));
  byId("tools").addEventListener("submit", (event) => event.preventDefault());
  byId("wall").addEventListener("focusin", (event) => (lastFocused = entryOf(event.target)));
  addEventListener("resize", () => render());
  addEventListener("scroll", scrolled, { passive: true });
  new ResizeObserver(scrolled).observe(document.body);
  addEventListener("beforeprint", () => { printing = true; drawRows(); });
  addEventListener("afterprint", () => { printing = false; drawRows(); });
  // Where there is room the panel is open; on a phone it folds, so that the images come first.
  const roomy = matchMedia("(min-width: 901px)");
  const folds = document.querySelectorAll(".panel details");
  const fold = () => folds.forEach((part) => (part.open = roomy.matches));
  folds.forEach((part) => part.addEventListener("toggle", () => render()));
  roomy.addEventListener("change", fold);
  fold();
}
