"use strict";

/* Light and dark: the system's choice until somebody makes another. */
const themeButton = document.getElementById("theme");
const systemIsDark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme ?? (systemIsDark.matches ? "dark" : "light")) === "dark";
const labelTheme = () => { themeButton.textContent = isDark() ? "Light" : "Dark"; };
themeButton.hidden = false;
themeButton.addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  labelTheme();
});
systemIsDark.addEventListener("change", labelTheme);
labelTheme();

/* Paper shows everything that opens on demand, but of paged tables only what is on the screen. */
addEventListener("beforeprint", () => {
  for (const each of document.querySelectorAll("details:not([open])")) {
    each.open = true;
    each.dataset.forPrint = "";
  }
});
addEventListener("afterprint", () => {
  for (const each of document.querySelectorAll("details[data-for-print]")) {
    each.open = false;
    delete each.dataset.forPrint;
  }
});

/* What a mark of a picture stands for. */
const tip = document.createElement("div");
tip.className = "tip";
tip.hidden = true;
document.body.append(tip);
document.addEventListener("pointermove", (event) => {
  const mark = event.target.closest?.("figure svg [aria-label][aria-roledescription]");
  const kind = mark?.getAttribute("aria-roledescription") ?? "";
  tip.hidden = !mark || ["axis", "legend", "title", "visualization"].includes(kind) || kind.endsWith("container");
  if (tip.hidden) return;
  tip.textContent = mark.getAttribute("aria-label").split("; ").join("\n");
  const box = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - box.width - 8))}px`;
  tip.style.top = `${Math.max(4, Math.min(event.clientY + 14, innerHeight - box.height - 8))}px`;
});

/* Long tables: rows are unpacked when first needed; filtered, sorted and shown a page at a time. */
const PAGE = 50;
const tables = [];

async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

const textOf = (cell) => (Array.isArray(cell) ? cell[0] : cell);

function numberOf(cell) {
  const text = textOf(cell).replace(/[,<%]/g, "");
  return text === "" ? Infinity : Number(text);
}

class PagedTable {
  constructor(box) {
    this.box = box;
    this.kinds = box.dataset.columns.split(" ");
    this.page = 0;
    this.sorted = null;
    this.loading = null;
    this.status = element("span", { role: "status" });
    this.back = element("button", { type: "button", textContent: "Previous", onclick: () => this.show(this.page - 1) });
    this.next = element("button", { type: "button", textContent: "Next", onclick: () => this.show(this.page + 1) });
    const find = element("input", { type: "search", placeholder: "words to find" });
    find.setAttribute("aria-label", "Show only rows that contain these words");
    let waiting = 0;
    find.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => this.filter(find.value), 200);
    });
    box.prepend(element("div", { className: "pager" }, find, this.back, this.next, this.status));
    this.heads = [...box.querySelectorAll("thead th")];
    this.heads.forEach((head, column) => {
      const sort = element("button", { type: "button", textContent: head.textContent, onclick: () => this.sort(column) });
      head.replaceChildren(sort);
    });
  }

  load() {
    this.loading ??= unpack(this.box.querySelector("script.rows").textContent).then((data) => {
      this.rows = data.rows;
      this.anchors = data.anchors;
      this.order = this.rows.map((_, at) => at);
      this.show(0);
    });
    return this.loading;
  }

  async filter(text) {
    await this.load();
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    this.lower ??= this.rows.map((row) => row.map(textOf).join("\n").toLowerCase());
    this.order = this.rows.map((_, at) => at).filter((at) => words.every((word) => this.lower[at].includes(word)));
    if (this.sorted) this.arrange();
    this.show(0);
  }

  async sort(column) {
    await this.load();
    const up = !(this.sorted?.column === column && this.sorted.up);
    this.sorted = { column, up };
    this.arrange();
    this.heads.forEach((head, at) => {
      if (at === column) head.setAttribute("aria-sort", up ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    });
    this.show(0);
  }

  arrange() {
    const { column, up } = this.sorted;
    const number = this.kinds[column] === "number";
    const compare = number
      ? (a, b) => numberOf(this.rows[a][column]) - numberOf(this.rows[b][column]) || 0
      : (a, b) => { const [x, y] = [textOf(this.rows[a][column]), textOf(this.rows[b][column])]; return x < y ? -1 : x > y ? 1 : 0; };
    this.order.sort((a, b) => (up ? compare(a, b) : compare(b, a)) || a - b);
  }

  show(page) {
    const pages = Math.max(1, Math.ceil(this.order.length / PAGE));
    this.page = Math.min(Math.max(0, page), pages - 1);
    const shown = this.order.slice(this.page * PAGE, (this.page + 1) * PAGE);
    this.box.querySelector("tbody").replaceChildren(...shown.map((at) => this.row(at)));
    this.back.disabled = this.page === 0;
    this.next.disabled = this.page === pages - 1;
    const first = this.page * PAGE + 1;
    this.status.textContent = shown.length
      ? `${first.toLocaleString("en")} to ${(first + shown.length - 1).toLocaleString("en")} of ${this.order.length.toLocaleString("en")}`
      : "no row contains these words";
  }

  row(at) {
    const made = element("tr", {});
    if (this.anchors.length) made.id = this.anchors[at];
    this.rows[at].forEach((cell, column) => {
      const holder = element(column === 0 ? "th" : "td", {});
      if (column === 0) holder.scope = "row";
      else holder.className = this.kinds[column];
      if (Array.isArray(cell)) holder.append(element("a", { href: `#${cell[1]}`, textContent: cell[0] }));
      else if (this.kinds[column] === "code") holder.append(element("code", { textContent: cell }));
      else holder.append(cell);
      made.append(holder);
    });
    return made;
  }

  async find(anchor) {
    await this.load();
    const at = this.anchors.indexOf(anchor);
    if (at < 0) return null;
    if (!this.order.includes(at)) this.order = this.rows.map((_, each) => each);
    this.show(Math.floor(this.order.indexOf(at) / PAGE));
    return document.getElementById(anchor);
  }
}

for (const box of document.querySelectorAll(".paged")) {
  const made = new PagedTable(box);
  tables.push(made);
  new IntersectionObserver((seen, observer) => {
    if (seen.some((each) => each.isIntersecting)) {
      observer.disconnect();
      made.load();
    }
  }, { rootMargin: "400px" }).observe(box);
}

/* A link to a run opens what hides it. */
async function follow() {
  const anchor = decodeURIComponent(location.hash.slice(1));
  if (!anchor) return;
  let row = document.getElementById(anchor);
  if (anchor.startsWith("run-")) {
    for (const each of tables) row ??= await each.find(anchor);
  }
  if (!row) return;
  for (let above = row.parentElement; above; above = above.parentElement) {
    if (above instanceof HTMLDetailsElement) above.open = true;
  }
  document.querySelectorAll("tr.target").forEach((each) => each.classList.remove("target"));
  row.classList.add("target");
  row.scrollIntoView({ block: anchor.startsWith("run-") ? "center" : "start" });
}
addEventListener("hashchange", follow);
follow();
