// What is said of runs and studies, in the same words on every page.
import { formatConfidence, formatCount } from "./format.js";

const ENDED_STATES = ["completed", "cancelled", "failed"];
const SEARCHES = { "map-elites": "MAP-Elites", "gradient-ascent": "gradient ascent", "single-class": "single class", breed: "bred" };
const ENCODINGS = { cppn: "CPPN", direct: "direct" };

export const hasEnded = (job) => ENDED_STATES.includes(job.state);
export const isActive = (job) => ["starting", "running", "pausing", "cancelling"].includes(job.state);
export const searchName = (search) => SEARCHES[search] ?? search;
export const encodingName = (encoding) => ENCODINGS[encoding] ?? encoding;

/** What a person calls a job: the label that they gave it, or the name of its directory. */
export const titleOf = (job) => job.label || job.name;

/** What may be asked of a job now: the API refuses everything else. */
export function changesOf(job) {
  const ours = job.ours && job.kind === "run";
  const found = [];
  if (ours && ["queued", "starting", "running"].includes(job.state)) found.push("pause");
  if (ours && ["paused", "pausing", "failed"].includes(job.state)) found.push("resume");
  if (job.ours && ["queued", "starting", "running", "pausing", "paused"].includes(job.state)) found.push("cancel");
  if (hasEnded(job) || (!job.ours && job.state === "paused")) found.push("delete");
  return found;
}

/** A duration with two units at most, as fooling/present/facts.py words it: "8.4 s", "3 min 20 s", "2 h 14 min". */
export function formatSeconds(seconds) {
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${formatCount(Math.floor(minutes / 60))} h ${minutes % 60} min`;
}

/** An estimate, no more exact than estimates are: "a few seconds", "about 4 min", "about 3 h", "about 2 days". */
export function formatEstimate(seconds) {
  if (seconds < 10) return "a few seconds";
  if (seconds < 55) return `about ${10 * Math.round(seconds / 10)} s`;
  if (seconds < 3300) return `about ${Math.max(1, Math.round(seconds / 60))} min`;
  if (seconds < 36 * 3600) return `about ${(seconds / 3600).toFixed(seconds < 9.5 * 3600 ? 1 : 0).replace(".0", "")} h`;
  return `about ${formatCount(Math.round(seconds / 86400))} days`;
}

/** How long ago a moment was: "just now", "5 min ago", "yesterday", or the date. */
export function formatAgo(moment, now = Date.now()) {
  const date = new Date(moment);
  const seconds = (now - date) / 1000;
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  if (seconds < 2 * 86400) return "yesterday";
  return date.toLocaleDateString("en", { day: "numeric", month: "short", year: "numeric" });
}

/** How far a run or a study is, from 0 to 1; null where that can't be told. */
export function shareOf(job) {
  const { generation, generations, evaluations, planned, done, total } = job.progress;
  if (job.state === "completed") return 1;
  if (job.kind !== "run") return total > 0 ? done / total : null;
  if (planned) return Math.min(1, evaluations / planned);
  if (generations !== null && generation >= 0) return Math.min(1, (generation + 1) / (generations + 1));
  return job.state === "queued" ? 0 : null;
}

/** How far a run is, in words. */
export function progressOf(job) {
  const { generation, generations, evaluations, done, total, text } = job.progress;
  if (job.kind !== "run") return text || (total ? `step ${formatCount(done)} of ${formatCount(total)}` : "");
  if (generation < 0) return { queued: "waits in the queue", starting: "opens the classifier" }[job.state] ?? "";
  const of = generations && !(job.state === "completed" && generations === generation) ? ` of ${formatCount(generations)}` : "";
  return `generation ${formatCount(generation)}${of}, ${formatCount(evaluations)} images`;
}

/** How sure the classifier is of what a run has found; "" where nothing is known. */
export function resultOf(job) {
  return job.progress.median === null || job.progress.median === undefined ? "" : formatConfidence(job.progress.median);
}
