// The columns of a run's elites as the wall's model has them.

/** A function that gives the elite of a class, by its place in the columns, or null. */
export function readElites(columns, labels) {
  return (run, position, index) => {
    const confidence = columns.confidence[position];
    if (confidence === null) return null;
    const [generation, stream, child] = [columns.found[position], columns.stream[position], columns.child[position]];
    const answer = columns.top1[position];
    const first = answer === null
      ? null
      : { index: answer, label: labels[answer], confidence: columns.top1_confidence[position], own: answer === index };
    return { confidence, generation, stream, child, image: `${generation}-${stream}-${child}`, first };
  };
}

/** The numbers of a run's head; a class without an elite counts as 0, as everywhere. */
export function summarise({ classes, confidence, top1 }) {
  const values = Float64Array.from(confidence, (value) => value ?? 0).sort();
  const count = values.length;
  const middle = count >> 1;
  const unknown = confidence.some((value, place) => value !== null && top1[place] === null);
  return {
    classes: count,
    median: count % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2,
    above: [0.99, 0.9999].map((low) => values.filter((value) => value >= low).length),
    top1: unknown ? null : classes.filter((index, place) => top1[place] === index).length,
  };
}
