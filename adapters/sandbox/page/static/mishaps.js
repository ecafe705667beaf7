// The panel “What goes wrong”: every fault that the sandbox can play, for each platform.

import { act } from "./feed.js";
import { el, icon } from "./dom.js";

const NAMES = { slack: "Slack", discord: "Discord" };

export class Mishaps {
  /** @param {HTMLButtonElement} button  opens and closes the panel
   *  @param {() => Map<string, import("./pane.js").Pane>} panes */
  constructor(button, panes) {
    this.button = button;
    this.panes = panes;
    this.shown = { offered: [], on: [] };
    this.count = el("span", { class: "badge", hidden: true });
    button.append(this.count);
    this.body = el("div", { class: "mishap-list" });
    this.error = el("p", { class: "error", role: "alert", hidden: true });
    const close = el("button", { class: "cancel", type: "button", "aria-label": "Close", on: { click: () => this.toggle(false) } }, icon("close"));
    this.node = el(
      "aside",
      { class: "mishaps", id: "mishaps", "aria-label": "What goes wrong", hidden: true },
      el("header", {}, el("h2", {}, "What goes wrong"), close),
      el("p", { class: "intro" }, "Make the platforms misbehave and watch how the bot copes."),
      this.error, this.body,
    );
    button.addEventListener("click", () => this.toggle(this.node.hidden));
    this.node.addEventListener("keydown", (event) => event.key === "Escape" && this.toggle(false));
  }

  toggle(open) {
    this.node.hidden = !open;
    this.button.setAttribute("aria-expanded", String(open));
    if (open) {
      this.draw();
      this.node.querySelector("button").focus();
    } else this.button.focus();
  }

  take(shown) {
    this.shown = shown;
    this.draw();
  }

  draw() {
    const { offered, on } = this.shown;
    const readOnly = [...this.panes().values()].flatMap((pane) =>
      [...pane.home.channels.values()].filter((one) => one.changed && one.read_only));
    const total = on.length + readOnly.length;
    this.count.textContent = String(total);
    this.count.hidden = total === 0;
    if (this.node.hidden) return;
    const focused = document.activeElement?.dataset?.key;
    this.body.replaceChildren(
      el("div", { class: "mishap titles" }, el("span"), el("span", {}, "Slack"), el("span", {}, "Discord")),
      ...offered.map((one) => this.row(one)),
    );
    if (focused) this.body.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  row(mishap) {
    const what = el("div", {}, el("b", {}, mishap.label), el("small", {}, mishap.hint));
    const controls = ["slack", "discord"].map((platform) =>
      el("div", { class: "control" }, mishap.platforms.includes(platform) ? this.control(mishap, platform) : null));
    return el("div", { class: "mishap" }, what, ...controls);
  }

  control(mishap, platform) {
    const label = `${mishap.label}, ${NAMES[platform]}`;
    const key = `${platform} ${mishap.name}`;
    const isOn = mishap.name === "read_only"
      ? this.panes().get(platform)?.channel?.read_only ?? false : this.shown.on.includes(key);
    const once = mishap.kind === "moment";
    const press = (event) => {
      if (once) this.flash(event.currentTarget);
      this.let(mishap, platform, once || !isOn);
    };
    if (once) return el("button", { class: "once", type: "button", "aria-label": label, data: { key }, on: { click: press } }, "Do it");
    return el("button", { class: `switch${mishap.kind === "spell" && isOn ? " spell" : ""}`, type: "button", role: "switch", "aria-checked": String(isOn),
      "aria-label": label, data: { key }, on: { click: press } }, el("span"));
  }

  flash(button) {
    button.classList.add("done");
    setTimeout(() => button.classList.remove("done"), 900);
  }

  async let(mishap, platform, on) {
    this.error.hidden = true;
    const channel = this.panes().get(platform)?.channel?.id;
    try {
      await act("mishap", { platform, name: mishap.name, on, channel });
    } catch (error) {
      this.error.textContent = error.message;
      this.error.hidden = false;
    }
  }
}
