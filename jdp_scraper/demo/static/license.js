// Ticking the box is all it takes: the form has no button.
document.getElementById('agreementCheckBox').addEventListener('change', function (event) {
  'use strict';
  if (event.target.checked) { document.getElementById('agreementForm').submit(); }
});
