// The wall: one card for each class, with the elite of every shown run. Cards are made once for a choice
// of runs; an image is read from its block when its card comes near the window.

const ZOOMS = [0.5, 1, 2, 3, 4, 5, 6, 8, 10, 12, 16];
const TILE_GAP = 8; // between the images of one card
const TILE_WIDTH = 92; // at least: a confidence in words fits

// CSS pixels of one image pixel at zoom 1: a whole number of screen pixels, whatever their density.
const unit = () => Math.max(1, Math.round(devicePixelRatio)) / devicePixelRatio;

const imageSource = (number) => `data:image/png;base64,${byId(`image-${number}`).textContent}`;

const comingSoon = new IntersectionObserver(
  (seen) => {
    for (const { isIntersecting, target } of seen) {
      if (!isIntersecting) continue;
      comingSoon.unobserve(target);
      load(target);
    }
  },
  { rootMargin: "800px" },
);

function load(card) {
  for (const image of card.querySelectorAll("img:not([src])")) image.src = imageSource(image.dataset.image);
}
addEventListener("beforeprint", () => document.querySelectorAll("#wall > li").forEach(load));

let cards = [];
let cardsFor = null; // the choice of runs that `cards` shows
let shown = []; // the entries on the wall, in order
let shownFor = null;

function drawWall() {
  if (cardsFor !== state.run) {
    comingSoon.disconnect();
    cards = entries.map(makeCard);
    cards.forEach((card) => comingSoon.observe(card));
    cardsFor = state.run;
  }
  const key = JSON.stringify([state.run, state.sort, state.reverse, state.q, state.band, state.group]);
  if (key !== shownFor) {
    shown = ordered();
    shownFor = key;
    byId("wall").replaceChildren(...shown.map((entry) => cards[entry.position]));
    byId("nothing").hidden = shown.length > 0;
    byId("count").textContent = shown.length === entries.length
      ? `${formatCount(entries.length)} classes`
      : `${formatCount(shown.length)} of ${formatCount(entries.length)} classes`;
    drawFacets();
  }
  resize();
}

function makeCard(entry) {
  const tiles = shownRuns().map((number) => makeTile(entry, DATA.runs[number]));
  const name = element("p", { class: "name", title: entry.label },
    entry.label === String(entry.index) ? "" : element("span", { class: "number" }, String(entry.index)), entry.label);
  return element("li", {}, element("div", { class: "tiles" }, ...tiles), name);
}

function makeTile(entry, run) {
  const elite = entry.elites[run.number];
  const letter = state.run === ALL && DATA.runs.length > 1 ? run.letter : "";
  if (!elite) return element("div", { class: "tile" }, sized(element("div", { class: "vacant" }, DATA.vacant), run));
  const said = formatConfidence(elite.confidence);
  const alt = `Elite of class ${entry.index}, ${entry.label}: ${said}${letter && `, run ${letter}`}`;
  const image = sized(element("img", { alt, decoding: "async", "data-image": elite.image }), run);
  const link = element("a", { href: `#open=${entry.position}&run=${state.run}&pick=${run.number}` }, image);
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    go({ open: entry.position, pick: run.number, zoom: 0 }, true);
  });
  const meter = element("span", { class: `meter run-${run.number % 6}` });
  meter.style.setProperty("--share", Math.min(1, Math.max(0.02, (logOdds(elite.confidence) + 2) / (logOdds(1) + 2))));
  return element("div", { class: "tile" }, link, meter,
    element("p", { class: "said" }, letter && element("b", { class: `run-${run.number % 6}` }, letter), said));
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

// Sizes are custom properties of the wall: one for its cards, one for the images of each run.
function resize() {
  const runs = shownRuns().map((number) => DATA.runs[number]);
  const wall = byId("wall");
  const widths = runs.map((run) => Math.max(TILE_WIDTH, run.width * zoomOf(run) * unit()));
  const card = widths.reduce((sum, width) => sum + width + TILE_GAP, -TILE_GAP);
  wall.style.setProperty("--card", `${card}px`);
  wall.classList.toggle("compare", runs.length > 1);
  for (const run of runs) wall.style.setProperty(`--width-${run.number}`, `${run.width * zoomOf(run) * unit()}px`);
  wall.classList.toggle("halved", zoomOf(runs[0]) < 1);
  byId("scale").textContent = zoomName(zoomOf(runs[0]));
}

const zoomName = (zoom) => (zoom === 0.5 ? "half size" : zoom === 1 ? "1:1" : `${zoom}×`);

function zoomWall(step) {
  const now = ZOOMS.indexOf(zoomOf(DATA.runs[shownRuns()[0]]));
  go({ tile: ZOOMS[Math.min(Math.max(now + step, 0), ZOOMS.length - 1)] });
}

// Arrow keys on the wall: to the neighbouring image, by where things are on the screen.
function moveFocus(key) {
  const links = [...byId("wall").querySelectorAll("a")];
  const at = links.indexOf(document.activeElement);
  if (at < 0) return false;
  if (key === "ArrowLeft" || key === "ArrowRight") {
    links[at + (key === "ArrowRight" ? 1 : -1)]?.focus();
    return true;
  }
  const here = links[at].getBoundingClientRect();
  const down = key === "ArrowDown" ? 1 : -1;
  for (let i = at + down, best = null; ; i += down) {
    const box = links[i]?.getBoundingClientRect();
    const passed = box && down * (box.top - here.top) > 4;
    if (!box || (best && Math.abs(box.top - best.top) > 4)) return best?.link.focus(), true;
    if (passed && (!best || Math.abs(box.left - here.left) < Math.abs(best.left - here.left)))
      best = { link: links[i], top: box.top, left: box.left };
  }
}
