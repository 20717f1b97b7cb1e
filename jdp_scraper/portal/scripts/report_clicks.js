// The way to a report, in one go: each control is clicked the moment that it shows and is enabled. Where a click is not
// followed by the next control it is done again, but never the last one, which makes the report.
// Returns the report's address where a script opens a tab by it after the last click (see tabs.js), with the referrer that
// the tab would send by the browser's own policy, and null where the report comes in another way, which is seen at the
// browser: so it is where the document has a referrer policy of its own. What a header says of it cannot be seen here.
async ({ clicks, time, again, wanted }) => {
  const ready = (control) => () => {
    const element = settled() && find(control);
    return element && !element.disabled ? element : null;
  };
  let last = null;
  let tell;
  let listening = false;
  const told = new Promise((resolve) => {
    tell = (opened) => {
      listening = false;
      resolve(opened);
    };
  });
  const referrer = (to) => (to.origin === location.origin ? location.href.replace(/#.*/, "") : `${location.origin}/`);
  const noReferrer = /(?:^|[\s,])noreferrer(?!\s*=\s*(?:0|no|false)\b)/i;
  // From here on tabs.js tells of refusals, and of a tab that a script opens.
  window.jdpAsking = {
    opened: (to, features) => {
      const address = to.href.replace(/#.*/, "");
      if (!listening || !wanted || !/^https?:$/.test(to.protocol) || !address.includes(wanted)) return false;
      if (document.querySelector('meta[name="referrer" i]')) return false;
      tell({ address, referrer: noReferrer.test(features) ? null : referrer(to) });
      return true;
    },
  };
  for (const control of clicks) {
    const repeat = last && setInterval(() => last.click(), again);
    try {
      last = await until(ready(control), time, named(control));
    } finally {
      clearInterval(repeat);
    }
    if (control === clicks.at(-1)) {
      setTimeout(() => tell(null), time);
      addEventListener("beforeunload", () => tell(null)); // something comes in this document's place
      listening = true;
    }
    last.click();
  }
  return told;
}
