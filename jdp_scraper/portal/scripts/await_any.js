// Wait until one of the controls shows; the answer is its place in the list.
({ controls, time }) =>
  until(
    () => {
      const index = controls.findIndex((control) => find(control));
      return index < 0 ? null : { index };
    },
    time,
    controls.map(named).join(" or "),
  ).then((found) => found.index)
