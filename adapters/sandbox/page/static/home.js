// One workspace or server as the page knows it: who is there, where, and who I am.

import { kept } from "./dom.js";

/** Compare two message ids of one platform. */
export const older = (a, b) => (a.length - b.length || (a < b ? -1 : a > b ? 1 : 0)) < 0;

export class Home {
  constructor(data) {
    this.platform = data.platform;
    this.load(data);
    this.unread = new Map();
    this.me = kept.get(`jay-sandbox-me-${data.platform}-${data.id}`);
    if (!this.people().some((one) => one.id === this.me)) this.me = data.persona;
  }

  load(data) {
    this.id = data.id;
    this.name = data.name;
    this.bot = data.bot;
    this.suggestions = data.suggestions;
    this.members = new Map(data.members.map((one) => [one.id, one]));
    this.channels = new Map(data.channels.map((one) => [one.id, one]));
  }

  become(member) {
    this.me = member;
    kept.set(`jay-sandbox-me-${this.platform}-${this.id}`, member);
  }

  member(id) {
    return this.members.get(id) ?? { id, name: "somebody", display: "Somebody", color: "#78909c" };
  }

  people() {
    return [...this.members.values()].filter((one) => !one.bot && !one.gone);
  }

  /** Whether I can read a channel: its members do, and a thread its parent's. */
  sees(channel) {
    const parent = channel.parent ? this.channels.get(channel.parent) : null;
    return channel.members.includes(this.me) || (parent?.members.includes(this.me) ?? false);
  }

  places(kind) {
    return [...this.channels.values()].filter((one) => one.kind === kind && this.sees(one));
  }

  threadsOf(channel) {
    return this.places("thread").filter((one) => one.parent === channel);
  }

  directWith(member) {
    return this.places("direct").find((one) => one.members.includes(member));
  }

  partner(channel) {
    return this.member(channel.members.find((one) => one !== this.me) ?? this.me);
  }

  title(channel) {
    return channel.kind === "direct" ? this.partner(channel).display : channel.name;
  }

  memberCalled(name) {
    const wanted = name.toLowerCase();
    return [...this.members.values()].find(
      (one) => one.name.toLowerCase() === wanted || one.display.toLowerCase() === wanted,
    );
  }
}
