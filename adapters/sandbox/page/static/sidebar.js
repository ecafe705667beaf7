// The left side of a pane: whose home it is, the channels, direct messages, and who I am.

import { avatar, el, icon } from "./dom.js";

const KINDS = { slack: "Slack workspace", discord: "Discord server" };

export class Sidebar {
  /** @param {import("./pane.js").Pane} pane */
  constructor(pane) {
    this.pane = pane;
    this.home = pane.home;
    this.nav = el("nav", { "aria-label": `Channels of ${this.home.name}` });
    this.me = el("div", { class: "me" });
    const title = el("div", { class: "home-name" }, el("b", {}, this.home.name), el("span", {}, KINDS[this.home.platform]));
    this.node = el("aside", { class: "side" }, title, this.nav, this.me);
    this.drawMe();
    this.draw();
  }

  draw() {
    const { home } = this;
    const focused = this.nav.contains(document.activeElement) ? document.activeElement.dataset.place : null;
    const channels = home.places("text").flatMap((one) => [this.entry(one), ...this.threads(one)]);
    const directs = home.places("direct").filter((one) => !one.members.includes(home.bot));
    this.nav.replaceChildren(
      el("h3", {}, home.platform === "slack" ? "Channels" : "Text channels"),
      el("ul", {}, ...channels),
      el("h3", {}, "Direct messages"),
      el("ul", {}, this.bot(), ...directs.map((one) => this.entry(one))),
    );
    if (focused) this.nav.querySelector(`[data-place="${CSS.escape(focused)}"]`)?.focus();
  }

  /** Threads stand below their channel: the open one, the unread ones, the youngest. */
  threads(channel) {
    const found = this.home.threadsOf(channel.id);
    const kept = found.filter((one) => one.id === this.pane.channel?.id || this.home.unread.has(one.id));
    return [...new Set([...kept, ...found.slice(-2)])].map((one) => this.entry(one));
  }

  bot() {
    const { home } = this;
    const open = home.directWith(home.bot);
    if (open) return this.entry(open);
    const jay = home.member(home.bot);
    return this.button(`bot-${home.bot}`, [avatar(jay, "tiny"), el("span", { class: "label" }, jay.display)], () => this.pane.openDirect(home.bot));
  }

  entry(channel) {
    const sign = channel.kind === "direct" ? avatar(this.home.partner(channel), "tiny")
      : icon(channel.kind === "thread" ? "branch" : channel.private ? "lock" : "hash");
    const unread = this.home.unread.get(channel.id);
    const mentions = unread?.mentions ?? 0;
    const badge = mentions ? el("span", { class: "badge" }, String(mentions)) : null;
    const heard = unread ? el("span", { class: "sr-only" }, ` (${unread.count} unread)`) : null;
    const label = el("span", { class: "label" }, this.home.title(channel));
    const node = this.button(channel.id, [sign, label, heard, badge], () => this.pane.open(channel.id));
    node.classList.toggle("thread-entry", channel.kind === "thread");
    const button = node.firstChild;
    button.classList.toggle("unread", Boolean(unread));
    if (channel.id === this.pane.channel?.id) button.setAttribute("aria-current", "page");
    return node;
  }

  button(place, inside, act) {
    return el("li", {}, el("button", { class: "place", type: "button", data: { place }, on: { click: act } }, ...inside));
  }

  drawMe() {
    const { home } = this;
    const people = home.people().sort((a, b) => a.display.localeCompare(b.display));
    const select = el(
      "select",
      { "aria-label": `You are, in ${home.name}`, on: { change: () => this.pane.become(select.value) } },
      ...people.map((one) => el("option", { value: one.id, selected: one.id === home.me }, one.display)),
    );
    const words = el("span", { class: "who" }, el("span", {}, "You are"), el("b", {}, home.member(home.me).display));
    this.me.replaceChildren(avatar(home.member(home.me)), words, icon("switch"), select);
  }
}
