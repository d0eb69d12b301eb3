// People are asked what they see. Answers and truth are with the server; this page knows the image whose turn it is.
import { get, post } from "./api.js";
import { choices } from "./choices.js";
import { byId, pageData, setText } from "./dom.js";
import { say } from "./messages.js";
import { describeKeys } from "./shell.js";
import { drawTruth } from "./truth.js";

const run = pageData();
const API = `/api/v1/runs/${run.id}/blind`;
const KEPT = `fooling-blind-${run.id}`; // the session that this browser left
let current = null; // the API's Session
let busy = false;

const offer = choices(run.labels, answer);
describeKeys(offer.keys);

function show(part) {
  for (const id of ["start", "asking", "truth"]) byId(id).hidden = id !== part;
}

const address = (session) => (session ? `?session=${session}` : location.pathname);

/** The session that the address names, or the start. */
async function open() {
  const session = new URLSearchParams(location.search).get("session");
  const kept = remembered();
  if (!session) {
    offer.close();
    show("start");
    const link = byId("continue");
    if (link && kept) {
      link.hidden = false;
      link.href = address(kept);
    }
    return;
  }
  try {
    await draw(await get(`${API}/${encodeURIComponent(session)}`));
  } catch (error) {
    if (error.status === 404) {
      remember(null);
      history.replaceState(null, "", address(null));
      show("start");
    }
    say(error.status === 404 ? "There is no such session any more." : error.message, true);
  }
}

async function draw(session) {
  current = session;
  if (!session.question) {
    offer.close();
    remember(null);
    drawTruth(await get(`${API}/${session.session}/truth`), run);
    show("truth");
    byId("truth-title").focus();
    return;
  }
  remember(session.session);
  show("asking");
  setText(byId("progress-text"), `Image ${session.answered + 1} of ${session.total}`);
  byId("progress").max = session.total;
  byId("progress").value = session.answered;
  const image = byId("shown");
  image.src = session.question.image;
  image.alt = `Image ${session.answered + 1}, which is not described`;
  if (session.following) new Image().src = session.following; // so that all are there at once
  offer.open(session.question.offered);
}

/** Give an answer: a class, or null for nothing. */
async function answer(given) {
  if (busy || !current?.question) return;
  busy = true;
  try {
    await draw(await post(`${API}/${current.session}/answers`, { image: current.question.number, answer: given }));
  } catch (error) {
    say(error.message, true);
    if (error.status === 409) await open();
  } finally {
    busy = false;
  }
}

byId("begin")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (busy) return;
  busy = true;
  const given = new FormData(event.target);
  try {
    const body = { mode: given.get("mode"), images: Number(given.get("images")), person: given.get("person").trim() };
    const session = await post(API, body);
    history.pushState(null, "", address(session.session));
    await draw(session);
  } catch (error) {
    say(error.message, true);
  } finally {
    busy = false;
  }
});

/** A browser may refuse to keep anything. */
function remember(session) {
  try {
    if (session) localStorage.setItem(KEPT, session);
    else localStorage.removeItem(KEPT);
  } catch {
    // the address still has it
  }
}

function remembered() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

addEventListener("popstate", open);
open();
