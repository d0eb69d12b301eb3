// What a wall shows: runs, the classes that their searches are for, and the elite of each class in each run.

/**
 * @typedef {{index: number, label: string, confidence: number, own: boolean}} First  the classifier's first answer to an
 *   elite; `own`: it is the class that the image is the elite of
 * @typedef {{confidence: number, generation: number, stream: number, child: number, image: number|string, first: First|null}}
 *   Elite  `image` is the same for the same image; `first` is null where it is not known
 * @typedef {{position: number, index: number, label: string, number: string, search: string, groups: number[],
 *   elites: (Elite|null)[]}} Entry  a class, with the elite of each run
 */

// bands [{name, low}], vacant, groups [name], and runs: name, letter, number, status, facts [[name, text]], width, height,
// classes, median, above, top1, curve (rows: see chart.js).
export let model = null;
/** @type {Entry[]} */
export let entries = [];
// What a page does in its own way: where an image is, where an elite opens, and how.
export const custom = {
  image: (run, entry, elite) => "",
  href: (run, entry) => "",
  open: null, // (run, entry) => what a click does; null: it follows the link
  film: null, // (entry) => shows the ancestors of its elite; null: there are none here
};

/** Show these runs. `eliteAt(run, position, index)` gives the elite of a class, by its place in `classes`, or null. */
export function setModel(given, classes, eliteAt) {
  model = given;
  model.runs.forEach((run, number) => Object.assign(run, { number, letter: letterOf(number) }));
  entries = classes.map((each, position) => ({
    ...each,
    position,
    number: String(each.index),
    search: each.label.toLowerCase(),
    elites: model.runs.map((run) => eliteAt(run, position, each.index)),
  }));
}

/** Give the classes their elites of now, in place, and the entries that have got others. */
export function changeElites(eliteAt) {
  return entries.filter((entry) => {
    const now = model.runs.map((run) => eliteAt(run, entry.position, entry.index));
    const same = now.every((elite, number) => isSame(elite, entry.elites[number]));
    if (!same) entry.elites = now;
    return !same;
  });
}

const isSame = (a, b) => (a && b ? a.image === b.image && a.confidence === b.confidence : a === b);

// A, B ... Z, AA, AB ...
function letterOf(number) {
  const last = String.fromCharCode(65 + (number % 26));
  return number < 26 ? last : letterOf(Math.floor(number / 26) - 1) + last;
}

/** The place of an elite's band in the model's list; after the last where there is no elite. */
export const bandOf = (elite) =>
  elite ? model.bands.findIndex((band) => elite.confidence >= band.low) : model.bands.length;

/** What the classifier answers first: 0, the class itself; 1, another one; 2, not known. */
export const answerOf = (elite) => (elite.first === null ? 2 : elite.first.own ? 0 : 1);

export const FOUND_NAMES = ["0", "1 to 9", "10 to 99", "100 to 999", "1,000 to 9,999", "10,000 and later"];

/** When an elite was found, as a place in FOUND_NAMES. */
export const foundIn = ({ generation }) => (generation === 0 ? 0 : Math.min(5, 1 + Math.floor(Math.log10(generation) + 1e-9)));
