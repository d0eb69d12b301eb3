// How far a job is, in words.
import { formatCount } from "./format.js";

/** A duration with two units at most, as in fooling/present/facts.py: "8.4 s", "3 min 20 s", "2 h 14 min". */
export function formatSeconds(seconds) {
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${formatCount(Math.floor(minutes / 60))} h ${minutes % 60} min`;
}

// What is left, without a precision that it has not.
function left(seconds) {
  if (seconds < 60) return "less than a minute to go";
  if (seconds < 5400) return `about ${Math.round(seconds / 60)} min to go`;
  return `about ${formatCount(Math.round(seconds / 3600))} h to go`;
}

/** How far a run is, 0 to 1; null where that is not known. */
export function shareOf({ progress }) {
  if (progress.planned) return Math.min(1, progress.evaluations / progress.planned);
  return progress.generations ? Math.min(1, Math.max(0, progress.generation) / progress.generations) : null;
}

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
  if (["queued", "starting", "running"].includes(state) && job.estimate_seconds) parts.push(left(job.estimate_seconds));
  return parts.join(" · ");
}
