// The emoji that Slack calls by name, as far as people here use them, and how one is shown.

import { el, sprite } from "./dom.js";

const BY_NAME = {
  "+1": "👍", thumbsup: "👍", "-1": "👎", thumbsdown: "👎", heart: "❤️", tada: "🎉", joy: "😂",
  smile: "😄", slightly_smiling_face: "🙂", eyes: "👀", fire: "🔥", rocket: "🚀", pray: "🙏",
  clap: "👏", raised_hands: "🙌", wave: "👋", muscle: "💪", thinking_face: "🤔", sob: "😭",
  white_check_mark: "✅", heavy_check_mark: "✔️", x: "❌", warning: "⚠️", bulb: "💡", bug: "🐛",
  coffee: "☕", cake: "🍰", ship: "🚢", anchor: "⚓", ocean: "🌊", evergreen_tree: "🌲", star: "⭐",
  hourglass_flowing_sand: "⏳", speech_balloon: "💬", memo: "📝", mag: "🔍", robot_face: "🤖",
  bike: "🚲", cat: "🐱", dog: "🐶", book: "📖", calendar: "📅", lock: "🔒", key: "🔑", bell: "🔔",
  sweat_smile: "😅", wink: "😉", sunny: "☀️", snowflake: "❄️", umbrella: "☔", octagonal_sign: "🛑",
  one: "1️⃣", two: "2️⃣", three: "3️⃣", four: "4️⃣", five: "5️⃣", "100": "💯", ok_hand: "👌",
};

export const bySlackName = (name) => (Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : null);

/** What one press on a message offers; Slack takes the name, Discord the sign. */
export const QUICK = ["+1", "heart", "joy", "tada", "eyes", "white_check_mark"].map((name) => ({
  name,
  sign: BY_NAME[name],
}));

const DRAWN = {
  "👍": "thumbsup", "❤": "heart", "😂": "joy", "🎉": "tada", "👀": "eyes", "✅": "check",
  "1⃣": "one", "2⃣": "two", "🌳": "tree", "🌱": "seedling",
};

/** Whether this machine has a font with emoji: without one, all look like the same empty box. */
const hasFont = (() => {
  const picture = (sign) => {
    const canvas = el("canvas", { width: "24", height: "24" });
    const paint = canvas.getContext("2d");
    paint.font = "16px sans-serif";
    paint.fillText(sign, 2, 18);
    return canvas.toDataURL();
  };
  return picture("👍") !== picture("🎉");
})();

/** Return the node that shows an emoji; the most used ones are drawn where no font has them. */
export function emoji(sign, label) {
  const drawn = hasFont ? null : DRAWN[sign.replaceAll("\uFE0F", "")];
  return el("span", { class: "emoji", role: "img", "aria-label": label ?? sign }, drawn ? sprite("emoji", drawn) : sign);
}
