// From an elite to the next one, in the order in which the wall showed them, and back to the wall.
import { byId, isTyping } from "./dom.js";
import { formatCount } from "./format.js";

const keyOf = (run) => `wall ${run}`;

/** Remember the order of a run's wall, and its address, for the pages of its elites. */
export function rememberWall(run, order) {
  try {
    sessionStorage.setItem(keyOf(run), JSON.stringify({ address: location.pathname + location.search, order }));
  } catch {
    // no room: elites are then in the order of their classes
  }
}

function remembered(run) {
  try {
    return JSON.parse(sessionStorage.getItem(keyOf(run)));
  } catch {
    return null;
  }
}

/** Let the arrow keys and buttons walk through the classes, and Esc lead back. */
export function listenOnWalk({ run, elite, elites }) {
  const wall = remembered(run);
  const place = wall ? wall.order.indexOf(elite.class) : -1;
  if (wall && wall.address.startsWith(`/runs/${run}`)) byId("to-wall").href = wall.address;
  if (place >= 0) {
    lead("before", run, wall.order[place - 1]);
    lead("after", run, wall.order[place + 1]);
    byId("position").textContent = `${formatCount(place + 1)} of ${formatCount(wall.order.length)}`;
  } else {
    byId("position").textContent = `class ${elite.class}, of ${formatCount(elites)} elites`;
  }
  addEventListener("keydown", (event) => {
    if (isTyping(event) || document.querySelector("dialog[open]")) return;
    if (event.target.closest("#stage.movable, #graph-frame")) return event.key === "Escape" && event.target.blur();
    const link = { ArrowLeft: "before", ArrowRight: "after", Escape: "to-wall" }[event.key];
    if (!link || !byId(link).href) return;
    event.preventDefault();
    location.assign(byId(link).href);
  });
}

function lead(id, run, number) {
  const link = byId(id);
  link.removeAttribute("title");
  if (number === undefined) link.removeAttribute("href");
  else link.href = `/runs/${run}/elites/${number}`;
}
