// The talk that is open: its player, the transcript in step, what is looked for in it, what is taken along.
import { playerIn } from './player.js';

const STEP_S = 5, LONG = 160, END = 60;
const $ = (id) => document.getElementById(id);
const clock = (s) => new Date(s * 1000).toISOString().slice(s < 3600 ? 14 : 11, 19).replace(/^0/, '');
const calm = matchMedia('(prefers-reduced-motion: reduce)');
let talk = null;  // what `open` returned for the talk that is shown
let clicked = 0;  // when a link to a talk was clicked: a click is the permission to play

function open(root, start) {
  const { at, early, margin } = root.dataset;
  const panel = $('transcript'), follow = $('follow'), now = $('now');
  const lines = [...panel.querySelectorAll('[data-s]')], starts = lines.map((line) => +line.dataset.s);
  let current = lines.findIndex((line) => line.ariaCurrent), hold = -1, player = null;

  const lineAt = (s) => {
    let [low, high] = [0, starts.length];
    while (low < high) { const mid = (low + high) >> 1; if (starts[mid] <= s + .05) low = mid + 1; else high = mid; }
    return Math.max(0, low - 1);
  };
  const show = (line, smooth = true) => {
    const top = panel.scrollTop + line.getBoundingClientRect().top - panel.getBoundingClientRect().top;
    panel.scrollTo({ top: top - panel.clientHeight / 3, behavior: smooth && !calm.matches ? 'smooth' : 'instant' });
  };
  const setFollow = (on) => { follow.checked = on; now.hidden = on; };
  const mark = (number, smooth) => {
    if (number !== current) {
      lines[current]?.removeAttribute('aria-current');
      lines[current = number]?.setAttribute('aria-current', 'true');
    }
    if (follow.checked && lines[current]) show(lines[current], smooth);
  };
  const onTime = (s) => {
    // A link to an estimated time opens early; its line stays the current one until its time has come.
    if (s >= hold || s < hold - early - 1) hold = -1;
    const number = lineAt(Math.max(s, hold));
    if (number !== current) mark(number);
  };
  const onSilence = (silent = true) => { root.querySelector('.silent').hidden = !silent; };
  const begin = (s, asked) => { player = playerIn($('player'), { at: s, start: asked, onTime, onSilence }); };
  const time = () => player?.time() || +root.dataset.at;
  const go = (s, line) => {
    hold = line ?? -1;
    setFollow(true);
    root.dataset.at = s;
    if (player) { player.seek(s); player.play(); } else if ($('play')) $('play').firstElementChild.textContent = clock(s);
    mark(lineAt(line ?? s));
  };
  const address = (s) => new URL(root.dataset.line + Math.floor(s), location).href;
  const original = (s) => root.dataset.original.replace('{}', Math.floor(s)) || address(s);

  begin(+at, start);
  $('play')?.addEventListener('click', (event) => { event.preventDefault(); begin(+root.dataset.at, true); });
  if (current >= 0) show(lines[current], false);
  panel.addEventListener('click', (event) => {
    const line = event.target.closest('[data-s]');
    if (!line || event.ctrlKey || event.metaKey || event.shiftKey || !getSelection().isCollapsed) return;
    event.preventDefault();
    go(Math.max(0, line.dataset.s - early), +line.dataset.s);
    history.replaceState(history.state, '', line.href);
  });
  for (const kind of ['wheel', 'touchmove']) panel.addEventListener(kind, () => setFollow(false), { passive: true });
  panel.addEventListener('pointerdown', (event) => event.target === panel && setFollow(false));
  panel.addEventListener('keydown', (event) => /^(Page|Home|End|Arrow[UD])/.test(event.key) && setFollow(false));
  follow.addEventListener('change', () => { setFollow(follow.checked); mark(current); });
  now.addEventListener('click', () => { setFollow(true); mark(current); });
  $('back5').addEventListener('click', () => talk.step(-STEP_S));
  $('speed').addEventListener('change', () => player?.speed(+$('speed').value));

  // --- looking for words in the talk: ranges over the text, no node changes
  let places = [], place = -1;
  const count = () => { $('found').textContent = !$('find').value.trim() ? '' : places.length ? `${place + 1} of ${places.length}` : 'not found'; };
  const light = (name, ranges) => globalThis.Highlight && CSS.highlights.set(name, new Highlight(...ranges));
  const turn = (number) => {
    if (places.length) {
      place = (number + places.length) % places.length;
      light('found-now', [places[place]]);
      setFollow(false);
      show(places[place].startContainer.parentElement);
    }
    count();
  };
  const find = () => {
    const words = $('find').value.trim().split(/\s+/).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const nodes = [], begins = [];
    let text = '';
    const walk = document.createTreeWalker(panel, NodeFilter.SHOW_TEXT, (node) => (node.parentElement.closest('.said') ? 1 : 2));
    while (walk.nextNode()) { nodes.push(walk.currentNode); begins.push(text.length); text += walk.currentNode.data; }
    const spot = (offset) => { const n = begins.findLastIndex((one) => one <= offset); return [nodes[n], offset - begins[n]]; };
    places = !words[0] ? [] : [...text.matchAll(new RegExp(words.join('\\s+'), 'gi'))].map((match) => {
      const range = new Range();
      range.setStart(...spot(match.index));
      range.setEnd(...spot(match.index + match[0].length - 1));
      range.setEnd(range.endContainer, range.endOffset + 1);
      return range;
    });
    light('found', places);
    light('found-now', []);
    const from = lines[current];
    turn(Math.max(0, places.findIndex((range) => !from || range.comparePoint(from, 0) <= 0)));
  };
  $('find').addEventListener('input', find);
  $('find').form.addEventListener('submit', (event) => { event.preventDefault(); turn(place + (event.submitter?.value === 'before' ? -1 : 1)); });
  $('find').addEventListener('keydown', (event) => {
    if (event.key === 'Enter') { event.preventDefault(); turn(place + (event.shiftKey ? -1 : 1)); }
  });
  if ($('find').value) find();

  // --- taking along
  const chosen = () => {
    const range = getSelection().rangeCount ? getSelection().getRangeAt(0) : null;
    const within = range && !range.collapsed ? lines.filter((line) => range.intersectsNode(line)) : [];
    const texts = within.map((line) => {
      const part = document.createRange();
      part.selectNodeContents(line);
      if (part.comparePoint(range.startContainer, range.startOffset) === 0) part.setStart(range.startContainer, range.startOffset);
      if (part.comparePoint(range.endContainer, range.endOffset) === 0) part.setEnd(range.endContainer, range.endOffset);
      return part.toString() + (line.nextSibling ? ' ' : '');
    });
    const text = texts.join('').trim();
    return text ? { line: within[texts.findIndex((one) => one.trim())], text } : null;
  };
  document.addEventListener('selectionchange', root.chosen = () => { $('chosen').hidden = !chosen(); });
  const copy = async (text, told) => {
    try { await navigator.clipboard.writeText(text); $('told').textContent = told; } catch { prompt('Copy:', text); }
  };
  const take = {
    link: () => copy(address(time()), `The link at ${clock(time())} is copied.`),
    quote: () => {
      const { line, text } = chosen() ?? { line: lines[Math.max(0, current)], text: lines[Math.max(0, current)].textContent };
      const s = +line.dataset.s, from = Math.max(0, s - early);
      const when = +margin ? `~${clock(s)} (±${margin} s)` : clock(s);
      const who = line.closest('p').dataset.by || root.dataset.by;
      copy([`“${text}” — ${who || root.dataset.title}`, who && root.dataset.title, root.dataset.date, when, original(from)].filter(Boolean).join(', '), 'The quote is copied.');
    },
    words: () => {
      const { line, text } = chosen();
      const link = new URL(address(Math.max(0, line.dataset.s - early)));
      link.searchParams.set('t', line.dataset.s);
      for (const part of text.length > LONG ? [text.slice(0, END), text.slice(-END)] : [text]) link.searchParams.append('words', part);
      copy(link.href, 'The link to these words is copied.');
    },
  };
  for (const button of root.querySelectorAll('[data-take]')) button.addEventListener('click', () => take[button.dataset.take]());
  $('like').addEventListener('click', () => { $('like').href = root.dataset.like.replace('{}', Math.floor(time())); });

  return {
    root,
    path: new URL(root.querySelector('[data-s]').href).pathname,
    jump: (s) => go(s, s + +early),
    get player() { return player; },
    step: (s) => player?.seek(Math.max(0, player.time() + s)),
    toggle: () => (player ? (player.playing ? player.pause() : player.play()) : $('play')?.click()),
    faster: (by) => {
      const speed = $('speed'), number = speed.selectedIndex + by;
      if (speed.options[number]) { speed.selectedIndex = number; player?.speed(+speed.value); }
    },
    close: () => document.removeEventListener('selectionchange', root.chosen),
  };
}

