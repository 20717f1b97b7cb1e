// The way to a report, in one go: each control is clicked the moment that it shows and is enabled.
async ({ clicks, time }) => {
  for (const control of clicks) {
    const ready = () => {
      const element = find(control);
      return element && !element.disabled ? element : null;
    };
    (await until(ready, time, named(control))).click();
  }
}
