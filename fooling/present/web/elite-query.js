// The part of an elite's address that keeps the view: weights that were changed, and what part of the plane is shown.

/** What the address says: `weights`, pairs of an edge's place and its weight; `view`, x, y and zoom, or null; `drawn`. */
export function readQuery() {
  const query = new URLSearchParams(location.search);
  const weights = (query.get("w") ?? "").split(",").filter(Boolean).map((pair) => pair.split(":").map(Number))
    .filter(([place, weight]) => Number.isInteger(place) && Number.isFinite(weight));
  const view = (query.get("at") ?? "").split(",").map(Number);
  return { weights, view: view.length === 3 && view.every(Number.isFinite) ? view : null, drawn: query.has("drawn") };
}

let waiting = 0;
const pending = {};

/** Put it into the address, a moment later: browsers take it amiss when that is done at every move of a finger. */
export function writeQuery(changes) {
  Object.assign(pending, changes);
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    const { weights, view, drawn } = { ...readQuery(), ...pending };
    const parts = [
      drawn ? "drawn" : "",
      view && drawn ? `at=${view.map((number) => Number(number.toPrecision(9))).join(",")}` : "",
      weights.length ? `w=${weights.map(([place, weight]) => `${place}:${Number(weight.toPrecision(6))}`).join(",")}` : "",
    ].filter(Boolean);
    history.replaceState(null, "", location.pathname + (parts.length ? `?${parts.join("&")}` : ""));
  }, 200);
}
