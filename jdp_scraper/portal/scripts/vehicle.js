// Wait for a vehicle's page, and read the texts that say which vehicle it is of. A sign-in form, a license or the
// text of a vehicle that is gone end the wait as well.
async ({ ready, reference, vin, form, license, gone, time }) => {
  const state = () => {
    if (find(ready)) return "ready";
    const password = document.querySelector(form);
    if (password && shown(password)) return "form";
    if (license && document.querySelector(license)) return "license";
    if (gone && settled() && new RegExp(gone, "i").test(document.body.innerText)) return "gone";
    return null;
  };
  const found = await until(state, time, named(ready));
  const texts = (css) => (css ? [...document.querySelectorAll(css)].map((element) => element.innerText) : []);
  return { state: found, references: texts(reference), vins: texts(vin) };
}
