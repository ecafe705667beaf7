// A small engine for inline markup: rules tried at each place, nodes made, nothing parsed as HTML.
//
// A rule is {starts, pattern, make}: the characters it may begin with, a sticky pattern, and
// make(match, inner, before) → node, or null where it doesn't apply after all.

import { el } from "./dom.js";

const DEEPEST = 10;

/** Return the nodes of a text under some rules. `plain` turns what is left into what is read. */
export function inline(text, rules, plain, depth = 0) {
  const nodes = [];
  let rest = 0;
  const flush = (end) => {
    if (end > rest) nodes.push(...lines(plain(text.slice(rest, end))));
  };
  const inner = (part) => (depth < DEEPEST ? inline(part, rules, plain, depth + 1) : lines(plain(part)));
  let at = 0;
  while (at < text.length) {
    const found = firstMatch(text, at, rules, inner);
    if (found === null) {
      at += 1;
      continue;
    }
    flush(at);
    nodes.push(found.node);
    rest = at = found.end;
  }
  flush(text.length);
  return nodes;
}

function firstMatch(text, at, rules, inner) {
  for (const rule of rules) {
    if (!rule.starts.includes(text[at])) continue;
    rule.pattern.lastIndex = at;
    const match = rule.pattern.exec(text);
    const node = match && rule.make(match, inner, text[at - 1] ?? "");
    if (node) return { node, end: at + (node.taken ?? match[0].length) };
  }
  return null;
}

/** Return a text with a <br> for each line break. */
export function lines(text) {
  return text.split("\n").flatMap((line, place) => (place ? [el("br"), line] : [line]));
}

/** Make a link to the web, or to a message in this very page; null for anything else. */
export function link(address, label) {
  const own = ownAnchor(address);
  if (own) return el("a", { class: "link own", href: own }, label ?? "› message");
  if (!/^(https?:\/\/|mailto:)/i.test(address)) return null;
  const shown = label ?? [address];
  return el("a", { class: "link", href: address, target: "_blank", rel: "noopener noreferrer" }, shown);
}

const SLACK_LINK = /^https?:\/\/([^/]+)\/archives\/([A-Z0-9]+)\/p(\d+)(\d{6})(?:[?#].*)?$/;
const DISCORD_LINK = /^https?:\/\/(?:[a-z]+\.)?discord(?:app)?\.com\/channels\/[^/]+\/(\d+)(?:\/(\d+))?$/;

/** Return this page's own anchor for a platform's link to a message. */
export function ownAnchor(address) {
  const slack = SLACK_LINK.exec(address);
  if (slack && (slack[1] === location.host || slack[1].endsWith(".slack.com"))) {
    return `#slack/${slack[2]}/${slack[3]}.${slack[4]}`;
  }
  const discord = DISCORD_LINK.exec(address);
  return discord && `#discord/${discord[1]}${discord[2] ? `/${discord[2]}` : ""}`;
}

export const isWord = (sign) => /[\p{L}\p{N}_]/u.test(sign);

export function mention(home, id, label) {
  const member = home.members.get(id);
  const name = member?.display ?? label ?? "unknown";
  return el("span", { class: `mention${id === home.me ? " me" : ""}` }, `@${name}`);
}

export function place(home, id, label) {
  const channel = home.channels.get(id);
  if (!channel) return el("span", { class: "mention" }, `#${label ?? "unknown"}`);
  return el("a", { class: "mention", href: `#${home.platform}/${id}` }, `#${channel.name}`);
}
