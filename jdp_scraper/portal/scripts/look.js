// What a page is, as far as the sign-in goes; the answers are read together, so that they are of one moment.
({ form, signedIn, license }) => {
  const marked = window.jdpBefore === true;
  const password = document.querySelector(form);
  return {
    before: marked,
    loading: document.readyState === "loading",
    form: Boolean(password && shown(password)),
    signedIn: signedIn.some((control) => find(control)),
    license: Boolean(license && document.querySelector(license)),
    title: document.title,
    text: document.body ? document.body.innerText : "",
  };
}
