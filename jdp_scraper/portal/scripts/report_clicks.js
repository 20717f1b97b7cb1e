// The way to a report, in one go: each control is clicked the moment that it shows and is enabled. Where a click is not
// followed by the next control it is done again, but never the last one, which makes the report.
async ({ clicks, time, again }) => {
  const ready = (control) => () => {
    const element = settled() && find(control);
    return element && !element.disabled ? element : null;
  };
  let last = null;
  window.jdpAsking = true; // from here on tabs.js tells of refusals
  for (const control of clicks) {
    const repeat = last && setInterval(() => last.click(), again);
    try {
      last = await until(ready(control), time, named(control));
    } finally {
      clearInterval(repeat);
    }
    last.click();
  }
}
