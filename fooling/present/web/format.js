// How numbers are put into words. `formatConfidence` mirrors fooling/confidence.py: change both.

function scientific(value, decimals) {
  return value.toExponential(decimals).replace("e+", "e");
}

/** A confidence as everywhere else: nothing is rounded up; null is a dash. */
export function formatConfidence(p) {
  if (p === null) return "–";
  if (p === 0 || p === 1) return `${100 * p} %`;
  if (p >= 0.999999) return `1 - ${scientific(1 - p, 0)}`;
  for (const [low, decimals] of [[0.9999, 4], [0.99, 2], [0.001, 1]]) {
    if (p < low) continue;
    const units = Math.floor(p * 10 ** (decimals + 2) + 1e-6);
    return `${(units / 10 ** decimals).toFixed(decimals)} %`;
  }
  return scientific(p, 0);
}

/** The distance from 1 in words; float32 has no number between 1 - 6e-8 and 1. */
export function formatDistance(p) {
  if (p === 1) return "less than 6e-8 (saturated)";
  const distance = 1 - Math.fround(p);
  return distance < 0.001 ? scientific(distance, 2) : distance.toPrecision(3);
}

/** A whole number with commas. */
export const formatCount = (n) => n.toLocaleString("en");

/**
 * log10(p / (1 - p)): the scale on which confidences near 0 and near 1 can both be told apart. A saturated 1 is drawn half
 * a float32 step below 1.
 */
export function logOdds(p) {
  const inside = Math.min(Math.max(p, 1e-7), 1 - 3e-8);
  return Math.log10(inside / (1 - inside));
}
