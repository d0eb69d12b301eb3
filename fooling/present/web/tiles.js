// The cards of the wall: one for each class, with the elite of every shown run, and their sizes.
import { byId, element } from "./dom.js";
import { formatConfidence } from "./format.js";
import { custom, model } from "./model.js";
import { ALL, go, shownRuns, state } from "./state.js";

const ZOOMS = [0.5, 1, 2, 3, 4, 5, 6, 8, 10, 12, 16];
const BLANK = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="; // of one transparent pixel: it has the size that styles give it
const TILE_GAP = 8; // between the images of one card
const TILE_WIDTH = 92; // at least: a confidence in words fits

/** CSS pixels of one image pixel at zoom 1: a whole number of screen pixels, whatever their density. */
export const unit = () => Math.max(1, Math.round(devicePixelRatio)) / devicePixelRatio;

/** The card of a class. */
export function makeCard(entry) {
  const tiles = shownRuns().map((number) => makeTile(entry, model.runs[number]));
  const name = element("p", { class: "name", title: entry.label },
    entry.label === String(entry.index) ? "" : element("span", { class: "number" }, String(entry.index)), element("bdi", {}, entry.label));
  return element("li", { "data-position": entry.position }, element("div", { class: "tiles" }, ...tiles), name);
}

function makeTile(entry, run) {
  const elite = entry.elites[run.number];
  const letter = state.run === ALL && model.runs.length > 1 ? run.letter : "";
  if (!elite) return element("div", { class: "tile" }, sized(element("div", { class: "vacant" }, model.vacant), run),
    element("span", { class: "meter" }), element("p", { class: "said" }, "–"), element("p", { class: "answer" }, "\u00a0"));
  const said = formatConfidence(elite.confidence);
  const instead = elite.first && !elite.first.own ? `, called ${elite.first.label}` : "";
  const alt = `Elite of class ${entry.index}, ${entry.label}: ${said}${instead}${letter && `, run ${letter}`}`;
  const image = sized(element("img", { alt, decoding: "async", ...sourceOf(run, entry, elite) }), run);
  const link = element("a", { href: custom.href(run, entry), "data-run": run.number }, image);
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button || !custom.open) return;
    event.preventDefault();
    custom.open(run, entry);
  });
  const meter = element("span", { class: `meter run-${run.number % 6}` });
  meter.style.setProperty("--share", elite.confidence);
  const higher = letter && entry.elites.every((other, number) => number === run.number || !(other?.confidence >= elite.confidence));
  return element("div", { class: higher ? "tile higher" : "tile" }, link, custom.film && filmButton(entry), meter,
    element("p", { class: "said", title: higher ? "The highest of these runs" : null }, letter && element("b", { class: `run-${run.number % 6}` }, letter), said),
    firstAnswer(elite));
}

/** The attributes that tell an image what to show; where that is not there yet, what it is waiting for. */
export function sourceOf(run, entry, elite) {
  const src = custom.image(run, entry, elite);
  return src === null ? { src: BLANK, "data-late": elite.image } : { src };
}

// The key f does the same, so the button is no stop of the Tab key.
function filmButton(entry) {
  const button = element("button", { type: "button", class: "film-button", tabindex: -1, "aria-label": `Film of ${entry.label}`, title: "Its ancestors, from noise to now (f)" }, "▶");
  button.addEventListener("click", () => custom.film(entry));
  return button;
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
export function resizeTiles() {
  const runs = shownRuns().map((number) => model.runs[number]);
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

export const zoomName = (zoom) => (zoom === 0.5 ? "half size" : zoom === 1 ? "1:1" : `${zoom}×`);

/** The wall's images a step larger, or smaller. */
export function zoomWall(step) {
  const now = ZOOMS.indexOf(zoomOf(model.runs[shownRuns()[0]]));
  go({ tile: ZOOMS[Math.min(Math.max(now + step, 0), ZOOMS.length - 1)] });
}
