// The end of a session: what each image was, and how many were seen rightly.
import { byId, element } from "./dom.js";
import { formatConfidence, formatCount } from "./format.js";

/** @param truths the API's Truths */
export function drawTruth(truths) {
  const asked = truths.yours[truths.mode];
  const naming = truths.mode === "naming";
  byId("score").replaceChildren(
    ...(asked ? [
      figure(asked.elites, naming ? "elites you named as the network does" : "elites of which you chose the network's label"),
      figure(asked.real, naming ? "real images you named rightly" : "real images of which you chose the true label"),
    ] : []).filter(Boolean),
    element("p", {}, chance(asked)));
  byId("truths").replaceChildren(...truths.items.map(card));
}

const figure = (judged, text) =>
  judged.answers ? element("p", {}, element("b", {}, `${judged.right} of ${judged.answers}`), text) : null;

function chance(asked) {
  const answered = asked ? [asked.elites, asked.real].filter((judged) => judged.answers) : [];
  if (!answered.length) return "Nothing was answered.";
  const share = answered[0].chance;
  return share >= 0.1 ? `A guess is right ${Math.round(100 * share)} % of the time.` : `A guess is right one time in ${formatCount(Math.round(1 / share))}.`;
}

function card(item) {
  const picture = item.image
    ? element("img", { src: item.image, alt: item.real ? `A real image of ${item.was.label}` : `The elite of ${item.was.label}`, loading: "lazy" })
    : element("div", { class: "blind-gone" }, "This image is no longer there.");
  const kind = item.real ? "Real" : `Evolved: the network is ${formatConfidence(item.confidence).replace(" ", "\u00a0")} sure of`;
  const said = item.said ? item.said.label : "nothing";
  return element("li", {}, picture,
    element("span", { class: "blind-kind" }, kind),
    element("span", { class: "blind-was", dir: "auto", title: item.was.label }, item.was.label),
    element("span", { class: `blind-verdict ${item.right ? "right" : "wrong"}` },
      item.right ? "✓ you said so too" : element("span", {}, "✗ you said ", element("bdi", {}, said))));
}
