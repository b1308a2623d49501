
// Buttons that copy.
// copy puts text into the clipboard. Without HTTPS browsers have no navigator.clipboard.
const copy = async (element) => {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(element.textContent);
    return;
  }
  const all = document.createElement('textarea');
  all.value = element.textContent;
  document.body.append(all);
  all.select();
  const done = document.execCommand('copy');
  all.remove();
  if (!done) throw new Error('not copied');
};

for (const element of document.querySelectorAll('[data-copy]')) {
  const button = document.createElement('button');
  const label = (text) => {
    button.textContent = text;
    button.setAttribute('aria-label', text + ' ' + element.dataset.copy);
  };
  button.type = 'button';
  button.className = 'copy';
  label('Copy');
  button.addEventListener('click', async () => {
    try {
      await copy(element);
      label('Copied');
    } catch {
      getSelection().selectAllChildren(element);
      label('Selected');
    }
    button.focus();
    setTimeout(label, 2000, 'Copy');
  });
  element.before(button);
}
