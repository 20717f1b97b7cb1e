// The vehicle page: a dialog asked from the server, and a report that comes in a new tab.
(function () {
  'use strict';
  var page = document.getElementById('bookout');
  var dialog = document.getElementById('reportDialog');

  function ask(address) {
    return fetch(address, {
      method: 'POST',
      headers: { 'X-Requested-With': 'XMLHttpRequest' },
      body: new URLSearchParams({ vehicleId: page.dataset.vehicle })
    });
  }

  function say(text) {
    var place = dialog.querySelector('.dialogMessage');
    if (place) { place.textContent = text; } else { dialog.textContent = text; }
  }

  // The ways in which sites open a tab; each is made on the spot, nothing is there before the click.
  var ways = {
    open: function (address) { window.open(address); },
    location: function (address, tab) { tab.location = address; },
    // Some lead the tab once more to where it is, at once or when it has not come there soon.
    open_and_location: function (address) { window.open(address).location = address; },
    open_and_later: function (address) {
      var tab = window.open(address);
      window.setTimeout(function () { tab.document.title = 'Report'; tab.location.href = address; }, 30);
      window.setTimeout(function () { window.open(address); }, 60);
    },
    form: function (address) {
      var target = new URL(address, window.location.href);
      var form = document.createElement('form');
      form.method = 'get';
      form.action = target.pathname;
      form.target = '_blank';
      target.searchParams.forEach(function (value, name) {
        var field = document.createElement('input');
        field.type = 'hidden';
        field.name = name;
        field.value = value;
        form.appendChild(field);
      });
      document.body.appendChild(form);
      form.submit();
      form.remove();
    },
    link: function (address) {
      var link = document.createElement('a');
      link.href = address;
      link.target = '_blank';
      link.click();
    }
  };

  async function openDialog() {
    dialog.hidden = false;
    dialog.textContent = 'Loading...';
    try {
      var response = await ask('/ValuesOnline/Report/Dialog');
      if (!response.ok) { throw new Error(String(response.status)); }
      dialog.innerHTML = await response.text();
    } catch (error) {
      say('The reports are not available (' + error.message + ').');
    }
  }

  async function createPdf() {
    // Opened right at the click, before anything is known: a tab opened later may be taken for an unwanted one.
    var tab = page.dataset.tab === 'location' ? window.open('') : null;
    say('Creating the report...');
    try {
      var response = await ask('/ValuesOnline/Report/Create');
      if (!response.ok) { throw new Error(String(response.status)); }
      var report = await response.json();
      if (report.blocked) { throw new Error('the window was blocked, please allow pop-ups'); }
      say('');
      ways[page.dataset.tab](report.address, tab);
    } catch (error) {
      if (tab) { tab.close(); }
      say('The report could not be created (' + error.message + ').');
    }
  }

  document.querySelector('button.reportButton:not(.requiresVehicle)').addEventListener('click', openDialog);
  dialog.addEventListener('click', function (event) {
    var command = event.target.dataset.command;
    if (command === 'pdf') { createPdf(); }
    if (command === 'email') { say('There is no mail in the demo.'); }
    if (command === 'close') { dialog.hidden = true; }
  });
}());
