"use strict";

/* A vehicle's page: the button that prints it, where there is a script to do so. */
(() => {
  const button = document.querySelector(".print");
  button.addEventListener("click", () => print());
  button.hidden = false;
})();
