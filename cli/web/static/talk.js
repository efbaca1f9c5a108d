// The talk that is open: its player, the transcript in step, words looked for in it, and what one takes along.
import { playerIn } from './player.js';

const STEP_S = 5, SETTLES = 9, LASTS_S = 20;
const MOST_LIT = 400;  // places in a talk that are marked, around the one that is shown
const LONG = 160, END = 60;  // letters of chosen words: a link names how longer ones begin and end
const $ = (id) => document.getElementById(id);
const on = (name, target, act, how) => target?.addEventListener(name, act, how);
const clock = (s) => new Date(s * 1000).toISOString().slice(s < 3600 ? 14 : 11, 19).replace(/^0/, '');
const calm = matchMedia('(prefers-reduced-motion: reduce)');
const isPlain = (event) => !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);

function open(root, asked) {
  const { line, by, title, date, margin, original, like } = root.dataset, early = +root.dataset.early;
  const panel = $('transcript'), follow = $('follow'), now = $('now'), play = $('play'), find = $('find'), speed = $('speed');
  const lines = [...panel.querySelectorAll('[data-s]')], starts = lines.map((one) => +one.dataset.s);
  let at = +root.dataset.at, current = lines.findIndex((one) => one.ariaCurrent);
  let meant = starts[current] > at ? starts[current] : -1;  // the line that a link means which opens before it
  const lineAt = (s) => Math.max(0, starts.findLastIndex((start) => start <= s + .05));

  const show = (line, again = SETTLES) => {
    // Of a line that fills the panel, what was found in it counts.
    const element = (line.offsetHeight > panel.clientHeight / 2 && line.querySelector('mark, .near')) || line;
    const up = element.getBoundingClientRect().top - panel.getBoundingClientRect().top - panel.clientHeight / 3;
    const isFar = calm.matches || again < SETTLES || Math.abs(up) > panel.clientHeight;
    panel.scrollBy({ top: up, behavior: isFar ? 'instant' : 'smooth' });
    // Paragraphs far off get their true height only when they come into sight.
    if (isFar && again) requestAnimationFrame(() => show(line, again - 1));
  };
  // Of thousands of lines only one is a stop of the Tab key; arrows lead to the others.
  let stop = Math.max(0, current);
  const stopAt = (number) => {
    if (!lines[number]) return;
    lines[stop].tabIndex = -1;
    lines[stop = number].tabIndex = 0;
  };
  for (const one of lines) [one.tabIndex, one.draggable] = [-1, false];  // who drags over a link chooses its words
  stopAt(stop);
  const setFollow = (is) => { follow.checked = now.hidden = is; };
  const mark = (number) => {
    lines[current]?.removeAttribute('aria-current');
    lines[current = number].setAttribute('aria-current', 'true');
    if (document.activeElement !== lines[stop]) stopAt(current);
    if (follow.checked) show(lines[current]);
  };
  const onTime = (s) => {
    at = s;
    if (s >= meant || s < meant - early - 1) meant = -1;
    const number = lineAt(Math.max(s, meant));
    if (number !== current) mark(number);
  };
  const media = $('player').querySelector('video, audio'), ends = $('ends');
  const tellEnd = (s = at) => {  // a player stands silent at the end where it is asked for more
    ends.hidden = !(media?.duration < s);
    if (!ends.hidden) ends.textContent = `The recording ends at ${clock(media.duration)}; ${clock(s)} lies behind that.`;
  };
  on('loadedmetadata', media, () => tellEnd());
  tellEnd();
  const begin = () => playerIn($('player'), at, asked, onTime, (is) => { root.querySelector('.silent').hidden = !is; });
  let player = begin();
  const go = (s, of) => {
    [at, meant] = [s, of];
    setFollow(true);
    tellEnd(s);
    player?.seek(s);
    player?.play();
    mark(lineAt(of));
    if (player || !play) return;
    play.querySelector('b').textContent = clock(s);
    $('still').textContent = lines[current].textContent;
  };
  if (current >= 0) show(lines[current], SETTLES - 1);
  on('click', play, (event) => { event.preventDefault(); asked = true; player = begin(); });
  on('click', root, (event) => {
    const to = event.target.closest('[data-s], [data-go]');
    if (!to || !isPlain(event)) return;
    event.preventDefault();
    if (event.detail && !getSelection().isCollapsed) return;  // the mouse has chosen words
    const { s, go: opens = Math.max(0, s - early) } = to.dataset;
    go(+opens, +(s ?? +opens + early));
    history.replaceState(history.state, '', to.pathname + to.search);
  });
  for (const name of ['wheel', 'touchmove', 'keydown']) {
    on(name, panel, ({ key }) => { if (!key || /^(Page|Home|End|Arrow[UD])/.test(key)) setFollow(false); }, { passive: true });
  }
  on('keydown', panel, (event) => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!by || event.target !== lines[stop]) return;
    event.preventDefault();
    stopAt(stop + by);
    lines[stop].focus();
  });
  on('pointerdown', panel, ({ target }) => { if (target === panel) setFollow(false); });
  const rejoin = () => { setFollow(follow.checked); mark(Math.max(0, current)); };
  on('change', follow, rejoin);
  on('click', now, () => { follow.checked = true; rejoin(); });
  const step = (s) => player?.seek(Math.max(0, player.time() + s));
  on('click', $('back5'), () => step(-STEP_S));
  const setSpeed = () => player?.speed(+speed.value);
  on('change', speed, setSpeed);

  let places = [], place = 0, rangeOf;
  const light = (name, ranges) => globalThis.Highlight && CSS.highlights.set(name, new Highlight(...ranges));
  const turn = (to) => {
    const count = places.length;
    place = count && (to + count) % count;
    $('found').textContent = count ? `${place + 1} of ${count}` : find.value.trim() && 'not found';
    const first = Math.max(0, place - MOST_LIT / 2), lit = places.slice(first, first + MOST_LIT).map((one) => rangeOf(one));
    light('found', lit);
    light('found-now', lit.slice(place - first, place - first + 1));
    if (!count) return;
    setFollow(false);
    show(lit[place - first].startContainer.parentElement);
  };
  const look = () => {
    const words = find.value.trim().replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\s+/g, '\\s+');
    const nodes = [], begins = [];
    let text = '', here = 0;
    for (const one of lines) {
      if (one === lines[current]) here = text.length;
      const walk = document.createTreeWalker(one, NodeFilter.SHOW_TEXT);
      while (walk.nextNode()) { nodes.push(walk.currentNode); begins.push(text.length); text += walk.currentNode.data; }
      text += one.nextSibling?.data ?? '';
    }
    const nodeAt = (place) => { const n = begins.findLastIndex((one) => one <= place); return [nodes[n], place - begins[n]]; };
    rangeOf = ([start, end]) => {
      const range = new Range(), [last, offset] = nodeAt(end - 1);
      range.setStart(...nodeAt(start));
      range.setEnd(last, offset + 1);
      return range;
    };
    places = words ? [...text.matchAll(new RegExp(words, 'gi'))].map(({ index, 0: said }) => [index, index + said.length]) : [];
    turn(Math.max(0, places.findIndex(([, end]) => end > here)));
  };
  const turnBy = (event, isBack) => { event.preventDefault(); turn(place + (isBack ? -1 : 1)); };
  on('input', find, look);
  on('submit', find.form, (event) => turnBy(event, event.submitter?.id === 'found-previous'));
  on('keydown', find, (event) => { if (event.key === 'Enter') turnBy(event, event.shiftKey); });
  if (find.value) look();

  // In a line that lasts, words begin where their letters stand.
  const begins = (range, one) => {
    const number = lines.indexOf(one), lasts = (starts[number + 1] ?? starts[number]) - starts[number], ahead = new Range();
    if (lasts < LASTS_S || !one.contains(range.startContainer)) return starts[number];
    ahead.setStart(one, 0);
    ahead.setEnd(range.startContainer, range.startOffset);
    return Math.floor(starts[number] + lasts * ahead.toString().length / one.textContent.length);
  };
  const chosen = () => {
    const range = getSelection().rangeCount && getSelection().getRangeAt(0);
    if (!range || range.collapsed || !panel.contains(range.commonAncestorContainer)) return null;
    const words = range.cloneContents();
    for (const head of words.querySelectorAll('.who, h3, h4')) head.remove();
    const first = [...words.querySelectorAll('[data-s]')].find((one) => one.textContent.trim())
      ?? range.startContainer.parentElement.closest('[data-s]');
    const text = words.textContent.replace(/\s+/g, ' ').trim();
    return first && text && { s: begins(range, lines.find((one) => one.dataset.s === first.dataset.s)), text };
  };
  const choose = () => { $('copy-words').hidden = !chosen(); };
  on('selectionchange', document, choose);
  const address = (s) => new URL(line + Math.floor(s), location);
  const copy = async (text, told) => {
    try { await navigator.clipboard.writeText(text); $('taken').textContent = told; } catch { prompt('Copy this:', text); }
  };
  on('click', $('copy-link'), () => copy(address(player?.time() ?? at).href, `The link at ${clock(at)} is copied.`));
  on('click', $('copy-quote'), () => {
    const here = lines[Math.max(0, current)], { s, text } = chosen() || { s: +here.dataset.s, text: here.textContent };
    const opens = Math.floor(Math.max(0, s - early)), when = +margin ? `~${clock(s)} (±${margin} s)` : clock(s);
    const who = lines[lineAt(s)].parentElement.dataset.by || by;
    const parts = [who, title, date, when, original.replace('{}', opens) || address(opens).href];
    copy(`“${text}” — ${parts.filter(Boolean).join(', ')}`, 'The quote is copied.');
  });
  on('click', $('copy-words'), () => {
    const { s, text } = chosen(), link = address(0);
    link.searchParams.set('t', s);
    for (const part of text.length > LONG ? [text.slice(0, END), text.slice(-END)] : [text]) link.searchParams.append('words', part);
    copy(link.href, 'The link to these words is copied.');
  });
  on('click', $('like'), ({ target }) => { target.href = like.replace('{}', Math.floor(at + early)); });

  return {
    root,
    step,
    isOn: () => player,
    jump: (s) => go(s, s + early),
    toggle: () => { if (player) player.plays() ? player.pause() : player.play(); else play?.click(); },
    faster: (by) => { if (speed?.options[speed.selectedIndex + by]) { speed.selectedIndex += by; setSpeed(); } },
    close: () => document.removeEventListener('selectionchange', choose),
  };
}

