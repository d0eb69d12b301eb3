// The colours of confidences: viridis (Smith & van der Walt 2015), which rises in lightness, so that it is read in grey and
// by people who see fewer colours alike, over the log-odds.
import { logOdds } from "./format.js";

const STOPS = [
  [68, 1, 84], [72, 40, 120], [62, 74, 137], [49, 104, 142], [38, 130, 142], [31, 158, 137], [53, 183, 121], [110, 206, 88],
  [181, 222, 43], [253, 231, 37],
];
const [LOWEST, HIGHEST] = [logOdds(1e-3), logOdds(1 - 1e-6)];
/** The confidences that a legend names, and how. */
export const TICKS_OF_SCALE = [[0.001, "0.1 %"], [0.5, "50 %"], [0.99, "99 %"], [0.9999, "99.99 %"], [1, "100 %"]];

/** Where on the scale a confidence is, 0 to 1. */
export const placeOnScale = (p) => Math.min(1, Math.max(0, (logOdds(p) - LOWEST) / (HIGHEST - LOWEST)));

/** The colour of a place on the scale: red, green, blue, 0 to 255. */
export function colourAt(place) {
  const at = place * (STOPS.length - 1);
  const low = Math.min(STOPS.length - 2, Math.floor(at));
  return STOPS[low].map((part, channel) => Math.round(part + (at - low) * (STOPS[low + 1][channel] - part)));
}

/** The scale from low to high, as a gradient of CSS. */
export const gradient = () => `linear-gradient(90deg, ${STOPS.map((stop) => `rgb(${stop.join(" ")})`).join(", ")})`;
