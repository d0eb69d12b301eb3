// The wall: one card for each class, with the elite of every shown run. A network may have tens of thousands of
// classes, so only the cards near the window are made; all cards are of one height, which the style sheet sees to.

const ZOOMS = [0.5, 1, 2, 3, 4, 5, 6, 8, 10, 12, 16];
const TILE_GAP = 8; // between the images of one card
const TILE_WIDTH = 92; // at least: a confidence in words fits

// CSS pixels of one image pixel at zoom 1: a whole number of screen pixels, whatever their density.
const unit = () => Math.max(1, Math.round(devicePixelRatio)) / devicePixelRatio;

const imageSource = (number) => `data:image/png;base64,${byId(`image-${number}`).textContent}`;

const MARGIN = 800; // pixels above and below the window in which cards are made
const CACHED = 3000; // cards that are kept beside those in the wall

let cards = new Map(); // entry -> its card, for the choice of runs `cardsFor`
let cardsFor = null;
let shown = []; // the entries on the wall, in order: all of them, whether their cards are made or not
let shownFor = null;
let columns = 1;
let pitch = 0; // from one row of cards to the next, in pixels; every card is of one height
let made = [0, 0]; // the rows whose cards are in the document: from, up to but without
let printing = false;

function drawWall() {
  if (cardsFor !== state.run) {
    cards = new Map();
    cardsFor = state.run;
    shownFor = null;
  }
  const key = JSON.stringify([state.run, state.sort, state.reverse, state.q, state.band, state.answer, state.group]);
  const changed = key !== shownFor;
  if (changed) {
    shown = ordered();
    shownFor = key;
    byId("nothing").hidden = shown.length > 0;
    byId("count").textContent = shown.length === entries.length
      ? `${formatCount(entries.length)} classes`
      : `${formatCount(shown.length)} of ${formatCount(entries.length)} classes`;
    drawFacets();
  }
  if (resize() || changed) {
    measure();
    drawRows(true);
  }
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
  made = rows;
  const focused = document.activeElement;
  const held = wall.contains(focused) ? shown.indexOf(entryOf(focused)) : -1;
  const [from, to] = [rows[0] * columns, Math.min(rows[1] * columns, shown.length)];
  const list = [];
  for (let place = from; place < to; place += 1) list.push(cardOf(place));
  wall.style.setProperty("--above", `${rows[0] * pitch}px`);
  wall.style.setProperty("--below", `${(rowCount() - rows[1]) * pitch}px`);
  wall.replaceChildren(...list);
  if (held >= from && held < to) focused.focus({ preventScroll: true });
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

// The entry whose card an element is in.
const entryOf = (part) => entries[Number(part.closest("li").dataset.position)];

// Scroll so that the card at a place is in the window, and give it.
function reveal(place) {
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
addEventListener("scroll", () => {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    if (shown.length) drawRows();
  });
}, { passive: true });
addEventListener("beforeprint", () => { printing = true; drawRows(); });
addEventListener("afterprint", () => { printing = false; drawRows(); });

function makeCard(entry) {
  const tiles = shownRuns().map((number) => makeTile(entry, DATA.runs[number]));
  const name = element("p", { class: "name", title: entry.label },
    entry.label === String(entry.index) ? "" : element("span", { class: "number" }, String(entry.index)), entry.label);
  return element("li", { "data-position": entry.position }, element("div", { class: "tiles" }, ...tiles), name);
}

function makeTile(entry, run) {
  const elite = entry.elites[run.number];
  const letter = state.run === ALL && DATA.runs.length > 1 ? run.letter : "";
  if (!elite) return element("div", { class: "tile" }, sized(element("div", { class: "vacant" }, DATA.vacant), run),
    element("span", { class: "meter" }), element("p", { class: "said" }, "–"), element("p", { class: "answer" }, "\u00a0"));
  const said = formatConfidence(elite.confidence);
  const instead = elite.first && !elite.first.own ? `, called ${elite.first.label}` : "";
  const alt = `Elite of class ${entry.index}, ${entry.label}: ${said}${instead}${letter && `, run ${letter}`}`;
  const image = sized(element("img", { alt, decoding: "async", src: imageSource(elite.image) }), run);
  const link = element("a", { href: `#open=${entry.position}&run=${state.run}&pick=${run.number}`, "data-run": run.number }, image);
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    go({ open: entry.position, pick: run.number, zoom: 0 }, true);
  });
  const meter = element("span", { class: `meter run-${run.number % 6}` });
  meter.style.setProperty("--share", elite.confidence);
  return element("div", { class: "tile" }, link, meter,
    element("p", { class: "said" }, letter && element("b", { class: `run-${run.number % 6}` }, letter), said),
    firstAnswer(elite));
}

// One line, whatever it says, so that all cards are of one height.
function firstAnswer({ first }) {
  if (first === null) return element("p", { class: "answer" }, "first answer not known");
  if (first.own) return element("p", { class: "answer own", title: "This class is the classifier's first answer" }, "top-1");
  const said = `${first.label}, ${formatConfidence(first.confidence)}`;
  return element("p", { class: "answer other", title: `The classifier's first answer: ${said}` }, `called ${said}`);
}

// An image, or what stands for one, in the size of its run's images.
function sized(picture, run) {
  picture.style.width = `var(--width-${run.number})`;
  picture.style.aspectRatio = `${run.width} / ${run.height}`;
  return picture;
}

// The zoom of a run's images that suits the wall: about 130 pixels wide, less where several runs lie side
// by side, and a card no wider than the wall.
function suitable(run) {
  const room = byId("wall").clientWidth / shownRuns().length - TILE_GAP;
  const wanted = Math.max(Math.round(130 / Math.sqrt(shownRuns().length) / run.width), Math.ceil(TILE_WIDTH / run.width));
  return [...ZOOMS].reverse().find((zoom) => zoom <= wanted && zoom * unit() * run.width <= room) ?? ZOOMS[0];
}

const zoomOf = (run) => state.tile || suitable(run);

// Sizes are custom properties of the wall: one for its cards, one for the images of each run. Gives whether any changed,
// or the wall's width did.
let sizesFor = "";
function resize() {
  const runs = shownRuns().map((number) => DATA.runs[number]);
  const wall = byId("wall");
  const widths = runs.map((run) => Math.max(TILE_WIDTH, run.width * zoomOf(run) * unit()));
  const sizes = JSON.stringify([state.run, widths, wall.clientWidth]);
  if (sizes === sizesFor) return false;
  sizesFor = sizes;
  const card = widths.reduce((sum, width) => sum + width + TILE_GAP, -TILE_GAP);
  wall.style.setProperty("--card", `${card}px`);
  wall.classList.toggle("compare", runs.length > 1);
  for (const run of runs) wall.style.setProperty(`--width-${run.number}`, `${run.width * zoomOf(run) * unit()}px`);
  wall.classList.toggle("halved", zoomOf(runs[0]) < 1);
  byId("scale").textContent = zoomName(zoomOf(runs[0]));
  return true;
}

const zoomName = (zoom) => (zoom === 0.5 ? "half size" : zoom === 1 ? "1:1" : `${zoom}×`);

function zoomWall(step) {
  const now = ZOOMS.indexOf(zoomOf(DATA.runs[shownRuns()[0]]));
  go({ tile: ZOOMS[Math.min(Math.max(now + step, 0), ZOOMS.length - 1)] });
}

// Arrow keys on the wall: to the next image to the left or right, or to the same run's in the row above or below.
function moveFocus(key) {
  const link = document.activeElement;
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
