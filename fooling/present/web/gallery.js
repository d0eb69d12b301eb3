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
import { readElite } from "./rows.js";
import { begin, go, state } from "./state.js";
import { drawWall, listen, moveFocus } from "./wall.js";

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
  image: (run, entry, elite) => `data:image/png;base64,${byId(`image-${elite.image}`).textContent}`,
  href: (run, entry) => `#open=${entry.position}&run=${state.run}&pick=${run.number}`,
  open: (run, entry) => go({ open: entry.position, pick: run.number, zoom: 0 }, true),
});
setModel(given, given.classes, readElite);
begin(render);
listen(render);
listenInDetail();
addEventListener("keydown", onKey);
render();