// A talk is there from the beginning, or is put into the page when a hit is clicked: then it plays at once.
const column = $('talk');
let talk, clicked = 0;
const renew = () => {
  const root = column?.querySelector('.open') ?? undefined;
  if (root === talk?.root) return;
  talk?.close();
  talk = root && open(root, Date.now() - clicked < 5000);
};
if (column) new MutationObserver(renew).observe(column, { childList: true });
renew();

// The hit beside the open one, among the answers: a newer question may have brought others than the server linked to.
const beside = (link) => {
  const hits = [...document.querySelectorAll('#answers .hits .time')], here = hits.findIndex((hit) => hit.ariaCurrent);
  return here < 0 ? null : hits[here + { prev: -1, next: 1 }[link.id]];
};
on('click', document, (event) => {
  const link = event.target.closest?.('a[data-to=talk]'), hit = link && beside(link);
  if (!link || !isPlain(event)) return;
  clicked = Date.now();
  // A hit of the talk that plays is a jump: the player stays.
  const isJump = talk?.isOn() && link.pathname === location.pathname;
  if (!hit && !isJump) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (hit) return hit.click();
  history.pushState(history.state, '', link.pathname + link.search);
  talk.jump(+new URLSearchParams(link.search).get('t'));
  document.dispatchEvent(new Event('talk:moved'));
}, true);

on('keydown', document, (event) => {
  const { key, target } = event;
  if (!talk || !isPlain(event) || event.defaultPrevented) return;
  if (target.closest('input:not([type=checkbox]), select, textarea, video, audio, dialog, svg')) return;
  const single = localStorage.getItem('talksearch.single-keys') !== 'off';
  const act = {
    ' ': !target.closest('button, summary, input') && talk.toggle,
    ArrowLeft: () => talk.step(-STEP_S),
    ArrowRight: () => talk.step(STEP_S),
    ',': single && (() => $('prev')?.click()),
    '.': single && (() => $('next')?.click()),
    '[': single && (() => talk.faster(-1)),
    ']': single && (() => talk.faster(1)),
  }[key];
  if (act) { event.preventDefault(); act(); }
});
