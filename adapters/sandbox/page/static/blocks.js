// What apps hang on a message beside its text: Slack's blocks, Discord's embeds and components.

import { el } from "./dom.js";
import { bySlackName } from "./emoji.js";
import { link, mention, place } from "./inline.js";
import { markdown } from "./markdown.js";
import { mrkdwn, slackMarkdown, unescape } from "./mrkdwn.js";

/** Return the nodes of Slack's blocks. `press(action, value)` is called for a button. */
export function slackBlocks(blocks, home, press) {
  return blocks.map((block) => slackBlock(block, home, press)).filter(Boolean);
}

function slackBlock(block, home, press) {
  const text = (given) =>
    given?.type === "mrkdwn" ? mrkdwn(given.text, home) : [el("p", {}, unescape(given?.text ?? ""))];
  const parts = (block.elements ?? []).map((one) => (one.type === "button" ? slackButton(one, press) : null));
  switch (block.type) {
    case "header":
      return el("h4", { class: "h2" }, block.text?.text ?? "");
    case "section":
      return el(
        "div",
        { class: "section" },
        ...(block.text ? text(block.text) : []),
        ...(block.fields ?? []).map((field) => el("div", { class: "field" }, ...text(field))),
        block.accessory?.type === "button" ? slackButton(block.accessory, press) : null,
      );
    case "context":
      return el("div", { class: "context" }, ...block.elements.flatMap((one) => (one.text ? text(one) : [])));
    case "divider":
      return el("hr");
    case "actions":
    case "context_actions":
      return el("div", { class: "buttons" }, ...parts);
    case "markdown":
      return el("div", {}, ...slackMarkdown(block.text ?? "", home));
    case "rich_text":
      return el("div", {}, ...block.elements.map((one) => richPart(one, home)));
    default:
      return null;
  }
}

function slackButton(one, press) {
  const label = one.text?.text ?? "Button";
  const style = one.style === "primary" ? "good" : one.style === "danger" ? "bad" : "";
  return button(label, style, one.url, () => press(one.action_id, one.value ?? ""));
}

function button(label, style, url, press) {
  const own = url ? link(url, [label]) : null;
  if (own) {
    own.className = `button ${style}`;
    return own;
  }
  const node = el("button", { class: `button ${style}`, type: "button" }, label);
  node.addEventListener("click", async () => {
    node.disabled = true;
    await press();
    node.disabled = false;
  });
  return node;
}

function richPart(part, home) {
  const inner = () => (part.elements ?? []).map((one) => richPart(one, home));
  switch (part.type) {
    case "rich_text_list":
      return el("ul", {}, ...(part.elements ?? []).map((one) => el("li", {}, richPart(one, home))));
    case "rich_text_quote":
      return el("blockquote", {}, ...inner());
    case "rich_text_preformatted":
      return el("pre", {}, el("code", {}, ...inner()));
    case "text":
      return styled(part);
    case "link":
      return link(part.url, [part.text ?? part.url]) ?? part.text ?? part.url;
    case "user":
      return mention(home, part.user_id);
    case "channel":
      return place(home, part.channel_id);
    case "emoji":
      return bySlackName(part.name) ?? `:${part.name}:`;
    case "broadcast":
      return el("span", { class: "mention me" }, `@${part.range}`);
    default:
      return el("p", {}, ...inner());
  }
}

function styled(part) {
  const { bold, italic, strike, code } = part.style ?? {};
  let node = document.createTextNode(part.text ?? "");
  for (const [on, tag] of [[code, "code"], [strike, "s"], [italic, "em"], [bold, "strong"]]) {
    if (on) node = el(tag, {}, node);
  }
  return node;
}

/** Return the nodes of Discord's embeds. */
export function discordEmbeds(embeds, home) {
  return embeds.map((embed) => {
    const color = `#${Number(embed.color ?? 0x5865f2).toString(16).padStart(6, "0")}`;
    const title = embed.title && (embed.url ? link(embed.url, [embed.title]) : embed.title);
    return el(
      "div",
      { class: "embed", tint: color },
      embed.author?.name ? el("p", { class: "small" }, embed.author.name) : null,
      title ? el("h5", { class: "h3" }, title) : null,
      ...(embed.description ? markdown(embed.description, home) : []),
      ...(embed.fields ?? []).map((field) =>
        el("div", { class: "field" }, el("strong", {}, field.name), ...markdown(field.value, home)),
      ),
      embed.footer?.text ? el("p", { class: "small" }, embed.footer.text) : null,
    );
  });
}

const STYLES = { 1: "main", 3: "good", 4: "bad" };

/** Return the nodes of Discord's components: rows of buttons, and texts of the newer kind. */
export function discordComponents(components, home, press) {
  return components.flatMap((one) => {
    const inner = () => discordComponents(one.components ?? [], home, press);
    if (one.type === 1) return [el("div", { class: "buttons" }, ...inner())];
    if (one.type === 2) {
      const label = [one.emoji?.name, one.label].filter(Boolean).join(" ");
      const node = button(label, STYLES[one.style] ?? "", one.url, () => press(one.custom_id, ""));
      if (one.disabled) node.setAttribute("disabled", "");
      return [node];
    }
    if (one.type === 10) return [el("div", {}, ...markdown(one.content ?? "", home))];
    if (one.type === 14) return [el("hr")];
    return inner();
  });
}
