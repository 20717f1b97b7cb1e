"use strict";

/*
 * The index: search, filters, sorting and keys over the rows that the page already holds. Without this script the table
 * is whole, only not sorted and searched. What the reports' texts hold comes from another file, as one string: a line a
 * word, sorted, with the numbers of the rows in which it stands.
 */
(() => {
  const STEP = 150;
  const MARKED = 200;
  const table = document.getElementById("vehicles");
  const body = table.tBodies[0];
  const form = document.querySelector(".tools");
  const field = form.elements.namedItem("q");
  const clear = form.querySelector("[type=reset]");
  const choice = form.elements.namedItem("sort");
  const count = document.getElementById("count");
  const none = document.querySelector(".none");
  const heads = [...table.tHead.rows[0].cells];
  const names = heads.map((head) => head.textContent.trim().toLowerCase());
  const filters = ["make", "year", "state"].filter((name) => form.elements.namedItem(name));
  const vehicles = [...body.rows].map((row, place) => ({
    row,
    place,
    shown: true,
    text: plain([...row.cells].slice(0, 3).map((cell) => cell.textContent).join("\n")),
    keys: [],
  }));
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const number = new Intl.NumberFormat("en");
  let order = vehicles;
  let placing = 0;
  let marked = new Set();
  let words = null;

  /* One spelling for what is searched and what is searched for: no case, no accents, no commas within numbers. */
  function plain(text) {
    return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/(\d),(?=\d{3})/g, "$1");
  }

  function wordList() {
    words ??= (globalThis.reportText ?? "").split("\n");
    return words;
  }

  /* The place of the first line that is not before a word. */
  function firstFrom(lines, word) {
    let low = 0;
    let high = lines.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (lines[middle] < word) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /* Mark the rows of a line: gaps to the next row in base 36, each with how many rows more follow it at once. */
  function mark(line, rows) {
    let at = 0;
    for (const run of line.split(" ").slice(1)) {
      const [gap, more] = run.split("+");
      at += parseInt(gap, 36);
      const end = at + (more ? parseInt(more, 36) : 0);
      rows.fill(1, at, end + 1);
      at = end + 1;
    }
  }

  /* The rows in whose reports each part of a term begins a word. */
  function rowsWith(term) {
    let found = null;
    for (const part of term.match(/[\p{L}\p{N}]+/gu) ?? []) {
      const rows = new Uint8Array(vehicles.length);
      const lines = wordList();
      for (let at = firstFrom(lines, part); at < lines.length && lines[at].startsWith(part); at += 1) {
        mark(lines[at], rows);
      }
      found = found ? found.map((is, place) => is & rows[place]) : rows;
    }
    return found ?? new Uint8Array(vehicles.length);
  }

  function show() {
    const terms = plain(field.value).split(/\s+/).filter(Boolean);
    const inText = terms.map(rowsWith);
    const chosen = filters.map((name) => [name, form.elements.namedItem(name).value]).filter(([, value]) => value);
    const byText = new Set();
    let changed = false;
    for (const vehicle of vehicles) {
      let inReport = false;
      const fits =
        chosen.every(([name, value]) => vehicle.row.dataset[name] === value) &&
        terms.every((term, place) => {
          if (vehicle.text.includes(term)) {
            return true;
          }
          inReport = true;
          return inText[place][vehicle.place] === 1;
        });
      changed ||= fits !== vehicle.shown;
      vehicle.shown = fits;
      if (fits && inReport) {
        byText.add(vehicle.row);
      }
    }
    marked.forEach((row) => row.classList.remove("by-text"));
    marked = byText.size <= MARKED ? byText : new Set(); // of words that most reports have it would tell nothing
    marked.forEach((row) => row.classList.add("by-text"));
    if (changed) {
      place();
    }
    const total = shownRows().length;
    const all = `${number.format(vehicles.length)} vehicle${vehicles.length === 1 ? "" : "s"}`;
    count.value = total === vehicles.length ? all : `${number.format(total)} of ${all}`;
    none.hidden = total > 0;
    clear.hidden = terms.length === 0 && chosen.length === 0;
  }

  function keyOf(vehicle, column) {
    if (!(column in vehicle.keys)) {
      const cell = vehicle.row.cells[column];
      const text = (cell.firstElementChild ?? cell).textContent.trim();
      const value = Number(text.replaceAll(",", "").replace("\u2212", "-"));
      vehicle.keys[column] = heads[column].classList.contains("num") ? value : text === "\u2013" ? "" : text;
    }
    return vehicle.keys[column];
  }

  function shownRows() {
    return order.filter((vehicle) => vehicle.shown).map((vehicle) => vehicle.row);
  }

  /* Put the rows that are shown into their order: those in sight at once, the others in steps that hold no key up. */
  function place() {
    clearTimeout(placing);
    const rows = shownRows();
    const next = (from) => {
      if (from < rows.length) {
        body.append(...rows.slice(from, from + STEP));
        placing = setTimeout(next, 0, from + STEP);
      }
    };
    body.replaceChildren(...rows.slice(0, STEP));
    placing = setTimeout(next, 0, STEP);
  }

  /* What a cell does not tell comes last, whichever way the others are sorted. */
  function sort(column, down) {
    const missing = (key) => key === "" || Number.isNaN(key);
    const compare = (one, other) => {
      const [a, b] = [keyOf(one, column), keyOf(other, column)];
      if (missing(a) || missing(b)) {
        return missing(a) - missing(b) || one.place - other.place;
      }
      const way = typeof a === "number" ? a - b : collator.compare(a, b);
      return (down ? -way : way) || one.place - other.place;
    };
    order = column < 0 ? vehicles : vehicles.toSorted(compare);
    place();
    heads.forEach((head, place) => {
      head.ariaSort = place !== column ? "none" : down ? "descending" : "ascending";
    });
    choice.value = sorting();
  }

  function sorting() {
    const column = heads.findIndex((head) => head.ariaSort !== "none");
    return column < 0 ? "" : (heads[column].ariaSort === "descending" ? "-" : "") + names[column];
  }

  /* The address tells search, filters and sorting, so that a way back or a bookmark finds the same rows. */
  function write() {
    const told = new URLSearchParams();
    const values = [["q", field.value.trim()], ...filters.map((name) => [name, form.elements.namedItem(name).value])];
    for (const [name, value] of [...values, ["sort", sorting()]]) {
      if (value) {
        told.set(name, value);
      }
    }
    const hash = told.size ? `#${told}` : "";
    if (hash !== location.hash) {
      history.replaceState(null, "", hash || location.pathname + location.search);
    }
  }

  function read() {
    const told = location.hash.slice(1);
    if (told && !told.includes("=")) {
      return; // a place in the page, not a search
    }
    const values = new URLSearchParams(told);
    for (const name of ["q", ...filters]) {
      form.elements.namedItem(name).value = values.get(name) ?? "";
    }
    const wanted = values.get("sort") ?? "";
    const column = names.indexOf(wanted.replace(/^-/, ""));
    if (column >= 0 && wanted !== sorting()) {
      sort(column, wanted.startsWith("-"));
    }
    show();
  }

  function step(from, by) {
    const rows = shownRows();
    const at = rows.indexOf(from) + by;
    if (at < 0) {
      field.focus();
    } else {
      const link = rows[Math.min(at, rows.length - 1)]?.querySelector("a");
      link?.focus({ preventScroll: true });
      link?.closest("tr").scrollIntoView({ block: "nearest" });
    }
  }

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const first = head.classList.contains("num") || head.classList.contains("seen") ? "descending" : "ascending";
      const second = first === "ascending" ? "descending" : "ascending";
      sort(column, (head.ariaSort === first ? second : first) === "descending");
      write();
    });
    const numeric = head.classList.contains("num");
    for (const down of numeric ? [true, false] : [false, true]) {
      const way = numeric ? (down ? "high to low" : "low to high") : down ? "last to first" : "first to last";
      choice.add(new Option(`${button.textContent}, ${way}`, (down ? "-" : "") + names[column]));
    }
  });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const rows = shownRows();
    if (rows.length === 1) {
      location.href = rows[0].querySelector("a").href;
    } else {
      step(null, 1);
    }
  });

  form.addEventListener("input", (event) => {
    if (event.target === choice) {
      sort(names.indexOf(choice.value.replace(/^-/, "")), choice.value.startsWith("-")); // "": as it was
    } else {
      show();
    }
    write();
  });

  form.addEventListener("reset", () => {
    setTimeout(() => {
      choice.value = sorting(); // only now the fields are empty, and the order is none of them
      show();
      write();
      field.focus();
    });
  });

  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (row && !event.target.closest("a") && getSelection().isCollapsed) {
      row.querySelector("a").click();
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const inField = event.target === field;
    const row = body.contains(event.target) ? event.target.closest("tr") : null;
    if (event.key === "/" && !event.target.closest("input, select")) {
      event.preventDefault();
      field.select();
    } else if (event.key === "Escape" && (inField || row)) {
      event.preventDefault();
      form.reset();
    } else if ((event.key === "ArrowDown" && (inField || row)) || (event.key === "ArrowUp" && row)) {
      event.preventDefault();
      step(row, event.key === "ArrowDown" ? 1 : -1);
    }
  });

  addEventListener("hashchange", read);
  document.addEventListener("DOMContentLoaded", read); // by then the reports' texts are there as well
  form.hidden = false;
})();
