// How the sign-out control would end the session: a link's address, or a form's method, address and fields.
({ control }) => {
  const element = find(control);
  if (!element) return null;
  const address = element.getAttribute("href") || "";
  const script = `${address} ${element.getAttribute("onclick") || ""}`;
  const byId = script.match(/getElementById\(\s*['"]([^'"]+)['"]\s*\)|forms\[['"]([^'"]+)['"]\]|querySelector\(\s*['"]#([\w-]+)['"]/);
  const named = byId && document.getElementById(byId[1] || byId[2] || byId[3]);
  const form = (named && named.tagName === "FORM" && named) || element.form || element.closest("form");
  const isLink = address && !/^(#|javascript:)/i.test(address.trim());
  if (isLink && !named) return { method: "GET", address: element.href, fields: [] };
  if (form) {
    const fields = [...new FormData(form)].filter(([, value]) => typeof value === "string");
    if (element.name && element.form === form) fields.push([element.name, element.value || ""]);
    return { method: (form.getAttribute("method") || "GET").toUpperCase(), address: new URL(form.getAttribute("action") || location.href, document.baseURI).href, fields };
  }
  const jump = script.match(/location(?:\.href)?\s*=\s*['"]([^'"]+)['"]|location\.(?:assign|replace)\(\s*['"]([^'"]+)['"]/);
  if (jump) return { method: "GET", address: new URL(jump[1] || jump[2], document.baseURI).href, fields: [] };
  return null;
}
