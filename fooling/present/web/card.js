// A run as a card: its surest images, what it is, how far it is, and what one may ask of it.
import { element, plain, setText } from "./dom.js";
import { changesOf, encodingName, formatAgo, formatEstimate, formatSeconds, hasEnded, isActive, progressOf, resultOf, searchName, shareOf, titleOf } from "./jobs.js";
import { formatCount } from "./format.js";

const PREVIEW_SECONDS = 4; // between two looks at the images of a run that goes on
const CHANGE_NAMES = { pause: "Pause", resume: "Resume", cancel: "Cancel", delete: "Delete" };

/** An empty card; `act(change, job)` is called with what is asked of its run. */
export function makeCard(job, act) {
  const card = element("li", { class: "run-card", "data-id": job.id });
  card.append(
    element("a", { class: "run-picture", href: `/runs/${job.id}`, tabindex: -1, "aria-hidden": "true" }, element("img", { alt: "", loading: "lazy", decoding: "async" })),
    element("div", { class: "run-head" }, element("h2", {}, element("a", { href: `/runs/${job.id}` })), element("span", { class: "state" })),
    element("p", { class: "run-what" }),
    element("div", { class: "meter", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100 }, element("i")),
    element("p", { class: "run-told" }),
    element("p", { class: "run-reason" }),
    element("div", { class: "run-foot" }, element("p", { class: "run-result" }, element("b"), element("span")), element("div", { class: "run-actions" })));
  card.act = act;
  updateCard(card, job);
  return card;
}

/** Show a run as it is now. What has not changed is not touched, so that the focus stays. */
export function updateCard(card, job) {
  const part = (selector) => card.querySelector(selector);
  card.job = job;
  const name = plain(titleOf(job));
  setText(part("h2 a"), name);
  part("h2 a").title = job.label ? plain(job.name) : "";
  const state = part(".state");
  state.className = `state ${job.state}`;
  setText(state, job.state);
  const what = [job.model, encodingName(job.encoding), searchName(job.search), `seed ${job.seed}`];
  setText(part(".run-what"), what.filter(Boolean).map(plain).join(" · "));
  drawMeter(card, job, name);
  setText(part(".run-told"), toldOf(job));
  setText(part(".run-reason"), job.reason ? plain(job.reason) : "");
  part(".run-reason").hidden = !job.reason;
  const result = resultOf(job);
  part(".run-result").hidden = !result;
  setText(part(".run-result b"), result);
  setText(part(".run-result span"), `median${job.classes ? ` of ${formatCount(job.classes)} classes` : ""}`);
  drawActions(card, job, name);
  drawPicture(card, job);
}

function drawMeter(card, job, name) {
  const meter = card.querySelector(".meter");
  const share = shareOf(job);
  meter.hidden = hasEnded(job) || job.state === "queued" || share === null;
  if (meter.hidden) return;
  const percent = Math.floor(100 * share);
  meter.setAttribute("aria-valuenow", percent);
  meter.setAttribute("aria-label", `Progress of ${name}`);
  meter.firstChild.style.width = `${100 * share}%`;
}

/** One line: how far, and when it began or ends. */
function toldOf(job) {
  const parts = [progressOf(job)];
  if (isActive(job) && job.estimate_seconds !== null) parts.push(`${formatEstimate(job.estimate_seconds)} left`);
  else if (job.state === "queued") parts.push(job.position ? `number ${formatCount(job.position)} in the queue` : "");
  else if (!isActive(job)) parts.push(job.progress.seconds ? formatSeconds(job.progress.seconds) : "", formatAgo(job.ended ?? job.created));
  return parts.filter(Boolean).join(", ");
}

function drawActions(card, job, name) {
  const wanted = document.body.dataset.readOnly === undefined ? changesOf(job) : [];
  const shown = wanted.join(" ");
  const actions = card.querySelector(".run-actions");
  if (actions.dataset.shown === shown) return;
  actions.dataset.shown = shown;
  const focused = actions.contains(document.activeElement);
  const buttons = wanted.map((change) => {
    const button = element("button", { type: "button", class: "quiet", "aria-label": `${CHANGE_NAMES[change]} ${name}` }, CHANGE_NAMES[change]);
    button.addEventListener("click", () => card.act(change, card.job));
    return button;
  });
  const again = element("a", { class: "button quiet", href: `/new?from=${job.id}`, "aria-label": `Run again, beginning with the settings of ${name}` }, "Run again");
  actions.replaceChildren(...buttons, ...(document.body.dataset.readOnly === undefined ? [again] : []));
  if (focused) card.querySelector("h2 a").focus();
}

/** The images of a run that has got further are asked for anew, now and then. */
function drawPicture(card, job) {
  const image = card.querySelector("img");
  const address = `/api/v1/runs/${job.id}/preview.png?generation=${job.progress.generation}`;
  const now = performance.now();
  if (image.getAttribute("src") === address || (isActive(job) && now - (card.pictured ?? -Infinity) < 1000 * PREVIEW_SECONDS)) return;
  card.pictured = now;
  image.src = address;
}
