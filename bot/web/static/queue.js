// The queue reads itself anew: at once when something happens to a ticket, every 15 seconds for what grows with time.

const source = new EventSource("/events");
let waiting;

source.addEventListener("happened", () => {
  clearTimeout(waiting);
  waiting = setTimeout(read, 500); // one reading for what comes together
});
addEventListener("pagehide", () => source.close());
setInterval(read, 15_000);

/** The rows anew; where the reader has scrolled to and which ticket has the focus stays. */
async function read() {
  const response = await fetch(location.href).catch(() => null);
  if (!response?.ok || response.redirected) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const content = document.getElementById("content");
  const focused = content.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  content.replaceChildren(...document.adoptNode(page.getElementById("content")).childNodes);
  if (focused) content.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({preventScroll: true});
}
