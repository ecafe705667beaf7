// A Slack thread below its root: folded into one line, or open with its replies and a box to answer.

import { Composer } from "./composer.js";
import { act } from "./feed.js";
import { avatar, clock, dayName, el, icon } from "./dom.js";
import { Timeline } from "./timeline.js";

const SHOWN = 60;

export class ThreadView {
  /** @param {import("./message.js").MessageView} root
   *  @param {import("./pane.js").Pane} pane */
  constructor(root, pane) {
    this.root = root;
    this.pane = pane;
    this.status = "";
    this.line = el("button", { class: "thread-line", type: "button", on: { click: () => this.toggle() } });
    this.replies = el("div", { class: "replies" });
    this.working = el("div", { class: "working" });
    this.timeline = new Timeline(this.replies, pane, { inThread: true });
    this.composer = null; // made when the thread is opened first: most never are
    this.inner = el("div", { class: "thread-inner", hidden: true }, this.replies, this.working);
    root.foot.hidden = false;
    root.foot.replaceChildren(el("div", { class: "thread" }, this.line, this.inner));
    this.summarize(root.data.replies ?? { count: 0, faces: [], last_at: 0 });
    this.showWork();
  }

  get isOpen() {
    return !this.inner.hidden;
  }

  summarize(summary) {
    this.summary = summary;
    this.root.data.replies = summary.count ? summary : undefined;
    const { count, faces, last_at: last } = summary;
    const day = dayName(last).toLowerCase();
    this.line.hidden = count === 0;
    this.line.setAttribute("aria-expanded", String(this.isOpen));
    this.line.replaceChildren(
      ...faces.map((one) => avatar(this.pane.home.member(one), "tiny")),
      el("b", {}, count === 1 ? "1 reply" : `${count} replies`),
      el("span", { class: "last" }, this.isOpen ? "Hide thread" : `Last reply ${day} at ${clock(last)}`),
      icon(this.isOpen ? "up" : "down"),
    );
    if (count === 0 && !this.isOpen && !this.status) this.root.foot.hidden = true;
  }

  toggle() {
    return this.isOpen ? this.fold() : this.open();
  }

  fold() {
    this.inner.hidden = true;
    this.summarize(this.summary);
  }

  /** Load and show the replies. The answer comes in order with the events: nothing is missed. */
  open() {
    if (!this.isOpen) this.loaded = this.load();
    return this.loaded;
  }

  async load() {
    if (!this.composer) {
      this.composer = new Composer(this.pane, { thread: this.root.data.id });
      this.inner.append(this.composer.node);
    }
    this.inner.hidden = false;
    this.root.foot.hidden = false;
    this.summarize(this.summary);
    const { id } = this.root.data;
    try {
      const found = await this.pane.ask("history", { thread: id, limit: SHOWN });
      this.timeline.clear();
      this.timeline.add(found.messages.filter((one) => one.id !== id));
      this.showWork();
    } catch (error) {
      this.pane.tell(error.message);
    }
  }

  hear(event) {
    if (event.summary) this.summarize(event.summary);
    if (event.kind === "delete") this.timeline.remove(event.id);
    else if (event.kind === "message") {
      this.root.foot.hidden = false;
      if (this.isOpen) this.timeline.put(event.message);
      else if (this.concernsMe(event.message)) this.open();
      if (event.member === this.pane.home.bot) this.setStatus("");
    } else this.timeline.change(event.message);
    this.showWork();
  }

  concernsMe(message) {
    const { home } = this.pane;
    return message.author === home.bot || message.author === home.me;
  }

  setStatus(text) {
    clearTimeout(this.forget);
    this.status = text;
    if (text) {
      this.root.foot.hidden = false;
      this.forget = setTimeout(() => this.setStatus(""), 120000); // Slack clears it then
      this.open();
    }
    this.showWork();
  }

  get isWriting() {
    return [...this.timeline.views.values()].some((view) => (this.timeline.dirty.get(view.data.id) ?? view.data).streaming);
  }

  showWork() {
    const { home } = this.pane;
    const at_work = this.isWriting || Boolean(this.status);
    const key = `${this.isWriting} ${this.status}`;
    if (key === this.shownWork) return;
    this.shownWork = key;
    if (!at_work) return this.working.replaceChildren();
    const name = home.member(home.bot).display;
    const said = this.isWriting ? `${name} is writing…` : `${name} ${this.status}`;
    const stop = el("button", { class: "stop", type: "button", on: { click: () => this.stop() } }, icon("stop"), "Stop");
    const dots = el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i"));
    this.working.replaceChildren(dots, el("span", {}, said), stop);
  }

  async stop() {
    try {
      await act("stop", { ...this.pane.who(), thread: this.root.data.id });
    } catch (error) {
      this.pane.tell(error.message);
    }
  }
}
