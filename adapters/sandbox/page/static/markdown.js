// Discord's Markdown as nodes.

import { el } from "./dom.js";
import { inline, isWord, link, mention, place } from "./inline.js";

const same = (text) => text;

/** Return the nodes of a text in Discord's Markdown. */
export function markdown(text, home) {
  return blocks(text, markdownRules(home, { underline: true }), same);
}

/** Return what a person would have typed for a text in Discord's markup. */
export function typedMarkdown(text, home) {
  return text
    .replace(/<@!?(\d+)>/g, (_, id) => `@${home.member(id).display}`)
    .replace(/<#(\d+)>/g, (_, id) => `#${home.channels.get(id)?.name ?? id}`);
}

/** Return the inline rules of Markdown; Discord underlines `__`, others make it bold. */
export function markdownRules(home, { underline }) {
  const wrap = (tag) => (match, inner) => el(tag, {}, ...inner(match[1]));
  return [
    { starts: "\\", pattern: /\\([^\p{L}\p{N}\s])/uy, make: (match) => document.createTextNode(match[1]) },
    { starts: "`", pattern: /(`+)([\s\S]*?[^`])\1(?!`)/y, make: (match) => el("code", {}, match[2]) },
    { starts: "|", pattern: /\|\|([\s\S]+?)\|\|/y, make: (match, inner) => spoiler(inner(match[1])) },
    { starts: "*", pattern: /\*\*\*([^*\n]+?)\*\*\*/y,
      make: (match, inner) => el("strong", {}, el("em", {}, ...inner(match[1]))) },
    { starts: "*", pattern: /\*\*([\s\S]+?)\*\*(?!\*)/y, make: wrap("strong") },
    { starts: "*", pattern: /\*(?![\s*])([\s\S]*?[^\s*])\*(?!\*)/y, make: wrap("em") },
    { starts: "_", pattern: /__([\s\S]+?)__(?!_)/y, make: wrap(underline ? "u" : "strong") },
    { starts: "_", pattern: /_([^_\n]+?)_(?![\p{L}\p{N}])/uy,
      make: (match, inner, before) => (isWord(before) ? null : wrap("em")(match, inner)) },
    { starts: "~", pattern: /~~([\s\S]+?)~~/y, make: wrap("s") },
    { starts: "[", pattern: /\[([^\]\n]+)\]\(<?([^\s)>]+)>?\)/y,
      make: (match, inner) => link(match[2], inner(match[1])) },
    { starts: "<", pattern: /<([^<>\s]+)>/y, make: (match) => angle(match[1], home) },
    { starts: "h", pattern: /https?:\/\/[^\s<>]+/y, make: (match, _, before) => bare(match[0], before) },
    { starts: "@", pattern: /@(everyone|here)\b/y,
      make: (match) => el("span", { class: "mention me" }, match[0]) },
  ];
}

function angle(content, home) {
  let match;
  if ((match = /^@!?(\d+)$/.exec(content))) return mention(home, match[1]);
  if (/^@&\d+$/.test(content)) return el("span", { class: "mention" }, "@role");
  if ((match = /^#(\d+)$/.exec(content))) return place(home, match[1]);
  if ((match = /^\/([^:]+):\d+$/.exec(content))) return el("span", { class: "mention" }, `/${match[1]}`);
  if ((match = /^a?:(\w+):\d+$/.exec(content))) return el("span", {}, `:${match[1]}:`);
  if ((match = /^t:(\d+)(?::(\w))?$/.exec(content))) return time(Number(match[1]), match[2]);
  return link(content);
}

function time(at, style) {
  const date = new Date(at * 1000);
  const shown = style === "t" || style === "T" ? date.toLocaleTimeString() : date.toLocaleString();
  return el("time", { class: "stamp", datetime: Number.isNaN(date.valueOf()) ? "" : date.toISOString() }, shown);
}

function bare(address, before) {
  if (isWord(before)) return null;
  let end = address.replace(/[.,;:!?'"\])}]+$/, "").length;
  if (address[end] === ")" && address.slice(0, end).includes("(")) end += 1;
  const node = link(address.slice(0, end));
  if (node) node.taken = end;
  return node;
}

function spoiler(nodes) {
  const reveal = (event) => {
    if (event.type === "keydown" && !["Enter", " "].includes(event.key)) return;
    event.preventDefault();
    node.classList.add("shown");
    node.removeAttribute("role");
    node.removeAttribute("aria-label");
  };
  const node = el(
    "span",
    { class: "spoiler", role: "button", tabindex: "0", "aria-label": "Spoiler, press to show", on: { click: reveal, keydown: reveal } },
    el("span", {}, ...nodes),
  );
  return node;
}

const FENCE = /```(?:([\w+#.-]*)\n)?([\s\S]*?)\n?```/g;
const ITEM = /^(\s*)([-*+]|\d+[.)])\s+/;

/** Return the nodes of a text with blocks: fences, headings, quotes, lists, paragraphs. */
export function blocks(text, rules, plain) {
  const nodes = [];
  let rest = 0;
  for (const match of text.matchAll(FENCE)) {
    nodes.push(...flow(text.slice(rest, match.index), rules, plain));
    nodes.push(el("pre", { data: match[1] ? { lang: match[1] } : undefined }, el("code", {}, plain(match[2]))));
    rest = match.index + match[0].length;
  }
  const open = text.indexOf("```", rest);
  if (open < 0) return [...nodes, ...flow(text.slice(rest), rules, plain)];
  // A fence that is still being written is shown as one already.
  const [, lang, code] = /^```(?:([\w+#.-]*)\n)?([\s\S]*)$/.exec(text.slice(open));
  nodes.push(...flow(text.slice(rest, open), rules, plain));
  nodes.push(el("pre", { data: lang ? { lang } : undefined }, el("code", {}, plain(code))));
  return nodes;
}

function flow(text, rules, plain) {
  const nodes = [];
  const write = (part) => inline(part, rules, plain);
  let run = [];
  let kind = "";
  const flush = () => {
    if (kind === "quote") nodes.push(el("blockquote", {}, ...flow(run.join("\n"), rules, plain)));
    else if (kind === "item") nodes.push(el("ul", { class: "flat" }, ...run.map((line) => item(line, write))));
    else if (kind === "text") nodes.push(el("p", {}, ...write(run.join("\n"))));
    run = [];
  };
  const all = text.replace(/^\n+|\n+$/g, "").split("\n");
  for (const [number, line] of all.entries()) {
    if (line.startsWith(">>> ")) {
      flush();
      const rest = [line.slice(4), ...all.slice(number + 1)].join("\n");
      return [...nodes, el("blockquote", {}, ...flow(rest, rules, plain))];
    }
    const now = kindOf(line);
    if (now !== kind || now === "gap" || now === "line") flush();
    kind = now;
    if (now === "line") nodes.push(whole(line, write));
    else if (now !== "gap") run.push(now === "quote" ? line.replace(/^(?:>|&gt;)\s?/, "") : line);
  }
  flush();
  return nodes;
}

function kindOf(line) {
  if (/^(#{1,3}|-#)\s+\S/.test(line)) return "line";
  if (/^(?:>|&gt;)(\s|$)/.test(line)) return "quote";
  if (ITEM.test(line)) return "item";
  return line.trim() ? "text" : "gap";
}

function whole(line, write) {
  const [, sign, said] = /^(#{1,3}|-#)\s+(.*)$/.exec(line);
  if (sign === "-#") return el("p", { class: "small" }, ...write(said));
  // Headings of the page end at h3; a message's own begin below.
  return el(`h${3 + sign.length}`, { class: `h${sign.length}` }, ...write(said));
}

function item(line, write) {
  const [marked, indent, sign] = ITEM.exec(line);
  const shown = /\d/.test(sign) ? sign : "•";
  const node = el("li", {}, el("span", { class: "sign" }, shown), el("span", {}, ...write(line.slice(marked.length))));
  node.style.setProperty("--depth", String(Math.min(indent.length >> 1, 4)));
  return node;
}
