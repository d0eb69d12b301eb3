// What happens while a run goes on: which classes got better elites, and what else its log tells.
import { byId, element } from "./dom.js";
import { formatConfidence, formatCount } from "./format.js";
import { custom, entries, model } from "./model.js";

const LISTED = 12; // replacements

/** Draw the newest replacements and the events of a history; `show(entry)` shows a class on the wall. */
export function drawFeed(history, show) {
  const places = new Map(entries.map((entry) => [entry.index, entry]));
  const latest = history.replacements.filter((each) => places.has(each.class)).slice(0, LISTED);
  byId("replaced").replaceChildren(...latest.map((each) => replacement(each, places.get(each.class), show)));
  if (!latest.length) byId("replaced").append(element("li", { class: "soft" }, "Nothing yet."));
  byId("notices").replaceChildren(...history.notices.map(notice));
  if (!history.notices.length) byId("notices").append(element("li", { class: "soft" }, "Nothing but generations."));
}

function replacement(each, entry, show) {
  const elite = entry.elites[0];
  const picture = elite
    ? element("img", { src: custom.image(model.runs[0], entry, elite), alt: "", width: 32, height: 32, loading: "lazy" })
    : element("span", { class: "blank" });
  const button = element("button", { type: "button", class: "quiet" }, picture,
    element("span", { class: "what" }, element("bdi", {}, entry.label)),
    element("span", { class: "number" }, `${formatConfidence(each.confidence)}`),
    element("span", { class: "number" }, `gen. ${formatCount(each.generation)}`));
  button.addEventListener("click", () => show(entry));
  return element("li", {}, button);
}

function notice({ event, generation, text }) {
  const after = generation >= 0 ? `after generation ${formatCount(generation)}` : "before the first generation";
  return element("li", {}, element("strong", {}, event.replaceAll("_", " ")), ` ${after}`, text ? element("p", { class: "soft" }, text) : "");
}
