// The rows of a grid as they stand: a cell's text by its header or by a selector, and the address behind the link.
// action: null only reads; "next", "first", "clear" click a control, "filter" types into the filter; each of these
// first waits until the rows have been drawn anew.
async ({ grid, action, control, value, time }) => {
  const rows = () => [...document.querySelectorAll(grid.row)];
  const isRows = (nodes) =>
    [...nodes].some((node) => node.nodeType === 1 && (node.matches(grid.row) || node.querySelector(grid.row)));
  const emptyShown = () => grid.empty && find(grid.empty);

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
        if (!hadNone) return;
        // No row before and none after: nothing but the quiet after a change tells that the grid has answered.
        clearTimeout(quiet);
        quiet = setTimeout(() => end(resolve), 1500);
      });
      const timer = setTimeout(() => end(reject, new Error("not shown: the rows, drawn anew")), time);
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

  const none = () => {
    const told = grid.pager && document.body.innerText.match(new RegExp(grid.pager, "i"));
    return Boolean(told && told.groups && told.groups.items === "0");
  };
  const drawn = () => rows().length || emptyShown() || none();
  await until(drawn, time, grid.row);
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
