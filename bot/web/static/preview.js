// An article in the skins of both kinds of chat.

import {messageElement, setZone} from "./chat.js";

const place = document.querySelector("[data-skins]");
setZone(Number(place.dataset.offset));
for (const [skin, messages] of Object.entries(JSON.parse(place.dataset.skins))) {
  const log = place.querySelector(`[data-skin="${skin}"] .log`);
  const act = {press() {}, edit() {}, why: null};
  log.replaceChildren(...messages.map((message) => messageElement(message, {mine: Boolean(message.press), names: false, act, old: true})));
}
