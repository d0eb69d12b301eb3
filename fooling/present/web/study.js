// A study: how far it is, and what it found. Its page is drawn by the server; a transfer's map and images are drawn here.
import { post, remove } from "./api.js";
import { byId, pageData, setText } from "./dom.js";
import { onConnection, onGone, onJob } from "./live.js";
import { drawMatrix } from "./matrix.js";
import { ask, say } from "./messages.js";
import { describeKeys } from "./shell.js";

const ENDED_STATES = ["completed", "failed", "cancelled"];
const about = pageData();
const asked = about.job;

if (about.drawn && asked.kind === "transfer") {
  const { drawn } = about;
  const isThere = new Set(about.runs.filter((run) => run.name !== null).map((run) => run.id));
  const addressOfElite = (number) => {
    const image = drawn.images[number];
    return `/runs/${drawn.runs[image.source]}/elites/${image.class}`;
  };
  const map = drawMatrix(drawn, {
    source: (number) => `/api/v1${addressOfElite(number)}.png`,
    link: (number) => (isThere.has(drawn.runs[drawn.images[number].source]) ? addressOfElite(number) : null),
  }, {
    read: () => new URLSearchParams(location.search),
    write: (parts) => {
      const query = new URLSearchParams(parts).toString();
      history.replaceState(null, "", query ? `?${query}` : location.pathname);
    },
  });
  addEventListener("popstate", () => map.again());
  describeKeys([["arrows", "move in the map"], ["Enter", "the images behind a cell"]]);
}

for (const image of document.querySelectorAll(".line-of img")) {
  image.addEventListener("error", () => image.classList.add("gone"), { once: true });
}

// While it is computed.
onJob((job) => {
  if (job.id !== asked.id) return;
  if (ENDED_STATES.includes(job.state)) {
    if (job.state !== asked.state) location.reload();
    return;
  }
  byId("state").className = `state ${job.state}`;
  setText(byId("state"), job.state);
  const { done, total, text } = job.progress;
  if (byId("progress")) {
    byId("progress").max = total || 1;
    byId("progress").value = done;
    setText(byId("told"), job.state === "queued" ? "It waits for its turn."
      : `${done} of ${total || "?"} steps${text ? `; done last: ${text}` : ""}. What it finds appears here.`);
  }
});
onGone((id) => id === asked.id && say("This study was deleted.", true));
let lostBefore = false;
onConnection((state) => {
  if (state === "open" && lostBefore && !ENDED_STATES.includes(asked.state)) location.reload();
  lostBefore = state !== "open";
});

byId("cancel")?.addEventListener("click", async () => {
  try {
    await post(`/api/v1/studies/${asked.id}/cancel`);
    say("It ends before its next step.");
  } catch (error) {
    say(error.message, true);
  }
});
byId("delete")?.addEventListener("click", async () => {
  if (!(await ask("Delete this study?", "What it found is gone then. The runs stay.", "Delete"))) return;
  try {
    await remove(`/api/v1/studies/${asked.id}`);
    location.assign("/studies");
  } catch (error) {
    say(error.message, true);
  }
});
