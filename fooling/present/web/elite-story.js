// How an elite came about: the confidence of its class over the generations, and the line of its ancestors.
import { get } from "./api.js";
import { byId, element, plain, setText } from "./dom.js";
import { formatConfidence, formatCount, logOdds } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";
const LEVELS = [[1e-4, "0.01 %"], [0.01, "1 %"], [0.1, "10 %"], [0.5, "50 %"], [0.9, "90 %"], [0.99, "99 %"], [0.9999, "99.99 %"], [1 - 1e-6, "1 - 1e-6"], [1, "100 %"]];
const BOX = { widest: 520, height: 230, left: 62, right: 12, top: 12, bottom: 26 };
const MOST_FRAMES = 240; // pictures of ancestors that are shown

function shape(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

/** The confidence of each new elite of the class. */
export function drawHistory({ history, generation, elite }) {
  const text = byId("history-text");
  if (!history.length) {
    setText(text, "The log of this run does not tell when this class got its elites.");
    return;
  }
  const width = Math.min(BOX.widest, byId("history").clientWidth || BOX.widest);
  const values = history.map((gain) => logOdds(gain.confidence));
  const [low, high] = [Math.min(...values) - 0.4, Math.max(...values, logOdds(0.5)) + 0.3];
  const last = Math.max(1, generation, history.at(-1).generation);
  const x = (at) => BOX.left + (at / last) * (width - BOX.left - BOX.right);
  const y = (value) => BOX.top + ((high - value) / (high - low)) * (BOX.height - BOX.top - BOX.bottom);
  const chart = shape("svg", { viewBox: `0 0 ${width} ${BOX.height}`, role: "img",
    "aria-label": `Confidence over ${last} generations: from ${formatConfidence(history[0].confidence)} to ${formatConfidence(elite.confidence)}` });
  let free = Infinity;
  for (const [p, name] of LEVELS.filter(([p]) => logOdds(p) > low && logOdds(p) < high)) {
    const at = y(logOdds(p));
    if (free - at < 15) continue;
    free = at;
    chart.append(shape("line", { class: "rule", x1: BOX.left, x2: width - BOX.right, y1: at, y2: at }),
      shape("text", { class: "tick", x: BOX.left - 8, y: at + 4, "text-anchor": "end" }, name));
  }
  let path = `M${x(history[0].generation)} ${y(values[0])}`;
  history.slice(1).forEach((gain, place) => (path += `H${x(gain.generation)}V${y(values[place + 1])}`));
  chart.append(shape("path", { class: "stairs", d: `${path}H${x(last)}` }));
  history.forEach((gain, place) => {
    const dot = shape("circle", { class: "stair", cx: x(gain.generation), cy: y(values[place]), r: history.length > 80 ? 2 : 3.5 });
    dot.append(shape("title", {}, `generation ${formatCount(gain.generation)}: ${formatConfidence(gain.confidence)}`));
    chart.append(dot);
  });
  chart.append(shape("text", { class: "tick", x: BOX.left, y: BOX.height - 6 }, "generation 0"),
    shape("text", { class: "tick", x: width - BOX.right, y: BOX.height - 6, "text-anchor": "end" }, formatCount(last)));
  byId("history-plot").replaceChildren(chart);
  const count = history.length === 1 ? "one elite" : `${formatCount(history.length)} elites, each surer than the one before`;
  setText(text, `This class has had ${count}. The newest is of generation ${formatCount(history.at(-1).generation)}.`);
}

/** Fetch the ancestors when the reader gets there: most have to be bred once more. */
export function listenOnLine(page, address) {
  const watcher = new IntersectionObserver((seen) => {
    if (!seen.some((each) => each.isIntersecting)) return;
    watcher.disconnect();
    drawLine(page, address);
  }, { rootMargin: "200px" });
  watcher.observe(byId("line"));
}

async function drawLine(page, address) {
  const note = byId("line-note");
  setText(note, "Breeding its ancestors once more …");
  try {
    const film = await get(`${address}/film`);
    const parts = chapters(film, page.elite.class);
    const switches = parts.length - 1;
    const frames = film.frames.length === 1 ? "It is of the first, random generation." : `${formatCount(film.frames.length - 1)} ancestors, the oldest first.`;
    const jumps = switches ? ` ${switches === 1 ? "Once" : `${formatCount(switches)} times`} the elite of one class became the parent of another's: a goal switch.` : "";
    setText(note, frames + jumps + (film.why ? ` Some can't be drawn: ${film.why}.` : ""));
    const dull = film.frames.length > MOST_FRAMES ? Math.ceil(film.frames.length / MOST_FRAMES) : 1;
    byId("line-list").replaceChildren(...parts.map((part) => chapterOf(part, page, dull)));
  } catch (error) {
    setText(note, error.message);
  }
  byId("line").removeAttribute("aria-busy");
}

/** The ancestors in chapters: each while one class's elites were the parents. */
function chapters(film, own) {
  const parts = [];
  for (const frame of film.frames) {
    const part = parts.at(-1);
    const held = frame.held.find((each) => each.class === part?.held?.class);
    if (part && held) {
      part.frames.push({ ...frame, held });
      continue;
    }
    const chosen = frame.held.find((each) => each.class === own) ?? frame.held[0] ?? null;
    parts.push({ held: chosen, frames: [{ ...frame, held: chosen }] });
  }
  return parts;
}

function chapterOf({ held, frames }, page, dull) {
  const shown = frames.filter((_, place) => place % dull === 0 || place === frames.length - 1);
  const pictures = shown.map((frame) => {
    const told = `generation ${formatCount(frame.generation)}${frame.held?.confidence == null ? "" : `, ${formatConfidence(frame.held.confidence)}`}`;
    const picture = frame.image
      ? element("img", { src: frame.image, alt: told, title: told, loading: "lazy", width: 56, height: Math.round((56 * page.size[0]) / page.size[1]) })
      : element("span", { class: "blank", title: `${told}: was not kept`, role: "img", "aria-label": `${told}: was not kept` });
    return element("li", {}, picture, element("span", { class: "small soft" }, formatCount(frame.generation)));
  });
  const mine = held?.class === page.elite.class;
  const name = held ? element("bdi", {}, plain(held.label)) : "no class";
  const head = held && !mine ? element("a", { href: `/runs/${page.run}/elites/${held.class}` }, name) : name;
  const left = frames.length - shown.length;
  return element("li", { class: mine ? "chapter own" : "chapter" }, element("h3", {}, head),
    element("ol", { class: "frames" }, ...pictures), left ? element("p", { class: "small soft" }, `and ${formatCount(left)} between them`) : null);
}
