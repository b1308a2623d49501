// Pages that are files say nothing of the present. This adds it: how long ago, what has expired. It also finds and sorts certificates.
'use strict';

const DAY = 86400, YEAR = 31556952, now = Math.floor(Date.now() / 1000);
const SOON = 90 * DAY;

// age says how far a time is from now: in days for about three months, in months for two years, else in years, rounded down.
const age = (time) => {
  const past = now >= time, seconds = Math.abs(now - time);
  let n = Math.floor(seconds / DAY), unit = 'day';
  if (n === 0) return 'today';
  if (n > 2 * 365) [n, unit] = [Math.floor(seconds / YEAR), 'year'];
  else if (n > 90) [n, unit] = [Math.floor(seconds / (YEAR / 12)), 'month'];
  const text = n + ' ' + unit + (n === 1 ? '' : 's');
  return past ? text + ' ago' : 'in ' + text;
};

const timeOf = (element) => Math.floor(Date.parse(element.dateTime) / 1000);

const span = (className, text) => {
  const element = document.createElement('span');
  element.className = className;
  element.textContent = text;
  return element;
};

for (const place of document.querySelectorAll('time + .ago:empty')) {
  const time = timeOf(place.previousElementSibling);
  if (Number.isNaN(time)) continue;
  place.textContent = age(time);
  if ('expiry' in place.dataset && time < now) {
    place.className = 'bad';
    place.textContent = 'expired ' + place.textContent;
  } else if ('expiry' in place.dataset && time - now < SOON) {
    place.className = 'warn';
  }
}

for (const expired of document.querySelectorAll('[data-ends]')) {
  const ends = expired.dataset.ends.split(' ').map(Number), next = ends.find((end) => end >= now);
  const gone = ends.filter((end) => end < now).length;
  expired.querySelector('dd').append(gone === 0 ? 'none' : span('bad', String(gone)));
  const then = expired.nextElementSibling.querySelector('dd');
  if (next === undefined) {
    then.append('none');
  } else {
    const time = document.createElement('time');
    time.dateTime = new Date(next * 1000).toISOString();
    time.textContent = time.dateTime.slice(0, 10);
    then.append(time, ' ', span(next - now < SOON ? 'warn' : 'ago', age(next)));
  }
  expired.hidden = expired.nextElementSibling.hidden = false;
}

const form = document.querySelector('form[data-static]'), table = document.querySelector('table.certificates');
if (form && table) {
  const body = table.tBodies[0];
  const cell = (row, name) => row.querySelector('.' + name)?.textContent.trim() ?? '';
  const rows = [...body.rows].map((row) => {
    const time = row.querySelector('.expires time'), link = row.querySelector('.name a');
    return {
      row,
      text: (cell(row, 'name') + ' ' + (link ? link.getAttribute('href') : '')).toLowerCase(),
      position: Number(cell(row, 'position')),
      name: (row.querySelector('.name bdi')?.textContent ?? '').toLowerCase(),
      key: cell(row, 'key'),
      signature: cell(row, 'signature'),
      expires: time ? timeOf(time) : NaN,
      quirks: [...row.querySelectorAll('.quirks li')].map((quirk) => quirk.textContent.trim()),
    };
  });

  const within = { '90d': SOON, '1y': YEAR, '5y': 5 * YEAR };
  const inTime = (time, wanted) => {
    if (wanted === 'unknown') return Number.isNaN(time);
    if (wanted === 'expired') return time < now;
    return time >= now && (wanted === 'valid' || time <= now + within[wanted]);
  };
  const hasQuirk = (quirks, wanted) => {
    if (wanted === 'any') return quirks.length > 0;
    return wanted === 'none' ? quirks.length === 0 : quirks.includes(wanted);
  };

  const found = document.getElementById('found'), whole = found.textContent;
  const [text, expires, key, quirk] = ['q', 'expires', 'key', 'quirk'].map((id) => document.getElementById(id));
  const search = () => {
    const wanted = text.value.trim().toLowerCase();
    const digits = wanted.replace(/[\s:]/g, ''); // of a fingerprint, in any spelling
    let n = 0;
    for (const r of rows) {
      const shown = (r.text.includes(wanted) || /^[0-9a-f]{8,}$/.test(digits) && r.text.includes(digits))
        && (expires.value === '' || inTime(r.expires, expires.value))
        && (key.value === '' || r.key === key.value)
        && (quirk.value === '' || hasQuirk(r.quirks, quirk.value));
      r.row.hidden = !shown;
      if (shown) n++;
    }
    found.textContent = n === rows.length ? whole : n + ' of ' + whole;
  };
  form.addEventListener('input', search);
  form.addEventListener('submit', (event) => event.preventDefault());
  form.hidden = false;

  const compare = (a, b) => {
    if (typeof a !== 'number') return a < b ? -1 : a > b ? 1 : 0;
    if (Number.isNaN(a) || Number.isNaN(b)) return Number(!Number.isNaN(a)) - Number(!Number.isNaN(b));
    return a - b;
  };
  for (const header of table.tHead.rows[0].cells) {
    const name = header.className;
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...header.childNodes);
    button.addEventListener('click', () => {
      const down = header.ariaSort === 'ascending';
      for (const other of table.tHead.rows[0].cells) other.ariaSort = 'none';
      header.ariaSort = down ? 'descending' : 'ascending';
      const sorted = rows.toSorted((a, b) => compare(a[name], b[name]) || a.position - b.position);
      if (down) sorted.reverse();
      body.append(...sorted.map((r) => r.row));
    });
    header.append(button);
  }
  search(); // what the browser has kept in the fields
}
