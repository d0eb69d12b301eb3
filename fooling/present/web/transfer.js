// A transfer on a disk: `data` has the matrix, `images` a PNG of each elite in base64.
import { byId, pageData } from "./dom.js";
import { drawMatrix } from "./matrix.js";

const kept = JSON.parse(byId("images").textContent);
const drawnPage = drawMatrix(pageData(), {
  source: (number) => `data:image/png;base64,${kept[number]}`,
  link: () => null,
}, {
  read: () => new URLSearchParams(location.hash.slice(1)),
  write: (parts) => location.replace(`#${new URLSearchParams(parts).toString() || "all"}`),
});
addEventListener("hashchange", () => drawnPage.again());
