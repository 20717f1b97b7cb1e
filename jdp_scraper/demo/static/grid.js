// The grid: all of it is drawn by the server; this page only asks and puts the answer in place.
(function () {
  'use strict';
  var grid = document.getElementById('vehicleGridView');
  var panel = document.getElementById('vehicleGridView_LP');
  var asked = 0;

  async function callback(command, value) {
    var number = ++asked;
    panel.hidden = false;
    try {
      var response = await fetch(grid.dataset.address, {
        method: 'POST',
        headers: { 'X-Requested-With': 'XMLHttpRequest' },
        body: new URLSearchParams({ command: command, value: value === undefined ? '' : String(value) })
      });
      if (!response.ok) { throw new Error(String(response.status)); }
      var text = await response.text();
      // An older answer that comes late must not replace a newer one.
      if (number === asked) { grid.innerHTML = text; }
    } catch (error) {
      if (number === asked) { grid.textContent = 'Callback request failed due to an internal server error.'; }
    } finally {
      if (number === asked) { panel.hidden = true; }
    }
  }

  window.vehicleGridViewFilterChanged = function (field) {
    var input = document.getElementById(field + 'Input');
    callback(input.value ? 'filter' : 'clear', input.value);
  };
  window.vehicleGridViewFilterBar = function (command) {
    if (command !== 'ClearFilter') { return; }
    document.getElementById('StockNumberInput').value = '';
    callback('clear');
  };
  window.vehicleGridViewPager = callback;
  window.vehicleGridViewOpenRow = function (place) {
    var form = document.getElementById('rowForm');
    form.elements.row.value = String(place);
    form.submit();
  };

  callback('load');
}());