// A talk may be there from the beginning, or be put into the page when a hit is clicked: then it plays at once.
const column = $('talk');
const renew = () => {
  const root = column.querySelector('.open');
  if (!root || root === talk?.root) return;
  talk?.close();
  talk = open(root, Date.now() - clicked < 5000);
};
if (column) {
  new MutationObserver(renew).observe(column, { childList: true });
  renew();
}

// A hit of the talk that plays already is a jump: the player stays.
document.addEventListener('click', (event) => {
  const link = event.target.closest?.('a[href^="/talk/"]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  clicked = Date.now();
  const to = new URL(link.href);
  if (!talk?.player || to.pathname !== talk.path || !to.searchParams.has('t')) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  talk.jump(+to.searchParams.get('t'));
  history.pushState(history.state, '', to);
  document.dispatchEvent(new Event('talk:moved'));
}, true);

document.addEventListener('keydown', (event) => {
  const { key, target } = event;
  if (!talk || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (target.matches('input, select, textarea, video, audio') || target.closest('dialog, svg')) return;
  const single = localStorage.getItem('talksearch.single-keys') !== 'off';
  const act = {
    ' ': !target.matches('button, a, summary') && talk.toggle,
    ArrowLeft: () => talk.step(-STEP_S),
    ArrowRight: () => talk.step(STEP_S),
    ',': single && (() => $('prev')?.click()),
    '.': single && (() => $('next')?.click()),
    '[': single && (() => talk.faster(-1)),
    ']': single && (() => talk.faster(1)),
  }[key];
  if (act) { event.preventDefault(); act(); }
});
