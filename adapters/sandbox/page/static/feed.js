// The one WebSocket: a snapshot first, then every event, and answers in between.

const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 8000;
const ANSWER_MS = 10000;

export class Feed {
  /** @param {(event: object) => void} hear  gets the snapshot and every event
   *  @param {(state: "live"|"lost") => void} changed  told when the line comes and goes */
  constructor(hear, changed) {
    this.hear = hear;
    this.changed = changed;
    this.asked = new Map();
    this.number = 0;
    this.wait = FIRST_WAIT_MS;
    this.connect();
  }

  connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.socket = new WebSocket(`${scheme}://${location.host}/page/feed`);
    this.socket.addEventListener("message", (event) => this.receive(JSON.parse(event.data)));
    this.socket.addEventListener("close", () => this.lost());
  }

  receive(event) {
    if (event.kind === "answer") {
      const waiting = this.asked.get(event.id);
      this.asked.delete(event.id);
      if (event.error) waiting?.fail(new Error(event.detail));
      else waiting?.done(event);
      return;
    }
    if (event.kind === "snapshot") {
      this.wait = FIRST_WAIT_MS;
      this.changed("live");
    }
    this.hear(event);
  }

  lost() {
    for (const { fail } of this.asked.values()) fail(new Error("The connection was lost."));
    this.asked.clear();
    this.changed("lost");
    setTimeout(() => this.connect(), this.wait);
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
  }

  /** Ask on the socket, so that the answer comes in order with the events. */
  ask(what, fields) {
    const id = ++this.number;
    return new Promise((done, fail) => {
      if (this.socket.readyState !== WebSocket.OPEN) return fail(new Error("Not connected."));
      const timer = setTimeout(() => {
        this.asked.delete(id);
        fail(new Error("No answer came in time."));
      }, ANSWER_MS);
      const settle = (act) => (value) => {
        clearTimeout(timer);
        act(value);
      };
      this.asked.set(id, { done: settle(done), fail: settle(fail) });
      this.socket.send(JSON.stringify({ ...fields, ask: what, id }));
    });
  }
}

/** Do something; throws with a sentence for the person where it was declined. */
export async function act(deed, fields) {
  let response;
  try {
    response = await fetch(`/page/do/${deed}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(fields),
      signal: AbortSignal.timeout(15000),
    });
  } catch {
    throw new Error("The sandbox does not answer. Is it still running?");
  }
  const said = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(said.detail ?? `The sandbox answered ${response.status}.`);
  return said;
}
