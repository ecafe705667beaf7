// A message's menu: the shortcuts that the app offers there, as "More actions" and "Apps" hold them.

import { el } from "./dom.js";

const GAP_PX = 4;
const STEPS = { ArrowDown: 1, ArrowUp: -1 };

export class MessageMenu {
  /** @param {import("./message.js").MessageView} view  whose menu it is */
  constructor(view) {
    this.view = view;
    this.button = null;
    this.isOpen = false;
    this.node = el("div", { class: "shortcuts", popover: "auto", role: "menu", "aria-label": "Shortcuts" });
    this.node.addEventListener("toggle", (event) => this.toggled(event.newState === "open"));
    this.node.addEventListener("keydown", (event) => this.walk(event));
    this.follow = () => this.node.hidePopover();
  }

  /** Open it at the button that was pressed, or close it. */
  async turn(button) {
    if (this.isOpen) return this.node.hidePopover();
    this.button = button;
    const offered = await this.view.pane.offered("shortcuts");
    if (!button.isConnected) return undefined;
    const entries = offered.map(({ id, name }) =>
      el("button", { class: "shortcut", type: "button", role: "menuitem", tabindex: "-1", on: { click: () => this.use(id, name) } }, name));
    this.node.replaceChildren(...(entries.length ? entries : [el("p", { role: "menuitem", tabindex: "-1" }, "The app offers no shortcuts here.")]));
    this.node.showPopover();
    this.place();
    this.node.firstElementChild.focus();
    return undefined;
  }

  /** Put it below the button, or above where there is no room. */
  place() {
    const at = this.button.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.node;
    const below = at.bottom + GAP_PX;
    const top = below + height > window.innerHeight ? at.top - GAP_PX - height : below;
    this.node.style.top = `${Math.max(GAP_PX, top)}px`;
    this.node.style.left = `${Math.max(GAP_PX, at.right - width)}px`;
  }

  toggled(open) {
    this.isOpen = open;
    this.button?.setAttribute("aria-expanded", String(open));
    const { scroll } = this.view.pane;
    if (open) scroll.addEventListener("scroll", this.follow, { once: true, passive: true });
    else scroll.removeEventListener("scroll", this.follow);
  }

  walk(event) {
    const entries = [...this.node.children];
    const at = entries.indexOf(document.activeElement);
    const to = { Home: 0, End: entries.length - 1 }[event.key] ?? (at + STEPS[event.key] + entries.length) % entries.length;
    if (event.key === "Tab") return this.node.hidePopover();
    if (Number.isNaN(to)) return undefined;
    event.preventDefault();
    event.stopPropagation();
    entries[to].focus();
    return undefined;
  }

  async use(id, name) {
    this.node.hidePopover();
    const { pane } = this.view;
    pane.pulse.start();
    const told = await this.view.do("shortcut", { shortcut: id });
    if (told?.ok === false) pane.tell(`${name} failed with the error “${told.error}”`);
  }
}
