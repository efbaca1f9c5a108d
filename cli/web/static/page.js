// What a page does beside links and forms: type-ahead, one entry in the history a question, keys, copied links.
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const on = (name, act, root = document) => root.addEventListener(name, act);
const form = () => $('#ask');
const box = () => $('#q');

document.documentElement.dataset.scripted = '';

// A question is one entry in the history: what is typed replaces it until it is settled by Enter, or by leaving the box.
let settled = true;
const settle = () => { settled = true; };

on('htmx:config:request', ({ detail: { ctx } }) => {
  const { request, sourceElement: source, target } = ctx;
  if (target?.id !== 'answers') return;
  const here = new URL(location.href), to = new URL(request.action, here);
  if (source === form()) {
    for (const [name, text] of [...request.body]) {
      const field = source.elements[name];
      if (!text.trim() || text === field?.dataset?.default) request.body.delete(name);
    }
    const isAsked = `${new URLSearchParams(request.body)}` === here.search.slice(1);
    ctx[settled && !isAsked ? 'push' : 'replace'] = 'true';
    ctx.settles = ctx.sourceEvent.type === 'submit';
  }
  // The talk that is open stays open while other answers come.
  if (here.pathname.startsWith('/talk/') && to.pathname === '/') {
    const t = here.searchParams.get('t');
    request.action = here.pathname + [t && `?t=${t}`, to.search.slice(1)].filter(Boolean).join(t ? '&' : '?');
  }
});
on('htmx:after:swap', ({ detail: { ctx } }) => {
  settled = ctx.sourceElement !== form() || ctx.settles;
  if (ctx.sourceElement !== form()) fill();
  mark();
});
on('change', ({ target }) => { if (target !== box()) settle(); });  // the box's comes with Enter, before it is sent
on('focusout', (event) => { if (event.target === box()) settle(); });

// The fields say what the address asks, also where a link has changed it.
function fill() {
  const asked = new URL(location.href).searchParams;
  for (const field of form().elements) {
    if (field.name && field.type !== 'hidden') field.value = asked.get(field.name) ?? field.dataset.default ?? '';
  }
}

// The link of the moment that is open is marked, in the list of hits and in the strips.
function mark() {
  const here = new URL(location.href);
  for (const link of $$('#answers :is(.time, svg a)[href^="/talk/"]')) {
    const to = new URL(link.getAttribute('href'), here);
    const apart = Math.abs(to.searchParams.get('t') - (here.searchParams.get('t') ?? NaN));
    const isOpen = to.pathname === here.pathname && apart < 1;
    isOpen ? link.setAttribute('aria-current', 'true') : link.removeAttribute('aria-current');
  }
}
mark();
on('talk:moved', mark);

// What a bar of a strip stands for is told below it.
const tell = ({ target }) => {
  const bar = target.closest?.('.strip a');
  if (bar) $('.told', bar.closest('.strip')).textContent = bar.getAttribute('aria-label');
};
on('pointerover', tell);
on('focusin', tell);

on('click', async ({ target }) => {
  const copy = target.closest('[data-copy]');
  if (copy) {
    await navigator.clipboard.writeText(new URL(copy.dataset.copy, location.href));
    const label = copy.textContent;
    copy.textContent = 'Copied';
    setTimeout(() => { copy.textContent = label; }, 1500);
  }
  const opens = target.closest('[data-open]');
  if (opens) $(`#${opens.dataset.open}`).showModal();
  for (const menu of $$('details.menu[open]')) if (!menu.contains(target)) menu.open = false;
});

// Keys of a single letter can be switched off (WCAG 2.1.4); the choice is kept in this browser.
const KEYS = 'talksearch.single-keys';
const single = () => localStorage.getItem(KEYS) !== 'off';
on('change', ({ target }) => { if (target.id === 'single-keys') localStorage.setItem(KEYS, target.checked ? 'on' : 'off'); });
if ($('#single-keys')) $('#single-keys').checked = single();

const hits = () => $$('.hits .time');
function step(by) {
  const all = hits(), at = all.indexOf(document.activeElement);
  const from = at < 0 ? all.findIndex((link) => link.ariaCurrent) : at;
  const next = all[Math.max(0, Math.min(all.length - 1, from + by))];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
}
on('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const { key, target } = event, typing = target.matches('input:not([type=checkbox]), textarea, select');
  const bar = target.closest('svg a');
  let act;
  if (bar && /^Arrow|^Home$|^End$/.test(key)) {
    const bars = $$('a', bar.ownerSVGElement), at = bars.indexOf(bar);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: bars.length - 1 }[key];
    if (bars[to]) act = () => { bar.setAttribute('tabindex', -1); bars[to].removeAttribute('tabindex'); bars[to].focus(); };
  } else if (key === 'Escape') {
    const menu = $('details.menu[open]'), close = $('#talk .close');
    if (menu) act = () => { menu.open = false; $('summary', menu).focus(); };
    else if (target === box()) act = () => { box().value ? (box().value = '', form().requestSubmit()) : box().blur(); };
    else if (close && !$('dialog[open]')) act = () => close.click();
  } else if (key === 'ArrowDown' && target === box()) act = () => step(1);
  else if (typing || $('dialog[open]') || !single()) return;
  else if (key === '/') act = () => { box().focus(); box().select(); };
  else if (key === '?') act = () => $('#keys').showModal();
  else if (key === 'j' || (key === 'ArrowDown' && target.matches('.time'))) act = () => step(1);
  else if (key === 'k' || (key === 'ArrowUp' && target.matches('.time'))) act = () => step(-1);
  if (act) { event.preventDefault(); act(); }
});
