// Building nodes without ever parsing HTML: text stays text.

/** Make an element. `on` holds listeners, `data` the dataset; other keys are attributes. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name === "tint") node.style.setProperty("--tint", value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

/** Make one of our icons; it says nothing to a screen reader. */
export const icon = (name) => sprite("icons", name);

/** Make a picture out of one of the two sprites, icons.svg and emoji.svg. */
export function sprite(file, name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `/page/static/${file}.svg#${name}`);
  svg.append(use);
  return svg;
}

const initials = (name) => {
  const words = name.split(/\s+/).filter(Boolean);
  return ((words[0]?.[0] ?? "?") + (words.length > 1 ? words.at(-1)[0] : "")).toUpperCase();
};

/** Make a member's picture: initials on their colour, or the bot's face. */
export function avatar(member, size = "") {
  const inner = member?.bot ? icon("bot") : initials(member?.display ?? "?");
  return el("span", { class: `avatar ${size}`, tint: member?.color ?? "#607d8b", "aria-hidden": "true" }, inner);
}

export const clock = (at) =>
  new Date(at * 1000).toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });

export const dayKey = (at) => new Date(at * 1000).toDateString();

export function dayName(at) {
  const date = new Date(at * 1000);
  const today = new Date();
  const yesterday = new Date(today);
  yesterday.setDate(today.getDate() - 1);
  if (date.toDateString() === today.toDateString()) return "Today";
  if (date.toDateString() === yesterday.toDateString()) return "Yesterday";
  return date.toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long" });
}

export function fileSize(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${Math.round(bytes / 1000)} kB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Keep something over reloads where the browser allows it. */
export const kept = {
  get(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // storage is switched off: nothing is kept
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(key, value);
    } catch {
      return; // as above
    }
  },
};
