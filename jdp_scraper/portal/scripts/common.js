// What every script of the portal floor begins with. A control is {css, text, contains}; times are in milliseconds.
const fold = (text) => (text || "").replace(/\s+/g, " ").trim();
const textOf = (element) => fold(element.innerText || element.textContent || element.value);
const shown = (element) => element.checkVisibility({ visibilityProperty: true });
const fits = (element, control) => {
  const text = textOf(element).toLowerCase();
  if (control.text && text !== fold(control.text).toLowerCase()) return false;
  return !control.contains || text.includes(fold(control.contains).toLowerCase());
};
const find = (control) =>
  [...document.querySelectorAll(control.css)].find((element) => shown(element) && fits(element, control));
const named = (control) => control.css + (control.text || control.contains ? ` (${control.text || control.contains})` : "");

// The page's own scripts have run and have set up what a click needs: a click before that is lost.
const settled = () => {
  const [navigation] = performance.getEntriesByType("navigation");
  return document.readyState === "complete" || Boolean(navigation && navigation.domContentLoadedEventEnd > 0);
};

// Resolves with the first truthy value of test, asked again whenever the document changes.
const until = (test, time, what) =>
  new Promise((resolve, reject) => {
    const first = test();
    if (first) return resolve(first);
    let observer, timer, slow;
    const end = (act, value) => {
      observer.disconnect();
      clearTimeout(timer);
      clearInterval(slow);
      document.removeEventListener("DOMContentLoaded", soon);
      act(value);
    };
    const look = () => {
      const value = test();
      if (value) end(resolve, value);
    };
    const soon = () => setTimeout(look); // after the page's own handlers of the same event
    document.addEventListener("DOMContentLoaded", soon);
    observer = new MutationObserver(look);
    observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    slow = setInterval(look, 500); // what changes by style sheets alone is no mutation
    timer = setTimeout(() => end(reject, new Error(`not shown: ${what}`)), time);
  });
