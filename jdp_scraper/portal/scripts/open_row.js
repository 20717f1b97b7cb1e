// Click the link of one row, by its place among the rows as read just before, in this very tab.
({ row, link, index, expected }) => {
  const place = document.querySelectorAll(row)[index];
  if (!place || !fold(place.innerText).includes(fold(expected))) throw new Error("the rows were drawn anew meanwhile");
  const element = place.querySelector(link);
  if (!element) throw new Error(`not shown: ${link} in the row`);
  element.removeAttribute("target");
  window.open = (address) => {
    location.href = address;
    return window;
  };
  element.click();
}
