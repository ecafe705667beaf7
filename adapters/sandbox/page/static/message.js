// One message on the page. `update` brings its node up to date, part by part.

import { discordComponents, discordEmbeds, slackBlocks } from "./blocks.js";
import { act } from "./feed.js";
import { avatar, clock, el, fileSize, icon } from "./dom.js";
import { bySlackName, emoji as picture, QUICK } from "./emoji.js";
import { markdown, typedMarkdown } from "./markdown.js";
import { MessageMenu } from "./menu.js";
import { mrkdwn, slackMarkdown, typedMrkdwn } from "./mrkdwn.js";

const GROWING_MS = 1600;

/** Return a message's text as its author would type it. */
export function typed(data, home) {
  return home.platform === "slack" ? typedMrkdwn(data.text, home) : typedMarkdown(data.text, home);
}

export class MessageView {
  /** @param {object} data  the message
   *  @param {import("./pane.js").Pane} pane  where it stands
   *  @param {boolean} inThread  whether it is a reply in an inline thread */
  constructor(data, pane, inThread) {
    this.pane = pane;
    this.home = pane.home;
    this.inThread = inThread;
    this.made = new Map();
    this.gutter = el("div", { class: "gutter" });
    this.head = el("div", { class: "head" });
    this.body = el("div", { class: "body" });
    this.more = el("div", { class: "more" });
    this.reactions = el("div", { class: "reactions" });
    this.foot = el("div", { class: "foot" });
    this.quote = el("div", { class: "quote" });
    this.tools = el("div", { class: "tools", role: "toolbar", "aria-label": "Message actions" });
    this.menu = new MessageMenu(this);
    const content = el("div", { class: "content" }, this.head, this.body, this.more, this.reactions);
    this.node = el(
      "article",
      { class: "message", tabindex: "-1", data: { id: data.id } },
      this.quote, this.gutter, content, this.foot, this.tools, this.menu.node,
    );
    this.node.addEventListener("pointerenter", () => this.showTools());
    this.node.addEventListener("focusin", () => this.showTools());
    this.update(data);
  }

  update(data) {
    const grew = this.data && data.text.length > this.data.text.length;
    if (this.data?.replies && !data.replies) data.replies = this.data.replies;
    this.data = data;
    const author = this.home.member(data.author);
    this.node.setAttribute("aria-label", `${author.display}, ${clock(data.at)}`);
    this.node.classList.toggle("only-you", Boolean(data.ephemeral_to));
    this.node.classList.toggle("system", data.subtype === "channel_join");
    this.node.classList.toggle("mentions-me", this.mentionsMe());
    this.node.classList.toggle("failed", Boolean(data.failed));
    this.part("gutter", this.gutter, [author.id], () => [avatar(author), el("time", {}, clock(data.at))]);
    this.part("head", this.head, [author.id, data.at], () => this.heading(author));
    this.part("quote", this.quote, [data.quote, data.command], () => this.quoted());
    this.part("body", this.body, [data.text, data.blocks, data.edited_at, data.streaming, data.failed], () => this.said());
    this.part("more", this.more, [data.files, data.embeds, data.components, data.ephemeral_to], () => this.attached());
    this.part("reactions", this.reactions, [data.reactions, this.home.me], () => this.reacted());
    this.markGrowing(grew && author.bot);
    this.made.delete("tools");
    if (this.node.matches(":hover, :focus-within")) this.showTools();
  }

  /** Build a part anew where what it shows has changed. */
  part(name, node, shown, build) {
    const key = JSON.stringify(shown);
    if (this.made.get(name) === key) return;
    this.made.set(name, key);
    const nodes = build();
    node.replaceChildren(...nodes);
    node.hidden = nodes.length === 0;
  }

  /** Discord has no stream: a bot's text that has just grown is one that is being written. */
  markGrowing(grew) {
    const streaming = Boolean(this.data.streaming && this.data.text);
    this.body.classList.toggle("streaming", streaming);
    if (streaming || !grew) return;
    this.body.classList.add("growing");
    clearTimeout(this.growing);
    this.growing = setTimeout(() => this.body.classList.remove("growing"), GROWING_MS);
  }

  mentionsMe() {
    const { text } = this.data;
    return text.includes(`<@${this.home.me}>`) || text.includes(`<@!${this.home.me}>`);
  }

  heading(author) {
    const at = new Date(this.data.at * 1000);
    return [
      el("strong", { class: "name", tint: author.color }, author.display),
      author.bot ? el("span", { class: "tag" }, "APP") : null,
      el("time", { datetime: at.toISOString(), title: at.toLocaleString() }, clock(this.data.at)),
    ].filter(Boolean);
  }

  quoted() {
    const { quote, command } = this.data;
    if (command?.name) {
      const who = this.home.member(command.member);
      const used = el("span", { class: "mention" }, command.menu ? command.name : `/${command.name}`);
      return [avatar(who, "tiny"), el("b", {}, who.display), " used ", used, ...(command.menu && quote ? [" on ", this.jump(quote)] : [])];
    }
    if (!quote) return [];
    if (!quote.author) return [el("i", {}, "Original message was deleted")];
    const who = this.home.member(quote.author);
    return [avatar(who, "tiny"), el("b", {}, `${who.bot ? "" : "@"}${who.display}`), this.jump(quote)];
  }

