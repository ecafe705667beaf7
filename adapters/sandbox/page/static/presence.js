// The line below the box: who is typing, and how fast the bot's last reply came.

import { el } from "./dom.js";
import { typed } from "./message.js";

const TYPING_MS = 10000;
const SETTLED_MS = 1500;

/** Who is typing in the open channel. */
export class Presence {
  constructor(home) {
    this.home = home;
    this.channel = null;
    this.typing = new Map();
    this.node = el("div", { class: "presence", "aria-live": "off" });
  }

  move(channel) {
    this.channel = channel;
    this.draw();
  }

  hear(event) {
    const key = `${event.channel} ${event.member}`;
    clearTimeout(this.typing.get(key)?.timer);
    this.typing.delete(key);
    if (event.kind === "typing" || event.text) {
      const timer = setTimeout(() => this.wrote(event.channel, event.member), TYPING_MS);
      this.typing.set(key, { channel: event.channel, member: event.member, text: event.text || "is typing…", timer });
    }
    this.draw();
  }

  wrote(channel, member) {
    const key = `${channel} ${member}`;
    clearTimeout(this.typing.get(key)?.timer);
    if (this.typing.delete(key)) this.draw();
  }

  draw() {
    const here = [...this.typing.values()].filter((one) => one.channel === this.channel);
    if (!here.length) return this.node.replaceChildren();
    const names = here.map((one) => this.home.member(one.member).display).join(" and ");
    const dots = el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i"));
    return this.node.replaceChildren(dots, el("b", {}, names), here.length > 1 ? " are typing…" : ` ${here[0].text}`);
  }
}

/** How the bot's last reply came: first words, updates, time; tells a screen reader its text. */
export class Pulse {
  constructor(pane) {
    this.pane = pane;
    this.asked = null;
    this.answers = new Set();
    this.node = el("div", { class: "pulse", title: "Measured on this page, from Enter to the bot's words" });
  }

  start() {
    this.asked = performance.now();
    this.first = null;
    this.writes = 0;
    this.answers.clear();
    this.node.replaceChildren(el("span", { class: "beat" }), "asked…");
  }

  hear(event) {
    const { message } = event;
    if (!message || message.author !== this.pane.home.bot || !["message", "edit"].includes(event.kind)) return;
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.settled(message), SETTLED_MS);
    if (this.asked === null) return;
    if (event.kind === "message") this.answers.add(message.id);
    if (!this.answers.has(message.id)) return; // an older one, edited now
    this.writes += 1;
    if (message.text && this.first === null) this.first = performance.now();
    this.last = performance.now();
    if (this.first !== null) this.draw(true);
  }

  draw(running) {
    const seconds = (from) => `${((from - this.asked) / 1000).toFixed(1)} s`;
    const updates = this.writes === 1 ? "1 write" : `${this.writes} writes`;
    const said = `first words ${seconds(this.first)} · ${updates} · ${seconds(this.last)}`;
    this.node.replaceChildren(running ? el("span", { class: "beat" }) : "", said);
  }

  settled(message) {
    const { home, channel, page } = this.pane;
    if (this.asked !== null && this.first !== null) this.draw(false);
    if (message.channel === channel?.id && message.text && !message.streaming) {
      page.announce(`${home.member(message.author).display}: ${typed(message, home)}`);
    }
  }
}
