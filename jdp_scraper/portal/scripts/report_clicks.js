// The way to a report, in one go: each control is clicked the moment that it shows and is enabled. Where a click is not
// followed by the next control it is done again, but never the last one, which makes the report.
// Returns the report's address where the last click's script opens a tab by it (see tabs.js), with the referrer that the
// tab would send, and null where the report comes in another way, which is seen at the browser. What an earlier control
// opens is seen at the browser, too, and so is a tab whose referrer is not plainly told by the browser's default policy.
// Where nothing would be caught there, any other tab is kept from opening, and {} is returned if that comes first.
async ({ clicks, time, again, wanted, caught }) => {
  const ready = (control) => () => {
    const element = settled() && find(control);
    return element && !element.disabled ? element : null;
  };
  let last = null;
  let tell;
  let listening = false;
  let over = false;
  let plain = true; // no tab but the report's has opened, and nothing is done with that one that needs a frame
  let report = null;
  let tellReport = null;
  const told = new Promise((resolve) => {
    tell = (opened) => {
      listening = false;
      over = true;
      resolve(opened);
    };
  });
  const bare = (address) => {
    const copy = new URL(address);
    copy.hash = copy.username = copy.password = "";
    return copy.href;
  };
  // A feature is on by its name alone, by yes, true, or a number other than 0; the last word on it counts.
  const isOn = (features, name) => {
    const words = features.toLowerCase().replace(/\s*=\s*/g, "=").split(/[\s,]+/);
    const value = new Map(words.map((word) => `${word}=`.split("=", 2))).get(name);
    return ["", "yes", "true"].includes(value) || Boolean(parseInt(value, 10));
  };
  // What the default policy, strict-origin-when-cross-origin, has a tab send: null is no referrer, undefined means that
  // only the browser knows, since the page or the control asks for another policy, or the rule's exceptions come close.
  const referrer = (to, features) => {
    if (isOn(features, "noreferrer")) return null;
    if (document.querySelector("meta[name=referrer i]") || last.closest("[referrerpolicy], [rel~=noreferrer i]")) return;
    const own = bare(location.href);
    if (!/^https?:/.test(own) || own.length > 4000 || (location.protocol === "https:" && to.protocol !== "https:")) return;
    return to.origin === location.origin ? own : `${location.origin}/`;
  };
  // From here on tabs.js tells of refusals, and of a tab that a script opens.
  window.jdpAsking = {
    astray: () => {
      plain = false;
      if (caught) return false;
      if (!over) tell({});
      return true;
    },
    opened: (to, features) => {
      const address = to.href.replace(/#.*/, "");
      if (address === report) return true; // opened once more: it has been taken already
      if (!listening || !wanted || !/^https?:$/.test(to.protocol) || !address.includes(wanted)) return false;
      const sent = referrer(to, features);
      if (sent === undefined) return false;
      report = address;
      listening = false;
      over = true;
      tellReport = () => tell({ address, referrer: sent, plain });
      // The script that has opened the tab may go on to use it: only when it has ended is it known how plain that was.
      if (caught) setTimeout(tellReport);
      else tellReport();
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
      listening = true;
      setTimeout(() => tell(null), time);
      // Something comes in this document's place.
      addEventListener("beforeunload", () => (tellReport ? tellReport() : tell(caught ? null : {})));
    }
    last.click();
  }
  return told;
}
