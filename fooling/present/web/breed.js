// Choosing among CPPN images. The line is in the address: `from` or `seed`, and `steps`; what is being chosen, which is no
// step yet, is in `now`. Breeding is going to another address.
//
// The model of the page is fooling/service/pages/breed.py; fooling/search/line/steps.py says how a step is written.
import { get, post } from "./api.js";
import { byId, element, isTyping, pageData, setText } from "./dom.js";
import { formatConfidence } from "./format.js";
import { say } from "./messages.js";
import { drawTree } from "./bloodline.js";
import { describeKeys } from "./shell.js";

const LARGE = 288; // pixels of a drawing that is larger than what the classifier sees
const TRIES = 40; // questions to a classifier that is still being loaded
const bred = pageData();
const hasSteps = bred.steps ? `&steps=${bred.steps}` : "";
const here = new URLSearchParams(location.search);
const choice = readChoice(here.get("now") ?? "");
let asSeen = here.get("seen") === "1" || !bred.can_grow;
let answered = null;

function readChoice(text) {
  const found = /^([\d.]*)(?:x([\d.]+))?m(\d{1,3})$/.exec(text);
  const numbers = (part) => (part ? part.split(".").map(Number) : []);
  if (!found) return { picked: new Set(), rejected: new Set(), size: bred.mutations };
  return { picked: new Set(numbers(found[1])), rejected: new Set(numbers(found[2])), size: Math.min(100, Number(found[3])) };
}

/** The choice as a step. */
function writeChoice() {
  const joined = (numbers) => [...numbers].sort((a, b) => a - b).join(".");
  const rejected = choice.rejected.size ? `x${joined(choice.rejected)}` : "";
  return `${joined(choice.picked)}${rejected}m${choice.size}`;
}

const imageOf = (child, side) => `/breed/image.png?${bred.query}${hasSteps}&child=${child}${side ? `&size=${side}` : ""}`;
const addressOf = (steps, now = "") => `/breed?${bred.query}${steps ? `&steps=${steps}` : ""}${now ? `&now=${now}` : ""}${asSeen && bred.can_grow ? "&seen=1" : ""}`;

// The children.
const tiles = [...bred.parents.keys()].map((child) => {
  const image = element("img", { alt: "", width: 200, height: Math.round((200 * bred.size[0]) / bred.size[1]) });
  image.addEventListener("error", () => image.closest("li").classList.add("missing"));
  const pick = element("button", { type: "button", class: "child", "data-child": child }, image);
  const reject = element("button", { type: "button", class: "reject", "data-child": child, title: "Reject (x)" }, "✕");
  const said = element("p", { class: "said" }, "\u00a0");
  const more = element("p", { class: "more soft small" }, "\u00a0");
  const meter = element("span", { class: "meter" });
  pick.addEventListener("click", () => toggle("picked", child));
  reject.addEventListener("click", () => toggle("rejected", child));
  const item = element("li", {}, element("div", { class: "frame" }, pick, reject), meter, said, more);
  return { item, image, pick, reject, said, more, meter };
});
byId("children").append(...tiles.map((tile) => tile.item));

function toggle(kind, child) {
  const other = kind === "picked" ? "rejected" : "picked";
  if (!choice[kind].delete(child)) choice[kind].add(child);
  choice[other].delete(child);
  keepChoice();
}

function keepChoice() {
  const empty = !choice.picked.size && !choice.rejected.size && choice.size === bred.mutations;
  history.replaceState(null, "", addressOf(bred.steps, empty ? "" : writeChoice()));
  drawChoice();
}

const nameOfChild = (child) => {
  const top = answered?.children[child].top[0];
  return `Child ${child + 1}${top ? `, called ${top.label}, ${formatConfidence(top.confidence)}` : ""}`;
};

function drawChoice() {
  tiles.forEach((tile, child) => {
    const picked = choice.picked.has(child);
    const rejected = choice.rejected.has(child);
    tile.item.classList.toggle("picked", picked);
    tile.item.classList.toggle("rejected", rejected);
    tile.pick.setAttribute("aria-pressed", String(picked));
    tile.pick.setAttribute("aria-label", `Pick: ${nameOfChild(child)}`);
    tile.reject.setAttribute("aria-pressed", String(rejected));
    tile.reject.setAttribute("aria-label", `Reject: ${nameOfChild(child)}`);
  });
  const told = [];
  if (choice.picked.size) told.push(`${choice.picked.size} picked`);
  if (choice.rejected.size) told.push(`${choice.rejected.size} rejected`);
  setText(byId("chosen-text"), told.join(", ") || "Nothing picked yet");
  setText(byId("go"), choice.picked.size ? "Breed" : bred.parents_steps === null ? "Others" : "More of these");
  const size = choice.size;
  setText(byId("mutations-text"), size < 20 ? "tiny" : size < 45 ? "small" : size <= 55 ? "as in a run" : size <= 80 ? "large" : "huge");
  byId("mutations").value = size;
}

