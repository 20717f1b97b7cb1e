// The address behind a report's link, unclicked.
async ({ css, time }) => (await until(() => document.querySelector(css), time, css)).href
