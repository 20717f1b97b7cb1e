// After the sign-out: wait for the sign-in form, or at least for the sign-out control to be gone.
({ form, control, time }) =>
  until(
    () => {
      const password = document.querySelector(form);
      if (password && shown(password)) return "form";
      return document.readyState !== "loading" && !find(control) ? "gone" : null;
    },
    time,
    form,
  )
