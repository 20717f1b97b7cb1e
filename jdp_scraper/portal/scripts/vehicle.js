// Wait for a vehicle's page, and read the texts that say which vehicle it is of. A sign-in form, a license or the
// text of a vehicle that is gone end the wait as well.
// The page may draw its details after it is ready: shown is waited for a little, and judged elsewhere.
async ({ ready, reference, vin, expected, form, license, gone, time }) => {
  const state = () => {
    if (find(ready)) return "ready";
    const password = document.querySelector(form);
    if (password && shown(password)) return "form";
    if (license && document.querySelector(license)) return "license";
    if (gone && settled() && new RegExp(gone, "i").test(document.body.innerText)) return "gone";
    return null;
  };
  const found = await until(state, time, named(ready));
  const late = () => texts(reference).some((text) => fold(text).includes(fold(expected)));
  const texts = (css) => (css ? [...document.querySelectorAll(css)].map((element) => element.innerText) : []);
  if (found === "ready") await until(late, Math.min(time, 3000), "the reference").catch(() => null);
  return { state: found, references: texts(reference), vins: texts(vin) };
}
