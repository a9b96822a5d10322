"use strict";
(() => {
  const SORTED_FROM = 8, SEARCHED_FROM = 15, MOST_KINDS = 8, LONGEST_KIND = 40;
  const parts = document.getElementById("for-scripts").content;
  const language = document.documentElement.lang;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const made = (name) => parts.querySelector(`[data-part="${name}"]`).cloneNode(true);
  const said = (name) => parts.querySelector(`[data-words="${name}"]`).textContent;
  const fill = (words, holes) => words.replace(/\{(\w+)\}/g, (hole, name) => holes[name] ?? hole);
  const compare = new Intl.Collator(language, { numeric: true }).compare;
  const mark = Object.fromEntries(
    new Intl.NumberFormat(language).formatToParts(-12345.6).map((part) => [part.type, part.value]),
  );

  /** What a cell says first, without its notes; a mark where it has no other words. */
  const firstWords = (cell) =>
    cell.firstChild?.nodeType === Node.TEXT_NODE && cell.firstChild.data.trim() ||
    cell.querySelector(".hold")?.textContent || "";

  /** The number that a cell prints; NaN where it prints none. */
  function numberIn(cell) {
    const plain = firstWords(cell).replaceAll(mark.group ?? ",", "").replace(mark.decimal, ".");
    const found = /^([<>]?)\s*([+\u2212-]?)\s*(\d+(?:\.\d+)?)/.exec(plain);
    if (!found) return NaN;
    const size = Number(found[3]) * { "<": 0.999, ">": 1.001, "": 1 }[found[1]];
    return found[2] === "\u2212" || found[2] === "-" ? -size : size;
  }

  function sorted(table, column, direction) {
    const rows = table.rows.map((row) => ({ row, cell: row.cells[column] }));
    const number = table.heads[column].classList.contains("number");
    for (const entry of rows) entry.key = number ? numberIn(entry.cell) : firstWords(entry.cell);
    const isKnown = ({ key }) => key !== "" && !Number.isNaN(key);
    const known = rows.filter(isKnown);
    const unknown = rows.filter((entry) => !isKnown(entry));
    known.sort((a, b) => direction * (number ? a.key - b.key : compare(a.key, b.key)));
    return [...known, ...unknown].map(({ row }) => row);
  }

  function order(table, column, direction) {
    table.heads.forEach((head, i) => {
      if (i === column && direction) {
        head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
      } else {
        head.removeAttribute("aria-sort");
      }
    });
    table.column = column;
    table.direction = direction;
    table.body.append(...(direction ? sorted(table, column, direction) : table.rows));
  }

  function addSorting(table) {
    table.heads.forEach((head, column) => {
      if (!head.textContent.trim()) return;
      const button = made("sort");
      button.prepend(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const before = table.column === column ? table.direction : 0;
        order(table, column, { 0: 1, 1: -1, "-1": 0 }[before]);
      });
    });
  }

  function addChoice(table, name, kinds, kindOf) {
    const choice = made("choice");
    const select = choice.querySelector("select");
    choice.querySelector("[data-name]").textContent = name;
    choice.querySelector("[data-caption]").textContent = table.caption;
    for (const kind of kinds) select.add(new Option(kind, kind));
    select.addEventListener("change", () => narrow(table));
    table.tests.push((row) => !select.value || kindOf(row) === select.value);
    table.tools.append(choice);
  }

  /** Offer a choice for every column of words that has only a few kinds, and for severity. */
  function addChoices(table) {
    const kindsOf = (kindOf) => [...new Set(table.rows.map(kindOf))].filter(Boolean);
    const severity = (row) => row.querySelector(".severity")?.textContent ?? "";
    const severities = kindsOf(severity);
    const steps = (word) => table.rows.find((row) => severity(row) === word)
      .querySelector(".severity").classList[1];
    severities.sort((a, b) => compare(steps(b), steps(a)));
    if (severities.length > 1) addChoice(table, said("severity"), severities, severity);
    table.heads.forEach((head, column) => {
      if (!column || head.classList.contains("number")) return;
      const kindOf = (row) => firstWords(row.cells[column]);
      const kinds = kindsOf(kindOf);
      const short = kinds.every((kind) => kind.length <= LONGEST_KIND);
      if (kinds.length > 1 && kinds.length <= MOST_KINDS && short) {
        addChoice(table, head.textContent.trim(), kinds.sort(compare), kindOf);
      }
    });
  }

  function narrow(table) {
    let left = 0;
    for (const row of table.rows) {
      row.hidden = !table.tests.every((test) => test(row));
      if (!row.hidden) left += 1;
    }
    table.status.textContent = fill(said(left ? "count" : "none"), {
      shown: left.toLocaleString(language),
      all: table.rows.length.toLocaleString(language),
    });
  }

  function addSearch(table) {
    table.tools = made("tools");
    table.status = table.tools.querySelector("[role=status]");
    table.tools.querySelector("[data-caption]").textContent = table.caption;
    const field = table.tools.querySelector("input");
    const words = new Map(table.rows.map((row) => [row, row.textContent.toLocaleLowerCase(language)]));
    table.tests = [(row) => words.get(row).includes(field.value.trim().toLocaleLowerCase(language))];
    field.addEventListener("input", () => narrow(table));
    addChoices(table);
    table.tools.append(table.status);
    table.element.closest(".box").before(table.tools);
  }

  function describe(element) {
    return {
      element, body: element.tBodies[0], rows: [...element.tBodies[0].rows],
      heads: [...element.tHead.rows[0].cells], caption: element.caption.textContent.trim(),
      column: -1, direction: 0,
    };
  }

  /** Only what scrolls needs to be reached by keyboard. */
  function addFocusWhereItScrolls() {
    const seen = new ResizeObserver((entries) => {
      for (const { target } of entries) {
        if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
        else target.removeAttribute("tabindex");
      }
    });
    all(".box, figure").forEach((element) => seen.observe(element));
  }

  function addFolding() {
    const folds = all("main details");
    if (!folds.length) return;
    const buttons = made("folding");
    buttons.addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (button) for (const fold of folds) fold.open = button.value === "open";
    });
    document.querySelector("nav").append(buttons);
  }

  function addCopying() {
    for (const command of all("code.command")) {
      const copy = made("copy");
      const status = copy.querySelector("[role=status]");
      copy.querySelector("button").addEventListener("click", async () => {
        getSelection().selectAllChildren(command);
        try {
          await navigator.clipboard.writeText(command.textContent);
          status.textContent = said("copied");
        } catch {
          status.textContent = said("selected");
        }
      });
      command.after(" ", copy);
    }
  }

  /** Mark the section that is being read in the table of contents. */
  function addPlace() {
    const links = new Map(all("nav a").map((a) => [document.querySelector(a.hash), a]));
    const [top] = links.keys();
    let waiting = false;
    const follow = () => {
      waiting = false;
      const passed = [...links.keys()].filter((h) => h.getBoundingClientRect().top < innerHeight / 3);
      const here = links.get(passed.at(-1) ?? top);
      for (const link of links.values()) {
        if (link === here) link.setAttribute("aria-current", "location");
        else link.removeAttribute("aria-current");
      }
    };
    addEventListener("scroll", () => {
      if (!waiting) requestAnimationFrame(follow);
      waiting = true;
    }, { passive: true });
    follow();
  }

  /** On paper everything is opened, in the report's own order, and nothing is left out. */
  function addPaper(tables) {
    let closed = [];
    addEventListener("beforeprint", () => {
      closed = all("details:not([open])");
      for (const fold of closed) fold.open = true;
      for (const { body, rows } of tables) body.append(...rows);
    });
    addEventListener("afterprint", () => {
      for (const fold of closed) fold.open = false;
      for (const table of tables) order(table, table.column, table.direction);
    });
  }

  const tables = all("main table").filter((t) => t.tBodies[0].rows.length >= SORTED_FROM).map(describe);
  for (const table of tables) {
    // The search reads the heads before they become buttons.
    if (table.rows.length >= SEARCHED_FROM) addSearch(table);
    addSorting(table);
  }
  addFocusWhereItScrolls();
  addFolding();
  addCopying();
  addPlace();
  addPaper(tables);
})();
