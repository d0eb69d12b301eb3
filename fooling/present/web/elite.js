// The page of one elite: the image as it was classified and drawn anew, its network, what classifiers say, how it came about.
import { get } from "./api.js";
import { byId, element, isTyping, pageData } from "./dom.js";
import { drawBars, listenOnOthers, sayStored } from "./elite-answers.js";
import { listenOnNetwork } from "./elite-network.js";
import { openStage, stageKeys } from "./elite-stage.js";
import { drawHistory, listenOnLine } from "./elite-story.js";
import { listenOnWalk } from "./elite-walk.js";
import { formatConfidence, formatDistance } from "./format.js";
import { onConnection, onGone, onJob } from "./live.js";
import { say } from "./messages.js";
import { describeKeys } from "./shell.js";

const shownElite = pageData();
const address = `/api/v1/runs/${shownElite.run}/elites/${shownElite.elite.class}`;

byId("sure").textContent = formatConfidence(shownElite.elite.confidence);
byId("distance").textContent = formatDistance(shownElite.elite.confidence);

async function begin() {
  listenOnWalk(shownElite);
  sayStored(shownElite);
  drawHistory(shownElite);
  listenOnLine(shownElite, address);
  listenOnOthers(shownElite, address);
  const stage = await openStage(shownElite, address);
  if (shownElite.genotype) listenOnNetwork(shownElite, address, stage);
  drawBars(shownElite, address);
  addEventListener("keydown", (event) => {
    if (isTyping(event) || document.querySelector("dialog[open]")) return;
    if (stageKeys(event.key, stage, event.target)) event.preventDefault();
  });
  describeKeys([
    ["← →", "the class before, the class after"], ["Esc", "back to the wall"],
    ...(shownElite.genotype ? [["v", "as classified, or drawn anew"], ["+ −", "zoom a drawn image"], ["0", "all of it"],
      ["arrows", "on the image: move it"], ["r", "reset the weights"]] : []),
  ]);
}

/** A run that goes on may have found a better one: say so, and change nothing under the reader. */
async function lookForNewer() {
  try {
    const fresh = await get(`${location.pathname}.json`);
    if (fresh.elite.id === shownElite.elite.id) return;
    const again = element("button", { type: "button" }, "Show it");
    again.addEventListener("click", () => location.replace(location.pathname));
    byId("newer").replaceChildren(
      `This class has a better elite since: ${formatConfidence(shownElite.elite.confidence)} → ${formatConfidence(fresh.elite.confidence)} `, again);
    byId("newer").hidden = false;
  } catch (error) {
    if (error.status === 404) byId("newer").textContent = "This run was deleted. What you see is all that is left of it.";
    if (error.status === 404) byId("newer").hidden = false;
  }
}

if (!shownElite.final) {
  let generation = shownElite.generation;
  onJob((job) => {
    if (job.id !== shownElite.run || job.progress.generation === generation) return;
    generation = job.progress.generation;
    lookForNewer();
  });
  let first = true;
  onConnection((state) => {
    if (state === "open" && !first) lookForNewer();
    first = false;
  });
}
onGone((id) => id === shownElite.run && lookForNewer());
begin().catch((error) => say(error.message, true));
