// One platform's half of the page: the sidebar, the open channel, the box to write in.

import { Composer } from "./composer.js";
import { act } from "./feed.js";
import { el, icon, kept } from "./dom.js";
import { Presence, Pulse } from "./presence.js";
import { Sidebar } from "./sidebar.js";
import { ThreadView } from "./thread.js";
import { Timeline } from "./timeline.js";

const PAGE = 100;
const NEAR_PX = 600;
const AT_END_PX = 60;
const TOLD_MS = 6000;
const MADE_MS = 3000;
const OFFERED_KEPT_MS = 4000;

export class Pane {
  /** @param {import("./home.js").Home} home
   *  @param {{feed: import("./feed.js").Feed, announce: (text: string) => void, moved: () => void}} page */
  constructor(home, page) {
    this.home = home;
    this.page = page;
    this.channel = null;
    this.atStart = this.atEnd = this.sticks = true;
    this.opening = this.lastTop = 0;
    this.awaited = new Map();
    this.known = new Map();
    this.build();
  }

  build() {
    this.composer = new Composer(this);
    this.sidebar = new Sidebar(this);
    this.presence = new Presence(this.home);
    this.pulse = new Pulse(this);
    this.title = el("div", { class: "bar-title" });
    this.menu = el("button", { class: "menu", type: "button", "aria-label": "Channels", on: { click: () => this.node.classList.toggle("side-open") } }, icon("menu"));
    this.messages = el("div", { class: "messages" });
    this.scroll = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Messages" }, this.messages);
    this.toEnd = el("button", { class: "to-end", type: "button", hidden: true, on: { click: () => this.goToEnd() } }, icon("down"), "Newest messages");
    this.toast = el("div", { class: "toast", role: "status", hidden: true });
    this.suggestions = this.suggest();
    const foot = el("div", { class: "under" }, this.presence.node, this.pulse.node);
    this.main = el(
      "div",
      { class: "main" },
      el("header", { class: "bar" }, this.menu, this.title),
      el("div", { class: "stage" }, this.scroll, this.toEnd, this.toast),
      this.suggestions, this.composer.node, foot,
    );
    const { platform, name } = this.home;
    this.node = el("section", { class: `pane ${platform}`, id: `pane-${platform}`, "aria-label": `${name}, ${platform}` }, this.sidebar.node, this.main);
    this.timeline = new Timeline(this.messages, this);
    this.scroll.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.scroll.addEventListener("keydown", (event) => this.walk(event));
    this.main.addEventListener("click", () => this.node.classList.remove("side-open"), true);
    new ResizeObserver(() => this.sticks && this.atEnd && this.toBottom()).observe(this.messages);
    new ResizeObserver(() => this.sticks && this.atEnd && this.toBottom()).observe(this.scroll);
  }

  // Who and where

  who() {
    return { platform: this.home.platform, as: this.home.me, channel: this.channel?.id };
  }

  ask(what, more) {
    return this.page.feed.ask(what, { ...this.who(), ...more });
  }

  /** Return the app's "commands" or "shortcuts", as they were a moment ago. */
  offered(what) {
    const known = this.known.get(what);
    if (known && performance.now() - known.at < OFFERED_KEPT_MS) return known.told;
    const told = this.ask(what).then((found) => found[what], () => []);
    this.known.set(what, { at: performance.now(), told });
    return told;
  }

  become(member) {
    this.home.become(member);
    this.home.unread.clear();
    this.sidebar.drawMe();
    const still = this.channel && this.home.sees(this.channel);
    return this.open(still ? this.channel.id : this.first());
  }

  first() {
    const places = this.home.places("text");
    return (places.find((one) => one.name === "general") ?? places[0])?.id;
  }

  async openDirect(member) {
    try {
      const made = await act("direct", { platform: this.home.platform, as: this.home.me, with: member });
      await this.openMade(made.channel);
    } catch (error) {
      this.tell(error.message);
    }
  }

  /** Open a place that was just made; the feed may tell of it a moment later. */
  async openMade(id) {
    if (!this.home.channels.has(id)) {
      await new Promise((done) => {
        this.awaited.set(id, done);
        setTimeout(done, MADE_MS);
      });
    }
    await this.open(id);
    this.composer.area.focus();
  }

  // The open channel

  /** Open a channel, at its newest messages or at the `target`. */
  async open(id, { target = null } = {}) {
    const channel = this.home.channels.get(id);
    if (!channel || !this.home.sees(channel)) {
      return this.tell(`${this.home.member(this.home.me).display} can’t see that channel.`);
    }
    const turn = ++this.opening;
    const moved = this.channel?.id !== id;
    this.channel = channel;
    this.home.unread.delete(id);
    this.node.classList.remove("side-open");
    this.sidebar.draw();
    this.drawBar();
    if (moved) this.composer.reset();
    this.presence.move(channel.id);
    try {
      const found = await this.ask("history", { limit: PAGE, ...(target ? { around: target } : {}) });
      if (turn !== this.opening) return undefined;
      this.show(found, target);
    } catch (error) {
      this.tell(error.message);
    }
    return undefined;
  }

