// The head of a run's page: its state, how far it is, and what may be asked of it.
import { post } from "./api.js";
import { byId, setText } from "./dom.js";
import { changesOf, shareOf } from "./jobs.js";
import { ask, say } from "./messages.js";
import { wordsOf } from "./progress.js";

const EMPTY = {
  queued: ["It waits for its turn", "The wall fills as soon as the run has begun and has its first checkpoint."],
  starting: ["It is starting", "The wall fills as soon as the run has its first checkpoint."],
  running: ["No elite yet", "The wall fills as soon as the run has its first checkpoint."],
  failed: ["It failed before it found anything", "The reason is above. Resume lets it try again."],
  cancelled: ["It was cancelled before it found anything", "A new run may begin from the same settings."],
};
let drawn = null;

/** Draw the head for a job. */
export function drawHead(job) {
  drawn = job;
  byId("state").className = `state ${job.state}`;
  setText(byId("state"), job.state);
  setText(byId("told"), wordsOf(job));
  const share = shareOf(job);
  byId("progress").hidden = share === null || ["completed", "cancelled", "queued"].includes(job.state);
  byId("progress").value = share ?? 0;
  byId("reason").hidden = !job.reason;
  setText(byId("reason"), job.reason);
  const may = document.body.hasAttribute("data-read-only") ? [] : changesOf(job);
  for (const change of ["pause", "resume", "cancel"]) byId(change).hidden = !may.includes(change);
  byId("resume").textContent = job.state === "failed" ? "Try again" : "Resume";
  document.title = `${job.label || job.name} – ${job.state}`;
}

/** Say why there is no wall. */
export function drawNothing(job, damaged = "") {
  const [title, text] = damaged ? ["It can't be read", damaged] : EMPTY[job.state] ?? ["No elite", "This run has none."];
  setText(byId("none-title"), title);
  setText(byId("none-text"), text);
  byId("none").hidden = false;
  byId("found").hidden = true;
}

/** Say that the run was deleted: nothing can be asked of it any more. */
export function drawGone() {
  for (const name of ["pause", "resume", "cancel", "progress"]) byId(name).hidden = true;
  byId("export")?.remove();
  byId("explain")?.remove();
  byId("state").className = "state";
  setText(byId("state"), "deleted");
  setText(byId("told"), "This run was deleted meanwhile. What you see is what this page had fetched before.");
}

/** Let the buttons work. */
export function listenOnHead() {
  const change = async (what) => {
    try {
      drawHead(await post(`/api/v1/runs/${drawn.id}/${what}`));
    } catch (error) {
      say(error.message, true);
    }
  };
  byId("pause").addEventListener("click", () => change("pause"));
  byId("resume").addEventListener("click", () => change("resume"));
  byId("cancel").addEventListener("click", async () => {
    const text = "It ends for good. What it has found stays.";
    if (await ask("Cancel this run?", text, "Cancel the run")) change("cancel");
  });
  byId("explain")?.addEventListener("click", async () => {
    byId("explain").disabled = true;
    try {
      location.assign(`/studies/${(await post("/api/v1/studies", { kind: "explain", run: drawn.id })).id}`);
    } catch (error) {
      say(error.message, true);
      byId("explain").disabled = false;
    }
  });
}
