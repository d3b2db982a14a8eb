// The owner sets the answer threshold; what came of it is said below.

import {post} from "./chat.js";

const form = document.getElementById("set");
form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  const answer = await post("/threshold/set", Object.fromEntries(new FormData(form)));
  button.disabled = false;
  if (answer) document.querySelector(".costs [role=status]").textContent = answer.text;
});
