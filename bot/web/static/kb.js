// The box that asks the knowledge base.

import {post} from "./chat.js";
import {showWhy} from "./why.js";

const form = document.getElementById("ask");
form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await post("/kb/ask", {text: form.elements.text.value});
  if (answer) showWhy(document.getElementById("why"), answer);
});
