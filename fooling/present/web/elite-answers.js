// What classifiers say of an elite: bars of the classes that they are surest of.
import { post } from "./api.js";
import { byId, element, plain, setText } from "./dom.js";
import { formatConfidence } from "./format.js";

const PATIENCE = 350; // milliseconds on a page before a classifier is loaded for it: whoever walks on asks nothing
const TRIES = 20; // until a classifier is loaded

/** The bars of some answers; `own` is the number of the class that the image was evolved for. */
function barsOf(top, own) {
  return top.map((each) => {
    const bar = element("span", { class: "bar", "aria-hidden": "true" });
    bar.style.setProperty("--share", each.confidence);
    return element("li", { class: each.class === own ? "own" : null },
      element("span", { class: "bar-label", title: plain(each.label) }, element("bdi", {}, plain(each.label))),
      element("span", { class: "bar-number" }, formatConfidence(each.confidence)), bar);
  });
}

/** Ask, and ask again while the classifier is being loaded. `waiting` is called with a line for people meanwhile. */
async function askPatiently(address, body, waiting) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await post(address, body);
    } catch (error) {
      if (error.status !== 503 || tries === TRIES || !/try again/.test(error.message)) throw error;
      waiting(error.message);
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
}

/** What is known without asking anybody: the first answer, which the run has kept. */
export function sayStored({ elite, model, home, models }) {
  const first = elite.top1;
  byId("bars").replaceChildren(...(first ? barsOf([first], elite.class) : []));
  const why = models.length ? `This server was not started with --model ${model}, so it can't ask it anything else.` : "This server only shows, so it asks no classifier.";
  if (!home) byId("bars").style.minHeight = "0";
  setText(byId("answers-note"), home ? "Asking for its five best answers …" : why);
}

/** Ask the run's classifier for its five best answers. */
export function drawBars({ elite, home }, address) {
  if (!home) return;
  const note = byId("answers-note");
  setTimeout(async () => {
    const slow = setTimeout(() => setText(note, "The classifier is being loaded, which takes some seconds …"), 1500);
    try {
      showAsked(await askPatiently(`${address}/answers`, { id: elite.id }, (line) => setText(note, line)), elite.class);
    } catch (error) {
      setText(note, error.message);
    } finally {
      clearTimeout(slow);
    }
  }, PATIENCE);
}

let shownAt = 0;
/** Show what the run's classifier says, unless something newer is shown; `at` is when it was asked. */
export function showAsked(asked, own, at = 0, note = "") {
  if (at < shownAt) return;
  shownAt = at;
  const top = asked.top.slice();
  if (asked.own && !top.some((each) => each.class === asked.own.class)) top.push(asked.own);
  byId("bars").replaceChildren(...barsOf(top, asked.own?.class ?? own));
  const strange = asked.same ? "" : "This is not the classifier that the run was made with: its weights are others. ";
  setText(byId("answers-note"), top.length ? strange + note : "It has no confidence for this image: its network put out NaN or infinity.");
}

/** A button for each model that may be asked. */
export function listenOnOthers({ elite, models, model }, address) {
  const list = byId("others");
  if (!list) return;
  list.append(...models.filter((spec) => spec !== model).map((spec) => {
    const ask = element("button", { type: "button" }, "Ask");
    const told = element("div", { class: "other-told", role: "status" });
    ask.addEventListener("click", async () => {
      ask.disabled = true;
      const say = (line) => told.replaceChildren(element("p", { class: "soft small" }, line));
      say("Asking …");
      try {
        const asked = await askPatiently(`${address}/answers`, { model: spec, id: elite.id }, say);
        told.replaceChildren(element("p", { class: "small" }, verdictOf(asked, elite)),
          element("ol", { class: "bars" }, ...barsOf(asked.top, asked.own?.class)));
        ask.remove();
      } catch (error) {
        say(error.message);
        ask.disabled = false;
      }
    });
    return element("article", { class: "other" }, element("h3", {}, element("bdi", {}, plain(spec))), ask, told);
  }));
  if (!list.children.length) list.append(element("p", { class: "soft small" }, "This server was started with no other model: fooling serve --model SPEC names more."));
}

function verdictOf(asked, elite) {
  const label = plain(elite.label);
  if (!asked.own) return `It knows no class “${label}”.`;
  const first = asked.top[0]?.class === asked.own.class;
  const sure = formatConfidence(asked.own.confidence);
  return first ? `It answers “${label}” first, and is ${sure} sure.` : `It answers something else first; it is ${sure} sure of “${label}”.`;
}
