// The list of studies, and the form that asks for a transfer: runs, and the classifiers that are shown their elites.
import { post } from "./api.js";
import { byId, element, pageData, setText } from "./dom.js";
import { onJob } from "./live.js";
import { findRuns } from "./picker.js";

const listedPage = pageData();
const sourceRuns = new Map(listedPage.chosen.map((job) => [job.id, job]));

function drawSources() {
  byId("chosen").hidden = !sourceRuns.size;
  byId("chosen").replaceChildren(...[...sourceRuns.values()].map((job) => {
    const name = job.label || job.name;
    const leave = element("button", { type: "button", class: "quiet", "aria-label": `Leave out ${name}` }, "✕");
    leave.addEventListener("click", () => {
      sourceRuns.delete(job.id);
      keepSources();
    });
    return element("li", { class: "chip" }, element("a", { href: `/runs/${job.id}` }, element("bdi", {}, name)),
      element("span", { class: `state ${job.state}` }, job.state), leave);
  }));
}

function keepSources() {
  const ids = [...sourceRuns.keys()].join(",");
  history.replaceState(null, "", ids ? `/studies?runs=${ids}` : "/studies");
  drawSources();
}

if (byId("transfer")) {
  drawSources();
  findRuns(byId("find"), byId("candidates"), (id) => sourceRuns.has(id), (job) => {
    sourceRuns.set(job.id, job);
    keepSources();
  });
  byId("transfer").addEventListener("submit", async (event) => {
    event.preventDefault();
    const to = [...document.querySelectorAll("input[name=to]:checked")].map((box) => box.value);
    const least = Number(byId("least").value) / 100;
    const missing = !sourceRuns.size ? "Choose a run whose images are shown." : !to.length ? "Choose a classifier that they are shown to." : "";
    setText(byId("wrong"), missing);
    if (missing) return;
    byId("ask").disabled = true;
    try {
      const job = await post("/api/v1/studies", { kind: "transfer", runs: [...sourceRuns.keys()], to, min_confidence: least, rerender: byId("rerender").checked });
      location.assign(`/studies/${job.id}`);
    } catch (error) {
      setText(byId("wrong"), error.message);
      byId("ask").disabled = false;
    }
  });
}

onJob((job) => {
  const state = document.querySelector(`[data-id="${job.id}"] .state`);
  if (!state) return;
  state.className = `state ${job.state}`;
  setText(state, job.state);
});
