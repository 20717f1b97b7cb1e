// Click one control as soon as it shows. With mark, the document is marked as the one before what the click leads to.
async ({ control, time, mark }) => {
  const element = await until(() => settled() && find(control), time, named(control));
  if (mark) window.jdpBefore = true;
  element.click();
}
