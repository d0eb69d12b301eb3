// Elites as rows of fooling/present/wall.py.

/** The elite of a class in a run, by the place of the class in the run's rows; null where there is none. */
export function readElite(run, position, index) {
  const row = run.elites[position];
  if (row === null) return null;
  const [confidence, generation, stream, child, image, place, sure] = row;
  const [answer, label] = place === null ? [] : run.answers[place];
  const first = place === null ? null : { index: answer, label, confidence: sure, own: answer === index };
  return { confidence, generation, stream, child, image, first };
}
