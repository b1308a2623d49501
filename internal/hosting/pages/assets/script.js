// The pages are whole without this. It makes search live, and adds buttons that copy.
'use strict';

const form = document.querySelector('form[data-live]');
if (form) {
  let timer, asked = 0;
  const update = async () => {
    const query = new URLSearchParams(new FormData(form));
    for (const [name, value] of [...query]) {
      if (value === '') query.delete(name);
    }
    const path = location.pathname + (String(query) ? '?' + query : '');
    const mine = ++asked;
    try {
      const text = await (await fetch(path)).text();
      if (mine !== asked) return; // a later one was asked for
      const page = new DOMParser().parseFromString(text, 'text/html');
      const found = page.getElementById('found'), results = page.getElementById('results');
      if (!found || !results) return;
      document.getElementById('results').replaceWith(results);
      document.getElementById('found').replaceChildren(...found.childNodes);
      history.replaceState(null, '', path);
    } catch {
      form.submit(); // the server's own answer says what is wrong
    }
  };
  form.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(update, 150);
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    clearTimeout(timer);
    update();
  });
}

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
