// The pages are whole without this: it makes search live.
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

