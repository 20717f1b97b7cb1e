// The menu: a submenu shows once its parent was clicked or pointed at, and goes with a click elsewhere.
(function () {
  'use strict';
  var menu = document.getElementById('primaryMenu');

  function show(event) {
    var item = event.target.closest('li');
    if (!item) { return; }
    var sub = item.querySelector(':scope > ul.sub');
    if (sub) { sub.classList.add('shown'); }
  }

  menu.addEventListener('mouseover', show);
  menu.addEventListener('click', function (event) {
    show(event);
    var item = event.target.closest('li');
    if (item && item.dataset.address) { window.location.href = item.dataset.address; }
  });
  document.addEventListener('click', function (event) {
    if (menu.contains(event.target)) { return; }
    menu.querySelectorAll('ul.shown').forEach(function (sub) { sub.classList.remove('shown'); });
  });
}());
