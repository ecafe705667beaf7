// The box one writes in: sends, answers, edits, completes names and commands.

import { act } from "./feed.js";
import { avatar, el, icon } from "./dom.js";
import { typed } from "./message.js";

const OFFERED = 12;
const TALLEST_PX = 180;
const CALLED = /(^|[\s(])([@#])([\p{L}\p{N}_.-]*)$/u;
let number = 0;

export class Composer {
  /** @param {import("./pane.js").Pane} pane
   *  @param {{thread?: string}} options  the root of the Slack thread that it answers in */
  constructor(pane, { thread = null } = {}) {
    this.pane = pane;
    this.home = pane.home;
    this.thread = thread;
    this.mode = { kind: "say" };
    this.offers = [];
    this.chosen = 0;
    this.build(`offers-${++number}`);
  }

  build(listId) {
    this.area = el("textarea", {
      rows: "1", spellcheck: "true", autocomplete: "off", role: "combobox", "aria-expanded": "false",
      "aria-controls": listId, "aria-autocomplete": "list", placeholder: "Reply…", "aria-label": "Reply in thread",
    });
    this.list = el("div", { class: "offers", id: listId, role: "listbox", hidden: true });
    this.hint = el("div", { class: "hint", hidden: true });
    this.bar = el("div", { class: "mode", hidden: true });
    this.error = el("div", { class: "error", role: "alert", hidden: true });
    this.button = el("button", { class: "send", type: "submit", title: "Send (Enter)", "aria-label": "Send" }, icon("send"));
    this.node = el(
      "form",
      { class: `composer${this.thread ? " in-thread" : ""}` },
      this.list, this.hint, this.error,
      el("div", { class: "box" }, this.bar, el("div", { class: "row" }, this.area, this.button)),
    );
    this.node.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.area.addEventListener("input", () => this.typed());
    this.area.addEventListener("click", () => this.complete());
    this.area.addEventListener("keydown", (event) => this.pressed(event));
    this.area.addEventListener("blur", () => setTimeout(() => this.close(), 150));
  }

  /** Say in whose name and where this box writes. */
  name(label) {
    this.area.placeholder = label;
    this.area.setAttribute("aria-label", label);
  }

  fill(text) {
    this.area.value = text;
    this.area.focus();
    this.area.setSelectionRange(text.length, text.length);
    this.typed();
    this.close();
  }

  // What it is about

  replyTo(data) {
    const author = this.home.member(data.author).display;
    this.become({ kind: "reply", id: data.id }, ["Replying to ", el("b", {}, author)]);
  }

  edit(data) {
    this.become({ kind: "edit", id: data.id }, [el("b", {}, "Editing a message"), " · Enter to save"]);
    this.fill(typed(data, this.home));
  }

  nameThread(data) {
    this.become({ kind: "thread", id: data.id }, [el("b", {}, "New thread"), " · what is it called?"]);
    this.fill("");
  }

  become(mode, said) {
    this.mode = mode;
    const cancel = el("button", { class: "cancel", type: "button", "aria-label": "Cancel" }, icon("close"));
    cancel.addEventListener("click", () => this.reset());
    this.bar.replaceChildren(el("span", {}, ...said), cancel);
    this.bar.hidden = false;
    this.area.focus();
  }

  reset() {
    if (this.mode.kind === "edit") this.area.value = "";
    this.mode = { kind: "say" };
    this.bar.hidden = true;
    this.typed();
  }

  // Sending

  async submit() {
    const text = this.area.value;
    if (!text.trim()) return;
    const { mode } = this;
    this.area.value = "";
    this.error.hidden = true;
    if (mode.kind !== "say") this.reset();
    this.typed();
    try {
      await this.send(text, mode);
    } catch (error) {
      this.fail(error.message);
      if (!this.area.value) this.fill(text);
    }
  }

  send(text, mode) {
    const who = this.pane.who();
    if (mode.kind === "edit") return act("edit", { ...who, message: mode.id, text });
    if (mode.kind === "thread") return this.openThread(who, mode.id, text.trim());
    if (text.startsWith("/")) return this.command(who, text);
    this.pane.iAsked(text, Boolean(this.thread));
    const extra = this.thread ? { thread: this.thread } : mode.kind === "reply" ? { reply_to: mode.id } : {};
    return act("say", { ...who, text, ...extra });
  }

  async openThread(who, message, name) {
    const made = await act("thread", { ...who, message, name });
    await this.pane.openMade(made.channel);
  }

  async command(who, text) {
    const [, name, rest] = /^\/(\S*)\s*([\s\S]*)$/.exec(text);
    if (this.thread) throw new Error(`/${name} is not supported in threads. Sorry!`);
    if (!name) throw new Error("Which command? Type / to see them.");
    this.pane.iAsked("/", false);
    const said = await act("command", { ...who, name, text: rest });
    if (said.ok === false) {
      if (said.error === "unknown_command") throw new Error(`There is no command “/${name}” here.`);
      if (said.error === "invalid_options") throw new Error(said.detail ?? "Something is missing.");
    }
  }

  fail(text) {
    this.error.textContent = text;
    this.error.hidden = false;
  }

  // Keys

  pressed(event) {
    if (event.isComposing) return;
    const open = this.offers.length > 0;
    if (open && ["ArrowDown", "ArrowUp"].includes(event.key)) {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.chosen = (this.chosen + step + this.offers.length) % this.offers.length;
      this.drawOffers();
    } else if (open && (event.key === "Tab" || (event.key === "Enter" && !event.shiftKey))) {
      event.preventDefault();
      this.take(this.offers[this.chosen]);
    } else if (event.key === "Escape") this.escape(event, open);
    else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.submit();
    } else if (event.key === "ArrowUp" && !this.area.value && !this.thread) {
      event.preventDefault();
      this.pane.editLast();
    }
  }

  escape(event, open) {
    if (open) this.close();
    else if (this.mode.kind !== "say") this.reset();
    else return;
    event.stopPropagation();
  }

  typed() {
    this.area.style.height = "auto";
    this.area.style.height = `${Math.min(this.area.scrollHeight, TALLEST_PX)}px`;
    this.button.classList.toggle("ready", Boolean(this.area.value.trim()));
    this.error.hidden = true;
    this.complete();
  }

  // Completing

  async complete() {
    const before = this.area.value.slice(0, this.area.selectionStart);
    const slash = /^\/(\S*)$/.exec(before);
    this.showHint();
    if (slash && this.mode.kind === "say" && !this.thread) return this.offer(await this.commands(slash[1]), before);
    const called = CALLED.exec(before);
    if (!called) return this.close();
    return this.offer(called[2] === "@" ? this.people(called[3]) : this.places(called[3]), before);
  }

  async commands(part) {
    const all = await this.pane.offered("commands");
    return all.filter((one) => one.name.startsWith(part.toLowerCase())).map((one) => ({
      shown: [el("b", {}, `/${one.name}`), el("code", {}, one.hint), el("span", {}, one.description)],
      label: `/${one.name}`, insert: `/${one.name} `, cut: part.length + 1,
    }));
  }

  people(part) {
    const wanted = part.toLowerCase();
    const fits = (one) => !one.gone && one.id !== this.home.me
      && [one.name, ...one.display.split(" ")].some((word) => word.toLowerCase().startsWith(wanted));
    const found = [...this.home.members.values()].filter(fits);
    const rank = (one) => (one.id === this.home.bot ? 0 : one.bot ? 2 : 1);
    return found.sort((a, b) => rank(a) - rank(b)).map((one) => ({
      shown: [avatar(one, "tiny"), el("b", {}, one.display), one.bot ? el("span", { class: "tag" }, "APP") : null, el("span", {}, one.title)],
      label: one.display, insert: `@${one.display} `, cut: part.length + 1,
    }));
  }

  places(part) {
    const found = this.home.places("text").filter((one) => one.name.startsWith(part.toLowerCase()));
    return found.map((one) => ({
      shown: [el("b", {}, `#${one.name}`), el("span", {}, one.topic)],
      label: `#${one.name}`, insert: `#${one.name} `, cut: part.length + 1,
    }));
  }

  offer(found, before) {
    if (this.area.value.slice(0, this.area.selectionStart) !== before) return;
    this.offers = found.slice(0, OFFERED);
    this.chosen = 0;
    this.drawOffers();
  }

  drawOffers() {
    this.list.hidden = this.offers.length === 0;
    this.area.setAttribute("aria-expanded", String(this.offers.length > 0));
    const nodes = this.offers.map((offer, place) => {
      const node = el("div", { class: "offer", role: "option", id: `${this.list.id}-${place}`,
        "aria-label": offer.label, "aria-selected": String(place === this.chosen) }, ...offer.shown);
      node.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        this.take(offer);
      });
      return node;
    });
    this.list.replaceChildren(...nodes);
    if (nodes.length) this.area.setAttribute("aria-activedescendant", nodes[this.chosen].id);
    else this.area.removeAttribute("aria-activedescendant");
    nodes[this.chosen]?.scrollIntoView({ block: "nearest" });
  }

  take(offer) {
    const at = this.area.selectionStart;
    this.area.setRangeText(offer.insert, at - offer.cut, at, "end");
    this.close();
    this.typed();
  }

  close() {
    this.offers = [];
    this.drawOffers();
  }

  /** Say what a chosen command takes, as long as nothing is written behind it. */
  async showHint() {
    const match = /^\/(\S+) $/.exec(this.area.value);
    const found = match && !this.thread ? (await this.pane.offered("commands")).find((one) => one.name === match[1]) : null;
    this.hint.hidden = !found;
    if (found) this.hint.replaceChildren(el("b", {}, `/${found.name} `), el("code", {}, found.hint), ` ${found.detail || found.description}`);
  }
}