  /** The first words of another message, which lead there. */
  jump(quote) {
    const said = typed(quote, this.home).replace(/\s+/g, " ").replace(/<[@#:/][^>]*$/, "…") || (quote.files ? "Click to see attachment" : "…");
    return el("button", { class: "jump", type: "button", on: { click: () => this.pane.jump(quote.id) } }, said);
  }

  said() {
    const { text, blocks, streaming, failed } = this.data;
    if (failed) return [el("p", { class: "failure" }, icon("warning"), failed)];
    if (streaming && !text) {
      const dots = el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i"));
      return [el("p", { class: "thinking" }, dots, `${this.home.member(this.data.author).display} is thinking…`)];
    }
    const nodes = this.written(text, blocks);
    if (this.data.edited_at && !this.data.ephemeral_to) {
      const mark = el("span", { class: "edited", title: new Date(this.data.edited_at * 1000).toLocaleString() }, " (edited)");
      const last = nodes.at(-1);
      if (last?.nodeName === "P") last.append(mark);
      else nodes.push(mark);
    }
    return nodes;
  }

  written(text, blocks) {
    if (this.home.platform === "discord") return markdown(text, this.home);
    const press = (action, value) => this.press(action, value);
    const hung = blocks ? slackBlocks(blocks, this.home, press) : [];
    if (this.data.markdown) return [...slackMarkdown(text, this.home), ...hung];
    return hung.length ? hung : mrkdwn(text, this.home);
  }

  attached() {
    const { files, embeds, components, ephemeral_to: only } = this.data;
    const press = (action, value) => this.press(action, value);
    const nodes = files.map((file) =>
      el(
        "div",
        { class: "file" },
        icon(file.mimetype.startsWith("image/") ? "image" : "file"),
        el("span", { class: "file-name" }, file.name),
        el("span", { class: "file-size" }, fileSize(file.size)),
      ),
    );
    if (embeds) nodes.push(...discordEmbeds(embeds, this.home));
    if (components) nodes.push(...discordComponents(components, this.home, press));
    if (only) {
      const dismiss = el("button", { class: "text-button", type: "button" }, "Dismiss message");
      dismiss.addEventListener("click", () => this.do("delete"));
      nodes.push(el("p", { class: "only" }, icon("eye"), "Only visible to you · ", dismiss));
    }
    return nodes;
  }

  reacted() {
    return Object.entries(this.data.reactions).map(([emoji, members]) => {
      const mine = members.includes(this.home.me);
      const names = members.map((one) => this.home.member(one).display).join(", ");
      const sign = this.home.platform === "slack" ? bySlackName(emoji) ?? `:${emoji}:` : emoji;
      return el(
        "button",
        {
          class: "reaction", type: "button", "aria-pressed": String(mine), title: names,
          "aria-label": `${emoji}, ${members.length}: ${names}`, on: { click: () => this.do("react", { emoji }) },
        },
        picture(sign, emoji), el("span", {}, String(members.length)),
      );
    });
  }

  /** The toolbar is made when somebody first points at the message. */
  showTools() {
    if (this.menu.isOpen) return; // it hangs on one of them
    this.part("tools", this.tools, [this.home.me, this.data.author], () => (this.data.ephemeral_to ? [] : this.offered()));
  }

  offered() {
    const mine = this.data.author === this.home.me;
    const slack = this.home.platform === "slack";
    const tool = (name, label, on) =>
      el("button", { class: "tool", type: "button", title: label, "aria-label": label, on: { click: on } }, icon(name));
    const quick = QUICK.slice(0, 3).map(({ name, sign }) =>
      el("button", { class: "tool emoji", type: "button", title: `React with ${name}`, "aria-label": `React with ${name}`,
        on: { click: () => this.do("react", { emoji: slack ? name : sign }) } }, picture(sign)));
    const channel = this.pane.channel;
    return [
      ...quick,
      slack && !this.inThread ? tool("thread", "Reply in thread", () => this.pane.replyInThread(this)) : null,
      slack ? null : tool("reply", "Reply", () => this.pane.composer.replyTo(this.data)),
      !slack && channel?.kind === "text" && !this.home.channels.has(this.data.id)
        ? tool("thread", "Create thread", () => this.pane.composer.nameThread(this.data)) : null,
      tool("link", "Copy link", () => this.pane.copyLink(this.data)),
      mine ? tool("edit", "Edit", () => this.pane.composer.edit(this.data)) : null,
      mine ? tool("trash", "Delete", () => this.do("delete")) : null,
      this.opener(),
    ].filter(Boolean);
  }

  opener() {
    const button = el("button", { class: "tool", type: "button", title: "More actions", "aria-label": "More actions", "aria-haspopup": "menu", "aria-expanded": "false" }, icon("more"));
    button.addEventListener("click", () => this.menu.turn(button));
    return button;
  }

  async press(action, value) {
    const said = await this.do("button", { action, value });
    if (said && said.ok === false) this.pane.tell("This interaction failed");
  }

  /** Do something with this message, and tell where that was declined. */
  async do(deed, more = {}) {
    try {
      return await act(deed, { ...this.pane.who(), message: this.data.id, ...more });
    } catch (error) {
      this.pane.tell(error.message);
      return null;
    }
  }
}
