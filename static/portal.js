// Conveniences only: every page works whole without this file. No markup is made from text
// (Trusted Types are enforced), and nothing is kept or sent anywhere.

const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// --- Copying. The buttons show only where there is a clipboard; plain http elsewhere has none.

const text = (element) => element.value ?? element.textContent;

function select(element) {
  if (element.select) {
    element.focus();
    element.select();
  } else {
    getSelection().selectAllChildren(element);
  }
}

function say(sentence) {
  const status = document.querySelector("[data-copied]");
  status.textContent = "";
  // Emptied first, so that a second copy is spoken as well.
  setTimeout(() => (status.textContent = sentence), 50);
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(text(source));
  } catch {
    select(source);
    say("The browser refused to copy. It is selected: copy it with Ctrl+C or Cmd+C.");
    return;
  }
  if (button.dataset.then) {
    location.assign(button.dataset.then);
    return;
  }
  say("Copied to clipboard.");
  const use = button.querySelector("use");
  const icon = use.getAttribute("href").split("#")[0];
  use.setAttribute("href", `${icon}#check`);
  setTimeout(() => use.setAttribute("href", `${icon}#copy`), 2000);
}

addEventListener("focusin", (event) => {
  if (event.target.matches("input[data-secret]")) event.target.select();
});

if (navigator.clipboard) {
  for (const button of all("[data-copy]")) button.hidden = false;
  for (const link of all("[data-close]")) link.hidden = true;
}

// --- Confirmations in place: the page behind the link, in a dialog. If anything about the answer
// is unusual (a redirect, an error, no such content), the link is simply followed.

function load(address) {
  return new Promise((resolve, reject) => {
    // Not fetch and DOMParser: this parses without a Trusted Types policy.
    const request = new XMLHttpRequest();
    request.open("GET", address);
    request.responseType = "document";
    request.onload = () => resolve(request);
    request.onerror = reject;
    request.send();
  });
}

async function openDialog(link) {
  if (link.ariaBusy) return;
  link.ariaBusy = "true";
  const answer = await load(link.href).catch(() => null);
  link.ariaBusy = null;
  const content = answer?.status === 200 && answer.responseURL === link.href && answer.response?.querySelector("[data-dialog-content]");
  if (!content) {
    location.assign(link.href);
    return;
  }
  const dialog = document.createElement("dialog");
  const heading = document.createElement("h2");
  const title = content.querySelector("h1");
  heading.id = "dialog-title";
  heading.append(...title.childNodes);
  title.replaceWith(heading);
  dialog.setAttribute("aria-labelledby", heading.id);
  dialog.append(document.adoptNode(content));
  dialog.addEventListener("close", () => {
    dialog.remove();
    link.focus();
  });
  document.body.append(dialog);
  enliven(dialog);
  dialog.showModal();
  const name = dialog.querySelector("[data-select]");
  if (name) name.select();
  else dialog.querySelector("[data-cancel]")?.focus({ preventScroll: true });
  dialog.scrollTop = 0;
}

// --- Menus close with Escape and by a press elsewhere; the focus goes back to their button.

addEventListener("keydown", (event) => {
  const menu = document.querySelector("details.menu[open]");
  if (event.key !== "Escape" || !menu || document.querySelector("dialog[open]")) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

addEventListener("click", (event) => {
  const target = event.target;
  if (!(target instanceof Element)) return;
  if (!target.closest("dialog")) {
    for (const menu of all("details.menu[open]")) if (!menu.contains(target)) menu.open = false;
  }
  const plain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  const button = target.closest("[data-copy], [data-show]");
  const link = target.closest("a[data-dialog], dialog a[data-cancel]");
  if (button?.dataset.copy) copy(button);
  if (button?.dataset.show) show(button, button.textContent.startsWith("Show"));
  if (link && plain) {
    event.preventDefault();
    if (link.matches("[data-dialog]")) openDialog(link);
    else link.closest("dialog").close();
  }
});

// --- Forms.

function show(button, visible) {
  document.getElementById(button.dataset.show).type = visible ? "text" : "password";
  button.querySelector("span").textContent = visible ? "Hide" : "Show";
}

function filter(input, items) {
  const wanted = input.value.trim().toLowerCase();
  for (const item of items) {
    // A ticked one stays in sight: nothing is chosen unseen.
    item.hidden = !item.textContent.toLowerCase().includes(wanted) && !item.querySelector(":checked");
  }
}

// What a page, or a dialog that has just come in, needs once.
function enliven(root) {
  for (const button of all("[data-show]", root)) button.hidden = false;
  for (const box of all("[data-filter]", root)) {
    // In a form it filters choices; elsewhere it says what it filters, and Enter asks the server.
    const choices = box.closest("fieldset");
    const items = choices ? all("li", choices) : all(box.dataset.filter);
    const input = box.querySelector("input");
    input.addEventListener("input", () => filter(input, items));
    if (!choices) continue;
    box.hidden = items.length <= 8;
    input.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
  }
}

// A form on its way looks busy and is not sent twice; the server makes one thing of two presses anyway.
function idle() {
  for (const form of all("form[aria-busy]")) form.removeAttribute("aria-busy");
}

addEventListener("submit", (event) => {
  // Browsers keep what is typed into text fields: a shown password goes back to being one.
  for (const button of all("[data-show]", event.target)) show(button, false);
  if (event.target.ariaBusy) {
    event.preventDefault();
    return;
  }
  event.target.ariaBusy = "true";
  setTimeout(idle, 10000);
});

// --- A revealed secret leaves the page with its reader. A page that comes back from the
// back-forward cache is asked for again: its reader may have signed out since.

addEventListener("pagehide", () => {
  for (const element of all("[data-secret]")) {
    if (element.value) element.defaultValue = element.value = "";
    else element.textContent = "";
  }
});

addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
  idle();
});

enliven(document);
const refused = document.querySelector("[data-focus]");
if (refused) refused.focus();
else document.querySelector("[data-select]")?.select();
