// The heat map of a transfer and the images behind its cells, on a disk and in the service.
//
// The data are those of fooling/present/transfer/matrix.py; an answer is [target, rank, confidence, top1, its confidence].
import { byId, element } from "./dom.js";
import { formatConfidence, formatCount } from "./format.js";
import { lattice } from "./lattice.js";

const wishNames = [["", "get any answer"], ["yes", "fool it"], ["no", "don't fool it"]];
const inPercent = (share) => `${Math.round(share * 100)} %`;

/** Draw the map and the wall. `images.source(number)` and `images.link(number)` give the address of an image and of its page
    (or null), `address.read()` the parts of the address as URLSearchParams, `address.write(parts)` keeps them. */
export function drawMatrix(data, images, address) {
  const shown = { source: "", wishes: data.targets.map(() => ""), by: null };
  const isHome = data.targets.map(() => data.sources.map(() => false));
  const cellOf = new Map(data.cells.map((cell) => [`${cell.source}-${cell.target}`, cell]));
  for (const cell of data.cells) isHome[cell.target][cell.source] = cell.home;
  let order = [];

  function readAddress() {
    const parts = address.read();
    const isNumber = (text, below) => /^\d+$/.test(text ?? "") && Number(text) < below;
    shown.source = isNumber(parts.get("source"), data.sources.length) ? parts.get("source") : "";
    shown.by = isNumber(parts.get("by"), data.targets.length) ? Number(parts.get("by")) : null;
    const named = (name) => (parts.get(name) ?? "").split(".").filter((text) => isNumber(text, data.targets.length)).map(Number);
    shown.wishes.fill("");
    for (const target of named("not")) shown.wishes[target] = "no";
    for (const target of named("fool")) shown.wishes[target] = "yes";
  }

  function writeAddress() {
    const wished = (wish) => shown.wishes.flatMap((each, target) => (each === wish ? [target] : [])).join(".");
    const parts = { source: shown.source, by: shown.by ?? "", fool: wished("yes"), not: wished("no") };
    address.write(Object.entries(parts).filter(([, value]) => value !== "").map(([name, value]) => [name, String(value)]));
  }

  // The images that fit, those first of which the chosen target is surest.
  function choose() {
    order = data.images.flatMap((image, number) => {
      if (shown.source !== "" && image.source !== Number(shown.source)) return [];
      const fits = image.answers.every(([target, rank]) => !shown.wishes[target] || (rank === 0) === (shown.wishes[target] === "yes"));
      return fits ? [number] : [];
    });
    if (shown.by === null) return;
    const sure = (number) => data.images[number].answers.find(([target]) => target === shown.by)?.[2] ?? -1;
    const keys = new Map(order.map((number) => [number, sure(number)]));
    order.sort((a, b) => keys.get(b) - keys.get(a) || a - b);
  }

  function card(place) {
    const number = order[place];
    const image = data.images[number];
    const lines = image.answers.map(([target, rank, confidence, top1, sure]) => {
      const name = data.short[target];
      const home = isHome[target][image.source];
      const fooled = rank === 0 && !home;
      const text = rank === 0 ? (home ? "first answer at home" : `fooled, ${formatConfidence(confidence)}`)
        : `${top1}, ${formatConfidence(sure)}${confidence === null ? " (no such class)" : ""}`;
      const classes = [fooled ? "fooled" : "", target === shown.by ? "by" : ""].filter(Boolean).join(" ");
      return element("li", { class: classes, title: `${data.targets[target]}: ${text}` }, element("span", { class: "target" }, name), element("bdi", {}, text));
    });
    const picture = element("img", { src: images.source(number), alt: `Class ${image.class}, ${image.label}`, width: 112, height: 112, decoding: "async" });
    const run = data.sources.length > 1 ? `${data.sources[image.source]}, ` : "";
    const link = images.link(number);
    return element("li", { class: "answer-card" },
      link ? element("a", { href: link }, picture) : element("span", {}, picture),
      element("div", {}, element("p", { class: "card-label", title: image.label }, element("bdi", {}, image.label)),
        element("p", { class: "card-home soft small", title: `${run}class ${image.class}` }, `${formatConfidence(image.confidence)} at home, ${run}class ${image.class}`),
        element("ul", {}, ...lines)));
  }

  const fillWall = lattice(byId("answers"), card);

  function render() {
    choose();
    byId("source").value = shown.source;
    shown.wishes.forEach((wish, target) => (byId(`wish-${target}`).value = wish));
    byId("shown-count").textContent = `${formatCount(order.length)} of ${formatCount(data.images.length)} images`;
    byId("everything").hidden = shown.source === "" && shown.by === null && shown.wishes.every((wish) => !wish);
    for (const td of document.querySelectorAll("#matrix [data-cell]")) {
      const chosen = td.dataset.cell === `${shown.source}-${shown.by}`;
      td.setAttribute("aria-selected", String(chosen));
    }
    fillWall(order.length);
  }

  function change(changes) {
    Object.assign(shown, changes);
    writeAddress();
    render();
  }

  // The controls.
  const wanted = byId("source");
  if (data.sources.length !== 1) wanted.append(element("option", { value: "" }, "all runs"));
  data.sources.forEach((name, number) => wanted.append(element("option", { value: data.sources.length === 1 ? "" : number }, name)));
  data.targets.forEach((target, number) => {
    const select = element("select", { id: `wish-${number}` }, ...wishNames.map(([value, text]) => element("option", { value }, text)));
    select.addEventListener("change", () => change({ wishes: shown.wishes.map((wish, other) => (other === number ? select.value : wish)) }));
    byId("who").append(element("label", { title: target }, `${data.short[number]} `, select));
  });
  wanted.addEventListener("change", () => change({ source: wanted.value, by: null }));
  byId("everything").addEventListener("click", () => change({ source: "", by: null, wishes: data.targets.map(() => "") }));
  byId("choose").addEventListener("submit", (event) => event.preventDefault());

  // The map.
  const cells = [...document.querySelectorAll("#matrix [data-cell]")];
  function tellCell(td) {
    const cell = cellOf.get(td.dataset.cell);
    const [from, to] = [data.sources[cell.source], data.targets[cell.target]];
    const beside = cell.without ? ` ${formatCount(cell.without)} more are of classes that it does not have.` : "";
    byId("cell-text").textContent = cell.share === null
      ? `${to} has none of the classes of ${from}.`
      : `${to} gives ${inPercent(cell.share)} (${inPercent(cell.interval[0])} to ${inPercent(cell.interval[1])}) of ${formatCount(cell.images)} images of ${from} their class as first answer, ${inPercent(cell.top5)} among the first five; median confidence ${formatConfidence(cell.median)}.${beside}`;
  }
  function openCell(td) {
    const cell = cellOf.get(td.dataset.cell);
    const again = shown.source === String(cell.source) && shown.by === cell.target;
    change(again ? { source: "", by: null } : { source: data.sources.length === 1 ? "" : String(cell.source), by: cell.target });
    if (!again) byId("choose").scrollIntoView({ block: "nearest", behavior: "smooth" });
  }
  cells.forEach((td, place) => {
    const { share } = cellOf.get(td.dataset.cell);
    if (share !== null) {
      td.style.setProperty("--share", share);
      td.classList.toggle("half", share > 0.525); // the style says where each shade is dark enough for which text
      td.classList.toggle("most", share > 0.725);
    }
    td.tabIndex = place ? -1 : 0;
    td.addEventListener("focus", () => {
      for (const other of cells) other.tabIndex = other === td ? 0 : -1;
      tellCell(td);
    });
    td.addEventListener("pointerenter", () => tellCell(td));
    td.addEventListener("click", () => openCell(td));
    td.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -data.targets.length, ArrowDown: data.targets.length }[event.key];
      if (event.key === "Enter" || event.key === " ") openCell(td);
      else if (event.key === "Home") cells[place - (place % data.targets.length)].focus();
      else if (event.key === "End") cells[place - (place % data.targets.length) + data.targets.length - 1].focus();
      else if (step && cells[place + step]) cells[place + step].focus();
      else return;
      event.preventDefault();
    });
  });
  readAddress();
  render();
  return { again: () => { readAddress(); render(); } };
}
