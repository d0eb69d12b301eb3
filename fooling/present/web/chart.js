// The confidence curve: log-odds of confidence over generations, and below it how many classes are at
// 99 % and at 99.99 %. One run shows the range of its classes, several show their medians, and over evaluations,
// since a generation of one search is not one of another.
import { byId } from "./dom.js";
import { formatConfidence, formatCount, logOdds } from "./format.js";

const NS = "http://www.w3.org/2000/svg";
const TICKS = [
  [1e-6, "1e-6"], [1e-5, "1e-5"], [1e-4, "0.01 %"], [1e-3, "0.1 %"], [0.01, "1 %"], [0.1, "10 %"], [0.5, "50 %"],
  [0.9, "90 %"], [0.99, "99 %"], [0.999, "99.9 %"], [0.9999, "99.99 %"], [1 - 1e-5, "1 - 1e-5"],
  [1 - 1e-6, "1 - 1e-6"], [1 - 1e-7, "1 - 1e-7"], [1, "100 %"],
];
const [GENERATION, EVALUATIONS, MIN, MEDIAN, MAX, AT_99, AT_9999] = [0, 1, 2, 3, 4, 5, 6];
const PLOT = { left: 58, right: 10, top: 26, upper: 170, gap: 30, lower: 56, bottom: 24 };

