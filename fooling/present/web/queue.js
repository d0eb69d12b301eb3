// The queue: what is computed now, and what waits, in an order that one may change by dragging or by keys.
import { element, plain, setText } from "./dom.js";
import { encodingName, formatEstimate, progressOf, searchName, shareOf, titleOf } from "./jobs.js";

/**
 * Draw the queue into a list.
 * @param {HTMLElement} list
 * @param {{running: object[], waiting: {job: object, starts_seconds: number | null}[]}} model
 * @param {(id: string, before: string | null) => Promise<void>} move
 */
export function drawQueue(list, model, move) {
  const focused = document.activeElement?.closest?.("#queue li")?.dataset.id;
  const control = document.activeElement?.className;
  const order = model.waiting.map((entry) => entry.job.id);
  const rows = new Map([...list.children].map((row) => [row.dataset.id, row]));
  const readOnly = document.body.dataset.readOnly !== undefined;
  const wanted = [
    ...model.running.map((job) => runningRow(rows.get(job.id), job)),
    ...model.waiting.map((entry, place) => waitingRow(entry, place, order, readOnly ? null : move)),
  ];
  list.replaceChildren(...wanted);
  if (focused) list.querySelector(`li[data-id="${focused}"] .${control || "none"}`)?.focus();
}

const addressOf = (job) => (job.kind === "run" ? `/runs/${job.id}` : `/studies/${job.id}`);
const kindOf = (job) => (job.kind === "run" ? [job.model, encodingName(job.encoding), searchName(job.search)] : [job.kind]);

function title(job) {
  return [element("a", { href: addressOf(job) }, plain(titleOf(job))), element("span", { class: "soft" }, kindOf(job).filter(Boolean).map(plain).join(" · "))];
}

function runningRow(before, job) {
  const row = before?.classList.contains("under-way")
    ? before
    : element("li", { "data-id": job.id, class: "under-way" },
      element("span", { class: "queue-place" }, element("span", { class: "state running" })),
      element("div", { class: "queue-name" }),
      element("div", { class: "queue-progress" }, element("div", { class: "meter" }, element("i")), element("span", { class: "soft" })));
  updateRow(row, job);
  return row;
}

/** Show how far a job of the queue is. */
export function updateRow(row, job) {
  if (!row.classList.contains("under-way")) return;
  const name = row.querySelector(".queue-name");
  if (!name.firstChild) name.append(...title(job));
  const share = shareOf(job);
  row.querySelector("i").style.width = `${100 * (share ?? 0)}%`;
  const left = job.estimate_seconds === null ? "" : `${formatEstimate(job.estimate_seconds)} left`;
  const state = job.state === "running" ? "" : job.state;
  setText(row.querySelector(".queue-progress span"), [state, plain(progressOf(job)), left].filter(Boolean).join(", "));
}

function waitingRow({ job, starts_seconds: starts }, place, order, move) {
  const name = plain(titleOf(job));
  const row = element("li", { "data-id": job.id, draggable: move ? "true" : false },
    element("span", { class: "queue-place" }, String(place + 1)),
    element("div", { class: "queue-name" }, ...title(job)),
    element("div", { class: "queue-times" },
      element("span", {}, job.estimate_seconds === null ? "length not known" : `takes ${formatEstimate(job.estimate_seconds)}`),
      element("span", { class: "soft" }, startsText(starts))));
  if (move) row.append(handles(job.id, name, place, order, move));
  return row;
}

function startsText(seconds) {
  if (seconds === null) return "start not known";
  return seconds < 1 ? "starts now" : `starts in ${formatEstimate(seconds)}`;
}

/** Which job a moved one is going to stand before, `steps` places further on; null: the end; undefined: it can't go there. */
export function neighbour(order, place, steps) {
  const target = place + steps;
  if (target < 0 || target >= order.length) return undefined;
  return steps < 0 ? order[target] : order[target + 1] ?? null;
}

function handles(id, name, place, order, move) {
  const by = (steps) => {
    const before = neighbour(order, place, steps);
    if (before !== undefined) move(id, before);
  };
  const earlier = element("button", { type: "button", class: "earlier quiet", "aria-label": `Move ${name} forward`, title: "Forward (↑)", disabled: place === 0 }, "↑");
  const later = element("button", { type: "button", class: "later quiet", "aria-label": `Move ${name} back`, title: "Back (↓)", disabled: place === order.length - 1 }, "↓");
  earlier.addEventListener("click", () => by(-1));
  later.addEventListener("click", () => by(1));
  const both = element("div", { class: "queue-handles" }, earlier, later);
  both.addEventListener("keydown", (event) => {
    const steps = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!steps) return;
    event.preventDefault();
    event.stopPropagation();
    by(steps);
  });
  return both;
}

/** Let the rows of a list be dragged: the one that is dropped stands before the one under its upper half, or after it. */
export function dragRows(list, move) {
  let dragged = null;
  const clear = () => list.querySelectorAll(".drop-before, .drop-after").forEach((row) => row.classList.remove("drop-before", "drop-after"));
  const under = (event) => {
    const row = event.target.closest("li[draggable]");
    if (!row || !dragged) return null;
    const box = row.getBoundingClientRect();
    return { row, after: event.clientY > box.top + box.height / 2 };
  };
  list.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("li[draggable]");
    if (!dragged) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.id);
    dragged.classList.add("dragged");
  });
  list.addEventListener("dragover", (event) => {
    const found = under(event);
    if (!found) return;
    event.preventDefault();
    clear();
    found.row.classList.add(found.after ? "drop-after" : "drop-before");
  });
  list.addEventListener("drop", (event) => {
    const found = under(event);
    if (!found) return;
    event.preventDefault();
    const before = found.after ? found.row.nextElementSibling : found.row;
    if (found.row !== dragged && before !== dragged) move(dragged.dataset.id, before ? before.dataset.id : null);
  });
  list.addEventListener("dragend", () => {
    dragged?.classList.remove("dragged");
    dragged = null;
    clear();
  });
}
