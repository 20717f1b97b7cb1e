// Every new tab that a page opens becomes a hidden frame of the same page: window.open, links and forms alike, also
// ones that are made on the fly and never attached. The frame's first request then belongs to the page, where it is
// caught before it leaves; nothing is rendered, and no tab can be mixed up with another page's. Where a script opens a tab
// by the very address that is waited for, even the frame is spared: jdpAsking.opened takes the address, and what the
// script gets makes the frame only if it is used. Answers of 400 and more to the page's own requests, once a report is
// being asked for, are told as well, and so are those that never come: a refusal is noticed at once, whether a script, a
// form or a link has asked.
(() => {
  const name = "tab-" + Math.random().toString(36).slice(2);
  const own = new Set(["", "_self", "_top", "_parent"]);

  // Compared, not put into a selector: a target is the portal's text.
  const frameNamed = (wanted) => [...document.querySelectorAll("iframe[name]")].find((one) => one.name === wanted);

  // Nothing must leave by a frame whose requests nobody catches: what would open it ends here, with an error.
  const frame = () => {
    if (window.jdpAsking?.astray?.()) throw new Error("no tab opens here");
    let found = frameNamed(name);
    if (!found) {
      found = document.createElement("iframe");
      found.name = name;
      found.hidden = true;
      (document.body || document.documentElement).append(found);
    }
    return found;
  };

  const isTab = (target) => !own.has(target.toLowerCase()) && !frameNamed(target);

  const targetOf = (element, attribute) => {
    const base = document.querySelector("base[target]");
    return element.getAttribute(attribute) || (base && base.getAttribute("target")) || "";
  };

  const retarget = (element, attribute = "target") => {
    if (!isTab(targetOf(element, attribute))) return;
    frame();
    element.setAttribute(attribute, name);
    element.removeAttribute("rel");
  };

  const isLink = (node) => node instanceof HTMLAnchorElement || node instanceof HTMLAreaElement;

  const nothing = () => {};
  const harmless = { closed: false, opener: null, focus: nothing, blur: nothing, close: nothing };
  const bare = (address) => new URL(address, document.baseURI).href.replace(/#.*/, "");
  // A tab whose address has been taken. That it is led there once more changes nothing; all else is done in its frame.
  const lazyTab = (taken) => {
    const go = (address, otherwise) => {
      if (bare(address) !== bare(taken)) otherwise(frame().contentWindow.location);
    };
    const place = new Proxy(
      {
        assign: (address) => go(address, (location) => location.assign(address)),
        replace: (address) => go(address, (location) => location.replace(address)),
        toString: () => taken.href,
        href: taken.href,
      },
      {
        get: (own, key) => (key in own ? own[key] : taken[key]),
        set: (_, key, value) => {
          if (key === "href") go(value, (location) => (location.href = value));
          else frame().contentWindow.location[key] = value;
          return true;
        },
      },
    );
    return new Proxy(harmless, {
      get: (_, key) => {
        if (key === "location") return place;
        if (key in harmless) return harmless[key];
        const view = frame().contentWindow;
        return typeof view[key] === "function" ? view[key].bind(view) : view[key];
      },
      set: (_, key, value) => {
        if (key === "location") place.href = value;
        else if (!(key in harmless)) frame().contentWindow[key] = value;
        return true;
      },
    });
  };

  const openNatively = window.open;
  window.open = (address, target = "_blank", features = "", ...more) => {
    if (!isTab(String(target))) return openNatively.call(window, address, target, features, ...more);
    const whole = address ? new URL(address, document.baseURI) : null;
    if (whole && window.jdpAsking?.opened?.(whole, String(features))) return lazyTab(whole);
    const view = frame().contentWindow;
    if (whole) view.location.href = whole.href;
    return view;
  };

  const submit = HTMLFormElement.prototype.submit;
  HTMLFormElement.prototype.submit = function () {
    retarget(this);
    return submit.call(this);
  };
  const click = HTMLElement.prototype.click;
  HTMLElement.prototype.click = function () {
    if (isLink(this)) retarget(this);
    return click.call(this);
  };
  const dispatch = EventTarget.prototype.dispatchEvent;
  EventTarget.prototype.dispatchEvent = function (event) {
    if (isLink(this) && event.type === "click") retarget(this);
    return dispatch.call(this, event);
  };
  // A refusal is told once the page has gone quiet, so that a keep-alive that fails beside the report's own request does
  // not pass for a refused report: that one's tab has been opened, and its address caught, by then.
  let open = 0;
  let refused = null;
  let telling;
  const began = () => {
    if (!window.jdpAsking) return null; // a poll from before may stay open for ever
    open += 1;
    clearTimeout(telling);
    return (refusal) => {
      open -= 1;
      refused = refusal || refused;
      if (!open && refused) telling = setTimeout(() => window.noteRefusedRequest(...refused), 700);
    };
  };
  const refusal = (status, header) => (status >= 400 ? [status, header("Retry-After")] : null);
  // A request that breaks counts where it went to the portal itself: others are blocked, and that is as it should be.
  const broken = (address) => {
    try {
      return new URL(address, document.baseURI).origin === location.origin ? [0, null] : null;
    } catch {
      return null;
    }
  };
  const ask = window.fetch;
  window.fetch = async (...given) => {
    const ended = began();
    let outcome = null;
    try {
      const answer = await ask(...given);
      outcome = refusal(answer.status, (name) => answer.headers.get(name));
      return answer;
    } catch (error) {
      if (error.name !== "AbortError") outcome = broken(given[0] instanceof Request ? given[0].url : given[0]);
      throw error;
    } finally {
      if (ended) ended(outcome);
    }
  };
  const addresses = new WeakMap();
  const prepare = XMLHttpRequest.prototype.open;
  XMLHttpRequest.prototype.open = function (method, address, ...more) {
    addresses.set(this, address);
    return prepare.call(this, method, address, ...more);
  };
  const send = XMLHttpRequest.prototype.send;
  XMLHttpRequest.prototype.send = function (...given) {
    const ended = began();
    if (ended) {
      let outcome = null;
      this.addEventListener("error", () => (outcome = broken(addresses.get(this))), { once: true });
      const told = () => ended(outcome || refusal(this.status, (name) => this.getResponseHeader(name)));
      this.addEventListener("loadend", told, { once: true });
    }
    return send.apply(this, given);
  };

  // A form or a link that asks for the report may be answered with an error page, in this document's place or in a frame.
  const [navigation] = performance.getEntriesByType("navigation");
  const status = (navigation && navigation.responseStatus) || 0;
  if (status >= 400 && window.noteRefusedRequest) window.noteRefusedRequest(status, null);

  const guarded = (act) => (event) => {
    try {
      act(event);
    } catch (error) {
      event.preventDefault();
      event.stopImmediatePropagation();
      throw error;
    }
  };
  // In the capture phase, and once more when the page's own handlers have run: they may set the target at the click.
  for (const capture of [true, false]) {
    window.addEventListener(
      "submit",
      guarded((event) => {
        retarget(event.target);
        if (event.submitter && event.submitter.hasAttribute("formtarget")) retarget(event.submitter, "formtarget");
      }),
      capture,
    );
    window.addEventListener(
      "click",
      guarded((event) => event.composedPath().filter(isLink).forEach((link) => retarget(link))),
      capture,
    );
  }
})();
