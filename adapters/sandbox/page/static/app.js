// The page: both panes on one feed, links to messages, and which half is seen.

import { Feed } from "./feed.js";
import { kept } from "./dom.js";
import { Home } from "./home.js";
import { Mishaps } from "./mishaps.js";
import { Pane } from "./pane.js";

const VIEW = "jay-sandbox-view";
const panes = new Map();
const stage = document.getElementById("stage");
const live = document.getElementById("live");
const line = document.getElementById("line");
const mishaps = new Mishaps(document.getElementById("wrong"), () => panes);
document.body.append(mishaps.node);

const feed = new Feed(hear, (state) => {
  line.dataset.state = state;
  line.textContent = state === "live" ? "live" : "reconnecting…";
});

function hear(event) {
  if (event.kind === "snapshot") return begin(event);
  if (event.kind === "mishaps") return changeMishaps(event);
  return panes.get(event.platform)?.hear(event);
}

function begin(snapshot) {
  const isFirst = panes.size === 0;
  for (const data of snapshot.homes) {
    const known = panes.get(data.platform);
    if (known?.home.id === data.id) {
      known.home.load(data);
      known.sidebar.draw();
    } else add(data);
  }
  mishaps.take(snapshot.mishaps);
  if (isFirst) show(kept.get(VIEW) ?? "both");
  if (!route()) for (const pane of panes.values()) reopen(pane);
  else for (const pane of panes.values()) if (!pane.channel) reopen(pane);
}

function add(data) {
  panes.get(data.platform)?.node.remove();
  const announce = (text) => live.replaceChildren(text);
  const pane = new Pane(new Home(data), { feed, announce, moved: () => mishaps.draw() });
  panes.set(data.platform, pane);
  stage.append(pane.node);
}

/** After a break everything is loaded anew: what happened meanwhile was not heard. */
function reopen(pane) {
  const here = pane.channel && pane.home.channels.has(pane.channel.id) ? pane.channel.id : pane.first();
  if (here) pane.open(here);
}

function changeMishaps(event) {
  for (const { platform, channel, read_only: readOnly } of event.places) {
    const pane = panes.get(platform);
    const place = pane?.home.channels.get(channel);
    if (!place || place.read_only === readOnly) continue;
    place.read_only = readOnly;
    place.changed = readOnly;
    if (pane.channel?.id === channel) {
      pane.channel = place;
      pane.drawBar();
    }
  }
  mishaps.take(event.mishaps);
}

// Links to messages: #slack/<channel>/<message>

let routed = "";

function route() {
  const match = /^#(slack|discord)\/([^/]+)(?:\/([^/]+))?$/.exec(decodeURIComponent(location.hash));
  const pane = match && panes.get(match[1]);
  if (!pane || location.hash === routed) return false;
  routed = location.hash;
  const [, platform, channel, target] = match;
  if (document.body.dataset.view !== "both" || narrow.matches) show(platform);
  pane.open(channel, { target });
  return true;
}

function follow(anchor) {
  routed = "";
  history.replaceState(null, "", anchor);
  route();
}

window.addEventListener("hashchange", () => {
  routed = "";
  route();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest?.('a[href^="#"]');
  if (!link || event.ctrlKey || event.metaKey || link.classList.contains("skip")) return;
  event.preventDefault();
  follow(link.getAttribute("href"));
});

// Which half is seen

const narrow = window.matchMedia("(max-width: 900px)");
const choices = [...document.querySelectorAll("[data-show]")];

function show(view) {
  const seen = view === "both" && narrow.matches ? "slack" : view;
  document.body.dataset.view = seen;
  for (const choice of choices) choice.setAttribute("aria-pressed", String(choice.dataset.show === seen));
}

for (const choice of choices) {
  choice.addEventListener("click", () => {
    kept.set(VIEW, choice.dataset.show);
    show(choice.dataset.show);
  });
}
narrow.addEventListener("change", () => show(kept.get(VIEW) ?? "both"));

// F6 goes from one half to the other, as in a browser.
document.addEventListener("keydown", (event) => {
  if (event.key !== "F6") return;
  event.preventDefault();
  const seen = [...panes.values()].filter((pane) => pane.node.offsetParent);
  const at = seen.findIndex((pane) => pane.node.contains(document.activeElement));
  seen[(at + 1) % seen.length]?.composer.area.focus();
});
