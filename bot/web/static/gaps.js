// What an editor does about a group of questions; what that changed is said under it.

import {h, post, t} from "./chat.js";

async function act(form) {
  const buttons = [...form.closest(".gap").querySelectorAll("button")].filter((button) => !button.disabled);
  buttons.forEach((button) => { button.disabled = true; });
  const answer = await post(`/gaps/${form.dataset.act}`, Object.fromEntries(new FormData(form)));
  buttons.forEach((button) => { button.disabled = Boolean(answer) && form.contains(button); });
  if (!answer) return;
  const gap = form.closest(".gap");
  gap.querySelector("meter").value = answer.answered;
  gap.querySelector(".now span").textContent = t("gaps_now", answer);
  gap.querySelector("[role=status]").replaceChildren(answer.text, " ", answer.href ? h("a", {href: answer.href}, answer.link) : "");
}

for (const form of document.querySelectorAll("form[data-act]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(form);
  });
}
