// The gallery on a disk: one file with the elites of one run or several, and nothing else to ask.
//
// The element `data` has bands [{name, low}], vacant, groups [name], classes [{index, label, groups}], and runs, each with
// its facts [[name, text]], curve (rows: see chart.js), answers ([class, label] of what the classifier answers first to
// some elite), top1 (how many elites that is their own class of, or null) and, for each class, null or
// [confidence, generation, stream, child, number of the image, place in answers or null, confidence of that answer].
import { drawDetail, listenInDetail, pressInDetail } from "./detail.js";
import { byId, isTyping, pageData } from "./dom.js";
import { custom, setModel } from "./model.js";
import { drawPanel } from "./panel.js";
import { begin, go, state } from "./state.js";
import { drawWall, forgetCards, listen, moveFocus } from "./wall.js";

// The images follow this script in the file, the surest elites' first, so that the wall is there before hundreds of megabytes
// of them are read. A block is whole when something follows it.
function source(number) {
  const block = byId(`image-${number}`);
  const whole = block !== null && (block.nextElementSibling !== null || document.readyState !== "loading");
  return whole ? `data:image/png;base64,${block.textContent}` : null;
}

function fill() {
  for (const picture of document.querySelectorAll("img[data-late]")) {
    const found = source(picture.dataset.late);
    if (found === null) continue;
    picture.src = found;
    picture.removeAttribute("data-late");
  }
}

function fillAsTheyCome() {
  let waiting = false;
  const arrivals = new MutationObserver(() => {
    if (!waiting) requestAnimationFrame(() => {
      waiting = false;
      fill();
    });
    waiting = true;
  });
  arrivals.observe(document.body, { childList: true });
  document.addEventListener("DOMContentLoaded", () => {
    arrivals.disconnect();
    forgetCards();
    render();
    fill();
  });
}

function readElite(run, position, index) {
  const row = run.elites[position];
  if (row === null) return null;
  const [confidence, generation, stream, child, image, place, sure] = row;
  const [answer, label] = place === null ? [] : run.answers[place];
  const first = place === null ? null : { index: answer, label, confidence: sure, own: answer === index };
  return { confidence, generation, stream, child, image, first };
}

function render() {
  drawPanel();
  drawWall();
  drawDetail();
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  let used = pressInDetail(event.key);
  if (used === null && !isTyping(event)) {
    if (event.key === "/") byId("query").focus();
    used = event.key === "/" || (event.key.startsWith("Arrow") && moveFocus(event.key));
  }
  if (used) event.preventDefault();
}

const given = pageData();
Object.assign(custom, {
  image: (run, entry, elite) => source(elite.image),
  href: (run, entry) => `#open=${entry.position}&run=${state.run}&pick=${run.number}`,
  open: (run, entry) => go({ open: entry.position, pick: run.number, zoom: 0 }, true),
});
setModel(given, given.classes, readElite);
begin(render);
listen(render);
listenInDetail();
addEventListener("keydown", onKey);
render();
fillAsTheyCome();