  show(found, target) {
    this.timeline.clear();
    this.atStart = !found.more_before;
    this.atEnd = !found.more_after;
    this.timeline.add(found.messages);
    this.timeline.views.forEach((view) => this.hang(view));
    this.drawStart();
    this.sticks = !target;
    this.markEnd();
    if (target) this.highlight(target, found.root);
    else this.toBottom();
  }

  /** Hang its thread on a message. */
  hang(view) {
    if (this.home.platform === "slack") {
      if (view.data.replies && !view.thread) view.thread = new ThreadView(view, this);
      return;
    }
    const thread = this.home.channels.get(view.data.id);
    if (thread?.kind !== "thread") return;
    const open = el("button", { class: "thread-card", type: "button", on: { click: () => this.open(thread.id) } },
      icon("branch"), el("b", {}, thread.name), el("span", {}, "Open thread ›"));
    view.foot.hidden = false;
    view.foot.replaceChildren(open);
  }

  threadOf(view) {
    view.thread ??= new ThreadView(view, this);
    return view.thread;
  }

  async replyInThread(view) {
    const thread = this.threadOf(view);
    const opened = thread.open();
    thread.composer.area.focus(); // at once: whoever pressed the key goes on typing
    await opened;
  }

  drawBar() {
    const { channel, home } = this;
    const title = home.title(channel);
    const parent = channel.parent ? home.channels.get(channel.parent) : null;
    const sign = channel.kind === "direct" ? "at" : channel.kind === "thread" ? "branch" : channel.private ? "lock" : "hash";
    const back = parent
      ? el("button", { class: "text-button", type: "button", on: { click: () => this.open(parent.id) } }, `#${parent.name}`) : null;
    this.title.replaceChildren(
      ...[back, back && icon("next"), icon(sign), el("h2", {}, title),
        channel.topic ? el("span", { class: "topic", title: channel.topic }, channel.topic) : null,
        channel.read_only ? el("span", { class: "chip", title: "Jay may not write here" }, icon("lock"), "read-only for the bot") : null,
      ].filter(Boolean),
    );
    const label = channel.kind === "direct" ? `Message ${home.platform === "slack" ? "" : "@"}${title}` : `Message #${title}`;
    this.composer.name(label);
    this.scroll.setAttribute("aria-label", `Messages in ${title}`);
    this.page.moved();
  }

  drawStart() {
    this.start?.remove();
    if (!this.atStart) return;
    const title = this.home.title(this.channel);
    const what = this.channel.kind === "direct" ? "your conversation with" : "the conversation in";
    this.start = el("p", { class: "start" }, `This is the beginning of ${what} `, el("b", {}, title), ".");
    this.messages.before(this.start);
  }

