// A grid of cards of one height, of which only those near the window are in the document. It is as long as if all were.
const NEAR = 700; // pixels above and below the window in which cards are made

/** A grid in `holder`, a list that is laid out as a CSS grid with `--above` and `--below` as paddings. `make(place)` makes a
    card. Gives `show(count)`, which draws so many cards anew. */
export function lattice(holder, make) {
  let count = 0;
  let rowHeight = 0;
  let across = 1;
  let inside = [0, 0];
  let asked = false;

  function measureGrid() {
    if (!count) return;
    if (!holder.firstElementChild) holder.append(make(0));
    const style = getComputedStyle(holder);
    across = style.gridTemplateColumns.split(" ").length;
    rowHeight = holder.firstElementChild.getBoundingClientRect().height + parseFloat(style.rowGap);
  }

  function fill(afresh) {
    if (!count) return holder.replaceChildren();
    const rows = Math.ceil(count / across);
    const start = holder.getBoundingClientRect().top;
    const row = (y) => Math.min(rows, Math.max(0, Math.floor((y - start) / rowHeight)));
    const wanted = [row(-NEAR), Math.min(rows, row(innerHeight + NEAR) + 1)];
    if (!afresh && wanted[0] === inside[0] && wanted[1] === inside[1]) return;
    inside = wanted;
    holder.style.setProperty("--above", `${wanted[0] * rowHeight}px`);
    holder.style.setProperty("--below", `${(rows - wanted[1]) * rowHeight}px`);
    const cards = [];
    for (let place = wanted[0] * across; place < Math.min(wanted[1] * across, count); place += 1) {
      const card = make(place);
      card.setAttribute("aria-posinset", place + 1);
      card.setAttribute("aria-setsize", count);
      cards.push(card);
    }
    holder.replaceChildren(...cards);
  }

  addEventListener("scroll", () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      fill(false);
    });
  }, { passive: true });
  addEventListener("resize", () => {
    measureGrid();
    fill(true);
  });
  return function show(number) {
    count = number;
    holder.replaceChildren();
    holder.style.setProperty("--above", "0px");
    holder.style.setProperty("--below", "0px");
    measureGrid();
    fill(true);
  };
}
