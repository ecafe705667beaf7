// A stretch of messages in order: days apart, one author's lines together.

import { dayKey, dayName, el } from "./dom.js";
import { older } from "./home.js";
import { MessageView } from "./message.js";

const TOGETHER_S = 300;

export class Timeline {
  /** @param {HTMLElement} node  gets the messages
   *  @param {import("./pane.js").Pane} pane
   *  @param {{inThread?: boolean}} options  an inline thread has no days */
  constructor(node, pane, { inThread = false } = {}) {
    this.node = node;
    this.pane = pane;
    this.inThread = inThread;
    this.clear();
  }

  clear() {
    this.order = [];
    this.views = new Map();
    this.dirty = new Map();
    this.node.replaceChildren();
  }

  get first() {
    return this.order[0];
  }

  get last() {
    return this.order.at(-1);
  }

  view(id) {
    return this.views.get(id);
  }

  /** Put in what was loaded; what is there already is brought up to date. */
  add(messages) {
    for (const data of messages) this.put(data);
  }

  /** Show a new message at its place. */
  put(data) {
    const known = this.views.get(data.id);
    if (known) {
      known.update(data);
      return known;
    }
    const view = new MessageView(data, this.pane, this.inThread);
    let at = this.order.length;
    while (at > 0 && older(data.id, this.order[at - 1])) at -= 1;
    const next = this.views.get(this.order[at]);
    this.order.splice(at, 0, data.id);
    this.views.set(data.id, view);
    this.node.insertBefore(view.node, next ? next.divider ?? next.node : null);
    this.settle(at);
    this.settle(at + 1);
    return view;
  }

  /** Put in a stretch that is older than everything here, in one go. */
  addBefore(messages) {
    for (const data of [...messages].reverse()) this.put(data);
  }

  /** Take over a change with the next frame: a stream changes more often than the screen. */
  change(data) {
    if (!this.views.has(data.id)) return false;
    if (this.dirty.size === 0) requestAnimationFrame(() => this.flush());
    this.dirty.set(data.id, data);
    return true;
  }

  flush() {
    const changes = [...this.dirty.values()];
    this.dirty.clear();
    for (const data of changes) this.views.get(data.id)?.update(data);
  }

  remove(id) {
    const view = this.views.get(id);
    if (!view) return;
    const at = this.order.indexOf(id);
    this.order.splice(at, 1);
    this.views.delete(id);
    this.dirty.delete(id);
    view.divider?.remove();
    view.node.remove();
    this.settle(at);
  }

  /** Decide for one place whether a day begins there and whether it joins the line above. */
  settle(at) {
    const view = this.views.get(this.order[at]);
    if (!view) return;
    const above = this.views.get(this.order[at - 1])?.data;
    const { data } = view;
    const newDay = !this.inThread && (!above || dayKey(above.at) !== dayKey(data.at));
    if (newDay && !view.divider) {
      view.divider = el("div", { class: "day", role: "separator", "aria-label": dayName(data.at) }, el("span", {}, dayName(data.at)));
      view.node.before(view.divider);
    } else if (!newDay && view.divider) {
      view.divider.remove();
      view.divider = null;
    }
    const joins = above && !newDay && above.author === data.author && data.at - above.at < TOGETHER_S;
    const alone = data.quote || data.command || data.ephemeral_to || above?.ephemeral_to || above?.replies || data.subtype;
    view.node.classList.toggle("joined", Boolean(joins && !alone));
  }
}
