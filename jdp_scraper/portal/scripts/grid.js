// The rows of a grid as they stand: a cell's text by its header or by a selector, and the address behind the link.
// action: null only reads; "next", "first", "clear" click a control, "filter" types into the filter; each of these
// first waits until the rows have been drawn anew. With emptied a filter that leaves no row is known by the quiet too.
// A sign-in form or a license ends every wait; the answer then is which of the two it is.
async ({ grid, action, control, value, emptied, form, license, time }) => {
  const QUIET = 1500;
  const rows = () => [...document.querySelectorAll(grid.row)];
  const isRows = (nodes) =>
    [...nodes].some((node) => node.nodeType === 1 && (node.matches(grid.row) || node.querySelector(grid.row)));
  const emptyShown = () => grid.empty && find(grid.empty);
  const barrier = () => {
    const password = document.querySelector(form);
    if (password && shown(password)) return "form";
    return license && document.querySelector(license) ? "license" : null;
  };
  const redrawn = (act) =>
    new Promise((resolve, reject) => {
      const hadNone = !rows().length;
      let quiet;
      const end = (act, value) => {
        observer.disconnect();
        clearTimeout(timer);
        clearTimeout(quiet);
        act(value);
      };
      const observer = new MutationObserver((changes) => {
        if (changes.some((change) => isRows(change.addedNodes) || isRows(change.removedNodes))) return end(resolve);
        if (barrier()) return end(resolve);
        if (!hadNone) return;
        // No row before and none after: nothing but the quiet after a change tells that the grid has answered.
        clearTimeout(quiet);
        quiet = setTimeout(() => end(resolve), QUIET);
      });
      const late = () => (barrier() ? end(resolve) : end(reject, new Error("not shown: the rows, drawn anew")));
      const timer = setTimeout(late, time);
      observer.observe(document, { subtree: true, childList: true });
      act();
    });

  if (action) await until(settled, time, "the page's scripts");
  if (action === "filter") {
    const input = await until(() => document.querySelector(value.css), time, value.css);
    await redrawn(() => {
      input.value = value.text;
      input.dispatchEvent(new Event("input", { bubbles: true }));
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
  } else if (action) {
    const element = find(control);
    if (!element) return null;
    await redrawn(() => element.click());
  }

  const pager = () => grid.pager && document.body.innerText.match(new RegExp(grid.pager, "i"));
  const none = () => {
    const told = pager();
    return Boolean(told && told.groups && told.groups.items === "0");
  };
  // A grid may show neither a pager nor a word where its filter leaves no row: a filter and nothing else, and no change.
  let changed = performance.now();
  const changes = new MutationObserver(() => (changed = performance.now()));
  const filterAlone = () => emptied && settled() && grid.clear && find(grid.clear) && !rows().length;
  const filteredOut = () => performance.now() - changed >= QUIET && !grid.empty && filterAlone() && !pager();
  const drawn = () => rows().length || barrier() || emptyShown() || none() || filteredOut();
  changes.observe(document, { subtree: true, childList: true });
  try {
    await until(drawn, time, grid.row);
  } catch (error) {
    if (action || !filterAlone()) throw error; // a page that is never quiet: whoever only looked may go on with its filter
  } finally {
    changes.disconnect();
  }
  if (barrier()) return { barrier: barrier() };
  const table = rows().length ? rows()[0].closest("table") : null;
  const place = (header) => {
    const wanted = fold(header);
    for (const scope of [table, document]) {
      const cells = scope ? [...scope.querySelectorAll("th, td")] : [];
      for (let cell of cells.filter((one) => fold(one.textContent) === wanted && !one.closest(grid.row))) {
        while (scope === table && cell.closest("table") !== table) cell = cell.closest("table").closest("th, td");
        let index = 0;
        for (let left = cell.previousElementSibling; left; left = left.previousElementSibling) index += left.colSpan || 1;
        return index;
      }
    }
    return null;
  };
  const places = Object.fromEntries(
    Object.entries(grid.cells).map(([name, cell]) => [name, cell.header ? place(cell.header) : null]),
  );
  const read = (row, name, cell) => {
    const element = cell.css ? row.querySelector(cell.css) : places[name] === null ? null : row.children[places[name]];
    return element ? fold(element.innerText || element.textContent) : null;
  };
  return {
    missing: Object.keys(grid.cells).filter((name) => rows().length && grid.cells[name].header && places[name] === null),
    rows: rows().map((row) => {
      const link = row.querySelector(grid.link);
      const address = link && link.getAttribute("href");
      return {
        ...Object.fromEntries(Object.entries(grid.cells).map(([name, cell]) => [name, read(row, name, cell)])),
        link: address && !/^(#|javascript:)/i.test(address.trim()) ? link.href : null,
      };
    }),
    next: Boolean(grid.next && find(grid.next)),
    filtered: Boolean(grid.clear && find(grid.clear)),
    text: document.body.innerText,
  };
}
