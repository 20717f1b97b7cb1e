// The text of the first element for a selector, or of the whole page.
({ css }) => (document.querySelector(css) || document.body).innerText
