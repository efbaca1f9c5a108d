// What a page does beside links and forms: answers while one types, one entry in the history a question, keys.
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const on = (name, act) => document.addEventListener(name, act);
const asked = (address = location) => new URL(address, location).searchParams;

document.documentElement.dataset.scripted = '';

// Puts what an address has for a column into it, and the address into the history; the last of several requests wins.
let running;
async function load(link, column, how, settles = true) {
  const [address] = link.split('#'), before = typed;  // the script shows the line that `#at` is for
  running?.abort();
  running = new AbortController();
  let page;
  try {
    const response = await fetch(address, { headers: { 'X-Column': column }, signal: running.signal });
    page = new DOMParser().parseFromString(await response.text(), 'text/html');
    if (!$('#answers, #talk', page)) throw page;
  } catch (error) {
    // Who types does not lose the page with what is on it when the server is gone.
    if (error instanceof TypeError) tellAll('The server does not answer. What you see stays; ask again once it runs.');
    else if (error.name !== 'AbortError') location.assign(address);  // the server's page says what is wrong
    return;
  }
  tellAll('');
  if (how) {
    history.replaceState({ y: scrollY }, '');
    history[how]({}, '', address);
  }
  settled = settles;
  document.title = page.title;
  for (const part of page.body.children) $(`#${part.id}`)?.replaceChildren(...part.childNodes);
  // The heading of a talk that stood alone stands below that of the answers which came to it.
  if ($('#answers h1')) for (const head of $$('#talk:has(h1) :is(h1, h2, h3)')) head.ariaLevel = +head.tagName[1] + 1;
  if (document.activeElement === document.body) $('#main').focus({ preventScroll: true });
  if (!how) scrollTo(0, history.state?.y ?? 0);
  else if (column === 'talk') $('#talk').scrollIntoView();
  if (typed === before) fill();  // who has typed on meanwhile keeps it
  mark();
}
function tellAll(text) {
  $('#count').className = text ? 'wrong' : 'unseen';
  if (text) $('#count').textContent = text;
}
on('click', (event) => {
  const link = event.target.closest('#answers a, #talk a[data-to]'), to = link?.dataset.to ?? 'answers';
  const address = link?.getAttribute('href'), isPlain = !(event.ctrlKey || event.metaKey || event.shiftKey);
  if (!isPlain || !address?.startsWith('/') || to === 'page') return;
  event.preventDefault();
  load(link.matches('.close') ? closed() : to === 'answers' ? beside(address) : address, to, 'pushState');
});
addEventListener('popstate', () => load(location.href, 'both'));

// The talk that is open stays open while other answers come.
function beside(address) {
  const t = asked().get('t'), [path, search] = address.split('?');
  if (path !== '/' || !location.pathname.startsWith('/talk/')) return address;
  return `${location.pathname}?${[t && `t=${t}`, search].filter(Boolean).join('&')}`;
}

// Without the talk, the newest answers are left: the link in it knows those with which it came.
function closed() {
  const kept = asked();
  for (const own of ['t', 'play', 'find', 'words']) kept.delete(own);
  return `/?${kept}`.replace(/\?$/, '');
}

// The fields say what the address asks, also where a link has changed it.
function fill() {
  for (const field of $('#ask').elements) {
    if (field.name && field.type !== 'hidden') field.value = asked().get(field.name) ?? field.dataset.default ?? '';
  }
}

// What is typed replaces the entry of its question, until Enter or leaving the box settles it.
let settled = true, waiting, typed = 0;
function ask(settles) {
  const form = $('#ask'), given = new URLSearchParams();
  for (const [name, text] of new FormData(form)) {
    if (text.trim() && text !== form.elements[name].dataset?.default) given.append(name, text);
  }
  const address = beside(`/?${given}`).replace(/\?$/, '');
  if (address === location.pathname + location.search) settled ||= settles;
  else load(address, 'answers', settled ? 'pushState' : 'replaceState', settles);
}
const isAsking = (form) => form?.id === 'ask' && $('#answers');  // other pages have no place for answers
on('input', ({ target }) => {
  if (!isAsking(target.form)) return;
  typed += 1;
  clearTimeout(waiting);
  waiting = setTimeout(ask, 150, false);
});
on('submit', (event) => {
  if (!isAsking(event.target)) return;
  event.preventDefault();
  clearTimeout(waiting);
  ask(true);
});
on('focusout', ({ target }) => { settled ||= target.id === 'q'; });

// The moment that is open is marked, among the hits and in the strips.
function mark() {
  for (const link of $$('.time, svg a')) {
    const to = new URL(link.getAttribute('href'), location), apart = asked(to).get('t') - asked().get('t');
    const isOpen = to.pathname === location.pathname && asked().has('t') && Math.abs(apart) < 1;
    if (to.pathname.startsWith('/talk/')) link.ariaCurrent = isOpen ? 'true' : null;
  }
}
mark();
on('talk:moved', mark);

// What a bar stands for is told below it.
const tell = ({ target }) => {
  const bar = target.closest?.('.strip a');
  if (bar) $('.told', bar.closest('.strip')).textContent = bar.ariaLabel;
};
on('pointerover', tell);
on('focusin', tell);

on('click', ({ target }) => {
  const copy = target.closest('[data-copy]');
  if (copy) {
    const { href } = new URL(copy.dataset.copy, location);
    if (navigator.clipboard) navigator.clipboard.writeText(href).then(() => { copy.textContent = 'Copied'; });
    else prompt('Copy this:', href);  // only pages of this machine and of https may write to the clipboard
  }
  if (target.closest('[data-open]')) $('#keys').showModal();
  for (const menu of $$('.menu[open]')) menu.open = menu.contains(target);
});

// Keys of a single letter can be switched off (WCAG 2.1.4).
const KEYS = 'talksearch.single-keys', single = $('#single-keys');
single.checked = localStorage.getItem(KEYS) !== 'off';
on('change', ({ target }) => { if (target === single) localStorage.setItem(KEYS, single.checked ? 'on' : 'off'); });

function step(by, all = $$('.hits .time'), from = document.activeElement) {
  const at = all.indexOf(all.includes(from) ? from : all.find((link) => link.ariaCurrent));
  all[Math.min(all.length - 1, Math.max(0, at + by))]?.focus();
}
on('keydown', (event) => {
  const { key, target } = event, isModal = $('dialog[open]');
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const box = $('#q'), menu = $('.menu[open]'), close = $('#talk .close'), bar = target.closest('svg a');
  const by = { ArrowLeft: -1, ArrowUp: -1, k: -1, ArrowRight: 1, ArrowDown: 1, j: 1 }[key];
  const isFree = single.checked && !isModal && !target.matches('input:not([type=checkbox]), textarea, select');
  let act;
  if (key === 'Escape') {
    if (menu) act = () => { menu.open = false; $('summary', menu).focus(); };
    else if (target === box && box.value) act = () => { box.value = ''; $('#ask').requestSubmit(); };
    else if (close?.offsetParent && !isModal) act = () => close.click();
  } else if (bar && by) {
    act = () => {
      step(by, $$('a', bar.ownerSVGElement), bar);
      bar.setAttribute('tabindex', -1);
      document.activeElement.removeAttribute('tabindex');
    };
  } else if (/^Arrow[UD]/.test(key) && (target.matches('.time') || (by > 0 && target === box))) act = () => step(by);
  else if (isFree && /^[jk]$/.test(key)) act = () => step(by);
  else if (isFree && key === '/') act = () => { box.focus(); box.select(); };
  else if (isFree && key === '?') act = () => $('#keys').showModal();
  if (act) { event.preventDefault(); act(); }
});
