// How far a job is, in words.
import { formatCount } from "./format.js";
import { formatEstimate, formatSeconds } from "./jobs.js";

/** A run's way so far in one line. */
export function wordsOf(job) {
  const { progress, state } = job;
  const parts = [];
  if (state === "queued") parts.push(job.position ? `number ${formatCount(job.position)} in the queue` : "in the queue");
  if (progress.generation >= 0) {
    const of = progress.generations ? ` of ${formatCount(progress.generations)}` : "";
    parts.push(`generation ${formatCount(progress.generation)}${of}`);
    parts.push(`${formatCount(progress.evaluations)} images in ${formatSeconds(progress.seconds)}`);
    if (state === "running" && progress.seconds > 0) parts.push(`${formatCount(Math.round(progress.evaluations / progress.seconds))} a second`);
  } else if (state === "starting" || state === "running") {
    parts.push("loading the classifier and drawing the first images");
  }
  if (["queued", "starting", "running"].includes(state) && job.estimate_seconds) parts.push(`${formatEstimate(job.estimate_seconds)} to go`);
  return parts.join(" · ");
}