function svg(tag, attributes, text) {
  const made = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// The path of a staircase through the rows that have a value.
function stairs(rows, column, cost, x, y) {
  let path = "";
  for (const row of rows) {
    if (row[column] === null) continue;
    const [px, py] = [x(row[cost]).toFixed(1), y(row[column]).toFixed(1)];
    path += path ? `H${px}V${py}` : `M${px} ${py}`;
  }
  return path;
}

// The area between two staircases.
function area(rows, low, high, cost, x, y) {
  const held = rows.filter((row) => row[low] !== null && row[high] !== null);
  if (!held.length) return "";
  const back = held.map((row, i) => {
    const right = x(held[Math.min(i + 1, held.length - 1)][cost]).toFixed(1);
    return [right, y(row[low]).toFixed(1), x(row[cost]).toFixed(1)];
  });
  const floor = back.reverse().map(([right, py, left]) => `L${right} ${py}L${left} ${py}`);
  return `${stairs(held, high, cost, x, y)}${floor.join("")}Z`;
}

/** Draw the curves of runs, as wide as `width` pixels, with a caption in `curve-text`. */
export function drawCurve(holder, runs, width) {
  const rows = runs.flatMap((run) => run.curve);
  const several = runs.length > 1;
  const cost = several ? EVALUATIONS : GENERATION;
  const lowest = Math.min(0.1, ...rows.flatMap((row) => (row[MIN] === null ? [] : [row[MIN]])));
  const highest = Math.max(0.9, ...rows.flatMap((row) => (row[several ? MEDIAN : MAX] === null ? [] : [row[several ? MEDIAN : MAX]])));
  const [bottom, top] = [logOdds(Math.max(lowest, 1e-6)) - 0.2, logOdds(highest) + 0.2];
  const last = Math.max(1, ...rows.map((row) => row[cost]));
  const classes = Math.max(...runs.map((run) => run.classes));
  const right = width - PLOT.right;
  const base = PLOT.top + PLOT.upper + PLOT.gap + PLOT.lower;
  const x = (spent) => PLOT.left + (spent / last) * (right - PLOT.left);
  const y = (p) => PLOT.top + ((top - logOdds(p)) / (top - bottom)) * PLOT.upper;
  const yCount = (n) => base - (n / classes) * PLOT.lower;

  const chart = svg("svg", { viewBox: `0 0 ${width} ${base + PLOT.bottom}`, role: "img", "aria-label": describe(runs) });
  let free = Infinity; // tick labels are set from the bottom up, where there is room
  for (const [p, name] of TICKS.filter(([p]) => logOdds(p) >= bottom && logOdds(p) <= top)) {
    if (free - y(p) < 15) continue;
    free = y(p);
    chart.append(
      svg("line", { class: "rule", x1: PLOT.left, x2: right, y1: y(p), y2: y(p) }),
      svg("text", { class: "tick", x: PLOT.left - 6, y: y(p) + 3.5, "text-anchor": "end" }, name),
    );
  }
  for (const n of [0, classes]) {
    chart.append(
      svg("line", { class: "rule", x1: PLOT.left, x2: right, y1: yCount(n), y2: yCount(n) }),
      svg("text", { class: "tick", x: PLOT.left - 6, y: yCount(n) + 3.5, "text-anchor": "end" }, formatCount(n)),
    );
  }
  chart.append(svg("text", { class: "tick", x: PLOT.left, y: base + 17 }, several ? "evaluations" : "generation 0"));
  chart.append(svg("text", { class: "tick", x: right, y: base + 17, "text-anchor": "end" }, formatCount(last)));
  chart.append(svg("text", { class: "tick", x: PLOT.left, y: PLOT.top - 12 },
    several ? "median confidence" : "confidence: median and range"));
  chart.append(svg("text", { class: "tick", x: PLOT.left, y: base - PLOT.lower - 9 },
    several ? "classes at 99.99 %" : "classes at 99 % (light) and 99.99 %"));

  runs.forEach((run) => {
    if (!several) {
      chart.append(svg("path", { class: "range", d: area(run.curve, MIN, MAX, cost, x, y) }));
      chart.append(svg("path", { class: "curve faint", d: stairs(run.curve, AT_99, cost, x, yCount) }));
    }
    const colour = `run-${run.number % 6}`;
    chart.append(svg("path", { class: `curve ${colour}`, d: stairs(run.curve, MEDIAN, cost, x, y) }));
    chart.append(svg("path", { class: `curve ${colour}`, d: stairs(run.curve, AT_9999, cost, x, yCount) }));
  });

  const hair = svg("line", { class: "hair", y1: PLOT.top, y2: base, visibility: "hidden" });
  chart.append(hair);
  const caption = byId("curve-text");
  const rest = several ? "Median confidence of each run." : "Median confidence, and the range over all classes.";
  caption.textContent = rest;
  chart.addEventListener("pointermove", (event) => {
    const box = chart.getBoundingClientRect();
    const at = ((event.clientX - box.left) * (width / box.width) - PLOT.left) / (right - PLOT.left);
    const spent = Math.round(Math.min(Math.max(at, 0), 1) * last);
    hair.setAttribute("x1", x(spent));
    hair.setAttribute("x2", x(spent));
    hair.setAttribute("visibility", "visible");
    caption.textContent = runs.map((run) => reading(run, cost, spent)).join(" ");
  });
  chart.addEventListener("pointerleave", () => {
    hair.setAttribute("visibility", "hidden");
    caption.textContent = rest;
  });
  holder.replaceChildren(chart);
}

// What the curve of a run says where so many generations, or evaluations, are done.
function reading(run, cost, spent) {
  const row = run.curve.findLast((candidate) => candidate[cost] <= spent);
  if (!row) return "";
  const [min, median, max] = row.slice(MIN, MAX + 1).map(formatConfidence);
  return cost === EVALUATIONS
    ? `${run.letter}: median ${median} at ${formatCount(spent)} evaluations.`
    : `Generation ${formatCount(spent)}: median ${median}, from ${min} to ${max}; ${formatCount(row[AT_99] ?? 0)} at 99 %, ${formatCount(row[AT_9999] ?? 0)} at 99.99 %.`;
}

function describe(runs) {
  return runs
    .filter((run) => run.curve.length)
    .map((run) => {
      const [first, end] = [run.curve[0], run.curve.at(-1)];
      return `${run.name}: median confidence from ${formatConfidence(first[MEDIAN])} at generation ${first[GENERATION]} to ${formatConfidence(end[MEDIAN])} at generation ${end[GENERATION]}.`;
    })
    .join(" ");
}