  // Scrolling

  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroll;
    const below = scrollHeight - scrollTop - clientHeight;
    // Only a person goes up: what has grown below meanwhile must not end the sticking.
    if (below < AT_END_PX) this.sticks = true;
    else if (scrollTop < this.lastTop) this.sticks = false;
    this.lastTop = scrollTop;
    this.markEnd();
    if (scrollTop < NEAR_PX && !this.atStart) this.loadOlder();
    if (below < NEAR_PX && !this.atEnd) this.loadNewer();
  }

  markEnd() {
    this.toEnd.hidden = this.atEnd && this.sticks;
  }

  toBottom() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
  }

  goToEnd() {
    this.sticks = true;
    if (this.atEnd) this.toBottom();
    else this.open(this.channel.id);
  }

  loadOlder() {
    return this.load({ before: this.timeline.first }, (found) => {
      const before = this.scroll.scrollHeight;
      const top = this.scroll.scrollTop;
      this.timeline.addBefore(found.messages);
      this.atStart = !found.more_before;
      this.drawStart();
      this.scroll.scrollTop = top + this.scroll.scrollHeight - before;
    });
  }

  loadNewer() {
    return this.load({ after: this.timeline.last }, (found) => {
      this.timeline.add(found.messages);
      this.atEnd = !found.more_after;
      this.markEnd();
    });
  }

  async load(bounds, put) {
    if (this.loading) return;
    this.loading = true;
    const turn = this.opening;
    try {
      const found = await this.ask("history", { limit: PAGE, ...bounds });
      if (turn !== this.opening) return;
      put(found);
      for (const { id } of found.messages) this.hang(this.timeline.view(id));
    } catch (error) {
      this.tell(error.message);
    } finally {
      this.loading = false;
    }
  }

  /** Go to a message of this channel, loading it where it is not there. */
  jump(id) {
    if (this.timeline.view(id)) this.highlight(id, id);
    else this.open(this.channel.id, { target: id });
  }

  async highlight(id, root) {
    let view = this.timeline.view(id);
    const top = this.timeline.view(root ?? id);
    if (!view && top && this.home.platform === "slack") {
      const thread = this.threadOf(top);
      await thread.open();
      view = thread.timeline.view(id);
    }
    const found = view ?? top;
    if (!found) return this.tell("That message is no longer there.");
    this.sticks = false;
    found.node.scrollIntoView({ block: "center" });
    found.node.classList.remove("lit");
    void found.node.offsetWidth; // lets the highlight begin anew
    found.node.classList.add("lit");
    found.node.focus({ preventScroll: true });
    return undefined;
  }

  /** Arrow keys walk from message to message. */
  walk(event) {
    const article = event.target.closest(".message");
    if (event.target !== this.scroll && event.target !== article) return;
    const all = [...this.scroll.querySelectorAll(".message")];
    const at = article ? all.indexOf(article) : all.length;
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined || !all[to]) return;
    event.preventDefault();
    all[to].focus();
    all[to].scrollIntoView({ block: "nearest" });
  }

  editLast() {
    const mine = [...this.timeline.views.values()].filter((one) => one.data.author === this.home.me && !one.data.ephemeral_to);
    const last = mine.sort((a, b) => a.data.at - b.data.at).at(-1);
    if (last) this.composer.edit(last.data);
  }

  // What happens

  hear(event) {
    if (event.kind === "channel") return this.placed(event);
    if (event.kind === "command") return undefined; // its answer tells of it
    if (event.kind === "typing" || event.kind === "status") return this.showPresence(event);
    if (event.message?.ephemeral_to && event.message.ephemeral_to !== this.home.me) return undefined;
    if (event.kind === "message") this.presence.wrote(event.channel, event.member);
    this.pulse.hear(event);
    if (event.channel !== this.channel?.id) return this.elsewhere(event);
    if (event.summary) this.inThread(event);
    if (event.kind === "delete") this.timeline.remove(event.id);
    else if (event.kind !== "message") this.timeline.change(event.message);
    else if (!event.message.thread || event.message.broadcast) this.arrived(event.message);
    return undefined;
  }

  arrived(message) {
    const mine = message.author === this.home.me;
    if (!this.atEnd) return mine ? this.open(this.channel.id) : undefined;
    if (mine) this.sticks = true;
    this.hang(this.timeline.put(message));
    if (this.sticks) this.toBottom();
    return this.markEnd();
  }

  inThread(event) {
    const root = this.timeline.view(event.summary.root);
    if (root) this.threadOf(root).hear(event);
  }

  elsewhere(event) {
    const place = this.home.channels.get(event.channel);
    const { message } = event;
    if (event.kind !== "message" || !place || !this.home.sees(place) || message.author === this.home.me) return;
    const unread = this.home.unread.get(place.id) ?? { count: 0, mentions: 0 };
    const forMe = place.kind === "direct" || message.text.includes(`<@${this.home.me}>`);
    this.home.unread.set(place.id, { count: unread.count + 1, mentions: unread.mentions + (forMe ? 1 : 0) });
    this.sidebar.draw();
  }

  placed(event) {
    this.home.channels.set(event.place.id, event.place);
    this.awaited.get(event.place.id)?.();
    this.awaited.delete(event.place.id);
    if (this.channel?.id === event.place.id) {
      this.channel = event.place;
      this.drawBar();
    }
    this.sidebar.draw();
    const root = this.timeline.view(event.place.id);
    if (root) this.hang(root);
  }

  showPresence(event) {
    const root = event.thread && this.timeline.view(event.thread);
    if (event.kind === "status" && root && event.channel === this.channel?.id) {
      if (event.text || root.thread) this.threadOf(root).setStatus(event.text);
      return;
    }
    if (event.member !== this.home.me) this.presence.hear(event);
  }

  /** Note that I may have asked the bot something, for the times below the box. */
  iAsked(text, inThread) {
    const bot = this.home.member(this.home.bot);
    const alone = this.channel.kind === "direct" && this.channel.members.includes(bot.id);
    const called = text.toLowerCase().includes(`@${bot.display.toLowerCase()}`);
    if (alone || called || inThread || text.startsWith("/")) this.pulse.start();
  }

  // Small talk

  suggest() {
    const { platform, suggestions } = this.home;
    const key = `jay-sandbox-seen-${platform}`;
    if (kept.get(key)) return el("div", { hidden: true });
    const close = el("button", { class: "cancel", type: "button", "aria-label": "Hide these hints" }, icon("close"));
    const chips = suggestions.map((text) => el("button", { class: "try", type: "button", title: text, on: { click: () => this.composer.fill(text) } }, text));
    const node = el("div", { class: "suggest", role: "group", "aria-label": "Things to try" }, ...chips, close);
    close.addEventListener("click", () => {
      kept.set(key, "yes");
      node.hidden = true;
    });
    return node;
  }

  async copyLink(data) {
    const address = `${location.origin}/#${this.home.platform}/${data.channel}/${data.id}`;
    try {
      await navigator.clipboard.writeText(address);
      this.tell("The link is copied.");
    } catch {
      this.tell(address);
    }
  }

  tell(text) {
    this.toast.textContent = text;
    this.toast.hidden = false;
    clearTimeout(this.toasting);
    this.toasting = setTimeout(() => (this.toast.hidden = true), TOLD_MS);
  }
}
