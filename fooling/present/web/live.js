// What changes in the folder, as it happens: one event stream for all tabs of a browser, which opens six connections to a
// server at most. The tab that holds a Web Lock, the leader, has the stream and passes on what it hears by a
// BroadcastChannel. When it is closed another tab gets the lock. Where there are no Web Locks, which browsers have on
// https and on this machine alone, each tab that can be seen has a stream of its own.
const STREAM = "/api/v1/events";
const LONGEST_WAIT = 15; // seconds between two attempts to connect
const listeners = { job: [], gone: [], queue: [], connection: [] };
const channel = new BroadcastChannel("fooling-live");
let connection = "connecting";
let source = null;
let attempts = 0;
let leads = false;

/** Call back with each job that has changed: the API's Job. */
export const onJob = (callback) => listeners.job.push(callback);

/** Call back with the id of each job that was deleted. */
export const onGone = (callback) => listeners.gone.push(callback);

/** Call back with the ids of the jobs that wait, in their order, whenever that changes. */
export const onQueue = (callback) => listeners.queue.push(callback);

/** Call back with "open", "lost" or "login" (this browser is no longer logged in), now and whenever that changes. At each
    "open" something may have been missed: fetch everything anew. */
export function onConnection(callback) {
  listeners.connection.push(callback);
  if (connection !== "connecting") callback(connection);
}

function tell(kind, data) {
  if (kind === "connection") {
    if (data === connection && data !== "open") return;
    connection = data;
  }
  for (const callback of listeners[kind]) callback(data);
}

/** To this tab and to all others. */
function relay(kind, data) {
  channel.postMessage({ kind, data });
  tell(kind, data);
}

channel.addEventListener("message", (event) => {
  const { kind, data } = event.data;
  if (kind === "who") {
    if (leads) channel.postMessage({ kind: "connection", data: connection });
  } else if (Object.hasOwn(listeners, kind) && !source) {
    tell(kind, data);
  }
});

function connect() {
  source?.close();
  source = new EventSource(STREAM);
  source.addEventListener("hello", () => {
    attempts = 0;
    relay("connection", "open");
  });
  source.addEventListener("again", () => relay("connection", "open"));
  for (const kind of ["job", "gone", "queue"]) {
    source.addEventListener(kind, (event) => {
      const data = JSON.parse(event.data);
      relay(kind, kind === "gone" ? data.id : kind === "queue" ? data.ids : data);
    });
  }
  source.addEventListener("error", () => lose());
}

/** Close the stream, find out why it ended, and try again after a while. A browser by itself gives up at a refusal. */
async function lose() {
  source?.close();
  let reason = "lost";
  try {
    const answer = await fetch("/api/v1/runs?limit=1", { cache: "no-store" });
    if (answer.status === 401) reason = "login";
  } catch {
    // not there
  }
  relay("connection", reason);
  attempts += 1;
  const seconds = Math.min(LONGEST_WAIT, 2 ** (attempts - 1)) * (0.7 + 0.3 * Math.random());
  setTimeout(() => source && connect(), 1000 * seconds);
}

function disconnect() {
  source?.close();
  source = null;
}

if (navigator.locks) {
  channel.postMessage({ kind: "who" });
  navigator.locks.request("fooling-live", () => {
    leads = true;
    connect();
    return new Promise(() => {}); // until this tab is closed
  });
} else {
  const follow = () => (document.hidden ? disconnect() : source || connect());
  document.addEventListener("visibilitychange", follow);
  follow();
}
