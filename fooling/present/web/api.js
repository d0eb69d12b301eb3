// Requests to the service that the page came from. The browser sends its cookie; answers are JSON.

/** A request that was refused, or got no answer (status 0). Its message is a line for people. */
export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Ask the service. Resolves to its answer, null where that is empty; rejects with an ApiError. */
export async function request(method, address, body = undefined, headers = {}) {
  const options = { method, headers: { Accept: "application/json", ...headers } };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  let answer;
  try {
    answer = await fetch(address, options);
  } catch {
    throw new ApiError(0, "The server can't be reached. The page comes back by itself when it can.");
  }
  const text = await answer.text();
  let found = null;
  try {
    found = text ? JSON.parse(text) : null;
  } catch {
    throw new ApiError(answer.status, "The server answered something else than JSON; reload the page.");
  }
  if (!answer.ok) throw new ApiError(answer.status, sentence(found?.detail || found?.title || answer.statusText));
  return found;
}

export const get = (address) => request("GET", address);
export const post = (address, body = undefined, headers = {}) => request("POST", address, body, headers);
export const remove = (address) => request("DELETE", address);

/** A message of the server, which begins with a small letter, as a sentence. */
export function sentence(text) {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?!]$/.test(whole) ? whole : `${whole}.`;
}

/** A function that does its work again and again: at most once at a time, and once more where it was called meanwhile. */
export function onceAtATime(work) {
  let running = false;
  let again = false;
  return async function call() {
    if (running) {
      again = true;
      return;
    }
    running = true;
    try {
      do {
        again = false;
        await work();
      } while (again);
    } finally {
      running = false;
    }
  };
}