function drawImages() {
  tiles.forEach((tile, child) => {
    tile.image.src = imageOf(child, asSeen ? 0 : LARGE);
    tile.image.classList.toggle("exact", asSeen);
  });
  byId("seen")?.setAttribute("aria-pressed", String(asSeen));
}

// What the classifier makes of them.
function drawAnswers() {
  answered.children.forEach(({ top, own }, child) => {
    const { said, more, meter } = tiles[child];
    if (!top.length) return setText(said, "no confidence: NaN");
    said.replaceChildren(element("b", {}, element("bdi", {}, top[0].label)), ` ${formatConfidence(top[0].confidence)}`);
    meter.style.setProperty("--share", top[0].confidence);
    setText(more, bred.label !== null && own !== null && top[0].label !== bred.label ? `${bred.label} ${formatConfidence(own)}`
      : top[1] ? `then ${top[1].label} ${formatConfidence(top[1].confidence)}` : "\u00a0");
    said.title = top.map((one) => `${one.label} ${formatConfidence(one.confidence)}`).join("\n");
  });
  drawChoice();
}

async function askModel() {
  for (let tried = 0; tried < TRIES; tried += 1) {
    try {
      answered = await get(`/breed/answers.json?${bred.query}${hasSteps}`);
      byId("asking").hidden = true;
      drawAnswers();
      return;
    } catch (error) {
      if (error.status !== 503) {
        setText(byId("asking"), `${bred.model} can't be asked: ${error.message}`);
        return;
      }
      setText(byId("asking"), `${bred.model} is being loaded …`);
      await new Promise((resolve) => setTimeout(resolve, 1500));
    }
  }
  setText(byId("asking"), `${bred.model} gives no answer; reload the page to ask again.`);
}

// Going on, back, elsewhere.
byId("choice").addEventListener("submit", (event) => {
  event.preventDefault();
  if (bred.way.length >= bred.most) return say(`A line has at most ${bred.most} steps. Save it, and begin with one of its elites.`, true);
  location.assign(addressOf(bred.steps ? `${bred.steps}_${writeChoice()}` : writeChoice()));
});
byId("mutations").addEventListener("input", (event) => {
  choice.size = Number(event.target.value);
  keepChoice();
});
byId("seen")?.addEventListener("click", () => {
  asSeen = !asSeen;
  drawImages();
  keepChoice();
});
byId("model").addEventListener("change", (event) => {
  const query = new URLSearchParams(location.search);
  query.set("model", event.target.value);
  location.assign(`/breed?${query.toString().replaceAll("%2F", "/").replaceAll("%3A", ":")}`);
});
byId("save")?.addEventListener("click", async () => {
  byId("save").disabled = true;
  try {
    const job = await post("/api/v1/runs", bred.save);
    location.assign(`/runs/${job.id}`);
  } catch (error) {
    byId("save").disabled = false;
    say(error.message, true);
  }
});

// Keys.
function moveAmong(key) {
  const from = Number(document.activeElement?.dataset.child ?? -1);
  const columns = getComputedStyle(byId("children")).gridTemplateColumns.split(" ").length;
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key];
  const to = from < 0 ? 0 : from + step;
  tiles[to]?.pick.focus();
}
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select, dialog *")) return;
  const child = document.activeElement?.dataset.child;
  const inSlider = event.target === byId("mutations");
  if (event.key.startsWith("Arrow") && !inSlider) moveAmong(event.key);
  else if (isTyping(event) && !inSlider) return;
  else if (event.key === "x" && child !== undefined) toggle("rejected", Number(child));
  else if (event.key === "b") byId("choice").requestSubmit();
  else if (event.key === "Backspace" && byId("back")) byId("back").click();
  else if (event.key === "[" || event.key === "]") {
    choice.size = Math.min(100, Math.max(0, choice.size + (event.key === "[" ? -5 : 5)));
    keepChoice();
  } else return;
  event.preventDefault();
});
describeKeys([["arrows", "move among the children"], ["Enter", "pick, or unpick"], ["x", "reject"], ["[ ]", "smaller, larger mutations"], ["b", "breed"], ["Backspace", "go back"]]);

drawImages();
drawChoice();
drawTree(byId("tree"), bred, addressOf);
askModel();
