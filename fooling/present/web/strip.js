// The strip: every class of a run in its order, coloured by the confidence of its elite. It is one slider: the pointer or the
// arrow keys choose a class, a click or Enter shows it on the wall.
import { byId, element, setText } from "./dom.js";
import { formatConfidence } from "./format.js";
import { entries } from "./model.js";
import { colourAt, gradient, placeOnScale, TICKS_OF_SCALE } from "./scale.js";

const [SMALLEST, NARROW, TALLEST, HIGHEST] = [2, 7, 120, 26]; // pixels: of a class, wide enough, of the strip, of a row

let chosen = 0; // the class that the keys are at, by its place
let grid = { columns: 1, rows: 1, width: 1, height: 1 }; // of the classes, in pixels
let rest = "";
let drawnFor = "";
const dark = matchMedia("(prefers-color-scheme: dark)");

/** How many rows and columns so many classes take on a strip of this width, in pixels. */
export function gridOf(count, width) {
  for (let rows = 1; ; rows += 1) {
    const columns = Math.ceil(count / rows);
    const size = width / columns;
    const height = Math.min(HIGHEST, Math.max(SMALLEST, size));
    if (size >= NARROW || (rows * height >= TALLEST && size >= SMALLEST)) return { columns, rows, width: size, height };
  }
}

/** Draw all classes where they have changed, or the strip's width has. */
export function drawStrip(changed = false) {
  const canvas = byId("strip");
  const width = canvas.parentElement.clientWidth;
  const key = `${width} ${devicePixelRatio} ${dark.matches}`;
  if (!width || !entries.length || (!changed && key === drawnFor)) return;
  drawnFor = key;
  grid = gridOf(entries.length, width);
  const density = Math.max(1, devicePixelRatio);
  canvas.width = Math.round(width * density);
  canvas.height = Math.round(grid.rows * grid.height * density);
  canvas.style.height = `${grid.rows * grid.height}px`;
  canvas.setAttribute("aria-valuemax", entries.length - 1);
  paint(canvas.getContext("2d"), density);
  if (!rest) rest = byId("strip-text").textContent;
  if (document.activeElement === canvas) point(chosen);
}

function paint(context, density) {
  const gap = grid.width >= NARROW ? 1 : 0;
  const empty = getComputedStyle(byId("strip")).getPropertyValue("--wash");
  const cut = (at) => Math.round(at * density);
  entries.forEach((entry, place) => {
    const elite = entry.elites[0];
    const [x, y] = [(place % grid.columns) * grid.width, Math.floor(place / grid.columns) * grid.height];
    context.fillStyle = elite ? `rgb(${colourAt(placeOnScale(elite.confidence)).join(" ")})` : empty;
    context.fillRect(cut(x), cut(y), cut(x + grid.width) - cut(x) - gap, cut(y + grid.height) - cut(y) - gap);
  });
}

// Say what a class is, and let a screen reader hear it.
function point(place) {
  const entry = entries[place];
  const told = `${entry.index} ${entry.label}: ${entry.elites[0] ? formatConfidence(entry.elites[0].confidence) : "no elite yet"}`;
  setText(byId("strip-text"), told);
  byId("strip").setAttribute("aria-valuenow", place);
  byId("strip").setAttribute("aria-valuetext", told);
}

function placeAt(event) {
  const box = byId("strip").getBoundingClientRect();
  const column = Math.min(grid.columns - 1, Math.max(0, Math.floor((event.clientX - box.left) / grid.width)));
  const row = Math.min(grid.rows - 1, Math.max(0, Math.floor((event.clientY - box.top) / grid.height)));
  const place = row * grid.columns + column;
  return place < entries.length ? place : null;
}

/** Let the strip be used; `show(entry)` shows a class on the wall. */
export function listenOnStrip(show) {
  const canvas = byId("strip");
  canvas.addEventListener("pointermove", (event) => {
    const place = placeAt(event);
    if (place !== null) point(place);
  });
  canvas.addEventListener("pointerleave", () => setText(byId("strip-text"), rest));
  canvas.addEventListener("blur", () => setText(byId("strip-text"), rest));
  canvas.addEventListener("focus", () => point(Math.min(chosen, entries.length - 1)));
  canvas.addEventListener("click", (event) => {
    const place = placeAt(event);
    if (place === null) return;
    chosen = place;
    show(entries[place]);
  });
  canvas.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -grid.columns, ArrowDown: grid.columns, Home: -Infinity, End: Infinity };
    if (event.key === "Enter") show(entries[chosen]);
    else if (event.key in steps) chosen = Math.min(entries.length - 1, Math.max(0, chosen + steps[event.key]));
    else return;
    event.preventDefault();
    event.stopPropagation();
    point(chosen);
  });
  dark.addEventListener("change", () => drawStrip());
  const bar = element("span", { class: "scale-bar" });
  bar.style.background = gradient();
  byId("strip-scale").replaceChildren(bar, ...TICKS_OF_SCALE.map(([p, name]) => {
    const tick = element("span", { class: "scale-tick" }, name);
    tick.style.left = `${100 * placeOnScale(p)}%`;
    return tick;
  }));
}
