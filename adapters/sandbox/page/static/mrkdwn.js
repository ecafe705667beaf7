// Slack's markup as nodes: mrkdwn, which people write, and the Markdown that apps may send.

import { el } from "./dom.js";
import { bySlackName, emoji } from "./emoji.js";
import { inline, isWord, link, mention, place } from "./inline.js";
import { blocks, markdownRules } from "./markdown.js";

export const unescape = (text) =>
  text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

/** Return the nodes of a text in mrkdwn. */
export function mrkdwn(text, home) {
  const nodes = [];
  const fence = /```\n?([\s\S]*?)\n?```/g;
  const rules = mrkdwnRules(home);
  let rest = 0;
  for (const match of text.matchAll(fence)) {
    nodes.push(...paragraphs(text.slice(rest, match.index), rules));
    nodes.push(el("pre", {}, el("code", {}, unescape(match[1]))));
    rest = match.index + match[0].length;
  }
  nodes.push(...paragraphs(text.slice(rest), rules));
  return nodes;
}

/** Return the nodes of standard Markdown as Slack shows it (streams, markdown blocks). */
export function slackMarkdown(text, home) {
  const own = mrkdwnRules(home).filter((rule) => rule.both);
  return blocks(text, [...own, ...markdownRules(home, { underline: false })], unescape);
}

/** Return what a person would have typed for a text in mrkdwn. */
export function typedMrkdwn(text, home) {
  const typed = text.replace(/<(@|#|!)?([^>|]+)(?:\|([^>]*))?>/g, (_, sign, body, label) => {
    if (sign === "@") return `@${home.member(body).display}`;
    if (sign === "#") return `#${home.channels.get(body)?.name ?? label ?? body}`;
    return sign === "!" ? `@${body}` : label ?? body;
  });
  return unescape(typed);
}

function mrkdwnRules(home) {
  const span = (tag, starts) => ({
    starts,
    pattern: new RegExp(`[${starts}](?!\\s)([^${starts}\\n]+?)(?<!\\s)[${starts}](?![\\p{L}\\p{N}${starts}])`, "uy"),
    make: (match, inner, before) => (isWord(before) ? null : el(tag, {}, ...inner(match[1]))),
  });
  return [
    { starts: "`", pattern: /`([^`\n]+)`/y, make: (match) => el("code", {}, unescape(match[1])) },
    { starts: "<", both: true, pattern: /<([^<>\n]+)>/y, make: (match, inner) => angle(match[1], home, inner) },
    span("strong", "*"),
    span("em", "_"),
    span("s", "~"),
    { starts: ":", both: true, pattern: /:([a-z0-9_+'-]+):/y, make: (match) => named(match[1]) },
  ];
}

function angle(content, home, inner) {
  const [body, label] = content.split(/\|(.*)/s);
  if (body.startsWith("@")) return mention(home, body.slice(1), label);
  if (body.startsWith("#")) return place(home, body.slice(1), label);
  if (body.startsWith("!date")) return el("span", {}, unescape(label ?? ""));
  if (body.startsWith("!")) return el("span", { class: "mention me" }, `@${body.slice(1).split("^")[0]}`);
  const address = unescape(body);
  return link(address, label ? inner(label) : undefined) ?? el("span", {}, unescape(label ?? body));
}

function named(name) {
  const sign = bySlackName(name);
  return sign && emoji(sign, name);
}

const QUOTE = /^(?:&gt;|>)\s?/;
const ITEM = /^(\s*)([•◦▪-]|\d+\.)\s+/;

function paragraphs(text, rules) {
  const nodes = [];
  const write = (part) => inline(part, rules, unescape);
  let run = [];
  let kind = "";
  const flush = () => {
    const said = run.join("\n");
    if (kind === "quote") nodes.push(el("blockquote", {}, ...write(said)));
    else if (kind === "item") nodes.push(el("ul", { class: "flat" }, ...run.map((line) => item(line, write))));
    else if (said.trim()) nodes.push(el("p", {}, ...write(said)));
    run = [];
  };
  for (const line of text.replace(/^\n+|\n+$/g, "").split("\n")) {
    const now = QUOTE.test(line) ? "quote" : ITEM.test(line) ? "item" : line.trim() ? "text" : "gap";
    if (now !== kind || now === "gap") flush();
    kind = now;
    if (now !== "gap") run.push(now === "quote" ? line.replace(QUOTE, "") : line);
  }
  flush();
  return nodes;
}

function item(line, write) {
  const [marked, indent, sign] = ITEM.exec(line);
  const shown = /\d/.test(sign) ? sign : "•";
  const node = el("li", {}, el("span", { class: "sign" }, shown), el("span", {}, ...write(line.slice(marked.length))));
  node.style.setProperty("--depth", String(Math.min(indent.length >> 1, 4)));
  return node;
}
