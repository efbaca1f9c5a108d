// Looks for words in all talks. The index lies beside the page in pieces, each a script that is loaded when it is needed.
{
  const PIECES = 251, MOST = 50;
  const BEFORE = 50, BEHIND = 90;  // words and what stands between them, around the first that is looked for
  const single = '\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af';
  const term = new RegExp(`[${single}]|(?:(?![${single}])[\\p{L}\\p{N}])+`, 'gu');
  const plain = { ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', ł: 'l', đ: 'd', ı: 'i' };
  const folded = (text) => text.toLowerCase().normalize('NFKD').replace(/[\u0300-\u036f]/g, '').replace(/[ßæœøłđı]/g, (letter) => plain[letter]);
  const termsOf = (text) => folded(text).match(term) ?? [];
  const pieceOf = (word) => { const [first, second] = [...word]; return (first.codePointAt() * 31 + (second?.codePointAt() ?? 0)) % PIECES; };
  const had = {}, waiting = {};
  const load = (kind, number) => had[`${kind}/${number}`] ??= new Promise((resolve) => {
    const script = document.createElement('script');
    script.src = `${kind}/${number}.js`;
    waiting[`${kind}/${number}`] = resolve;
    script.onerror = () => resolve(null);
    document.head.append(script);
  });
  const take = (kind) => (number, value) => waiting[`${kind}/${number}`](value);
  globalThis.talksearch = { words: take('words'), texts: take('texts') };

  const talks = [...document.querySelectorAll('.talks > li')].map((item) => ({ item, first: +item.dataset.first, link: item.querySelector('a'), terms: termsOf(item.textContent) }));
  const talkAt = (place) => talks.findLast((talk) => talk.first <= place && talk.first >= 0);
  const ordered = talks.toSorted((a, b) => a.first - b.first);
  talks.splice(0, talks.length, ...ordered);
  const box = document.querySelector('input[type=search]'), found = document.querySelector('.hits'), told = document.querySelector('[role=status]');

  const pieces = new Set(found.dataset.pieces.split(' '));
  // Return the places of a word, or of all words that begin with it where it may not be finished.
  const placesOf = async (word, unfinished) => {
    const at = pieceOf(word), piece = (pieces.has(`${at}`) && await load('words', at)) || {};  // no word begins so
    const places = new Set();
    const words = unfinished && word.length > 1 ? Object.keys(piece).filter((one) => one.startsWith(word)) : [word];
    for (const one of words) {
      let place = 0;
      for (const step of Object.hasOwn(piece, one) ? piece[one] : []) places.add(place += step);
    }
    return places;
  };
  let asked = 0;
  const search = async () => {
    const number = ++asked, text = box.value.trim(), words = [...new Set(termsOf(text))];
    history.replaceState(null, '', text ? `#q=${encodeURIComponent(text)}` : location.pathname + location.search);
    for (const talk of talks) talk.item.hidden = !holds(talk.terms, words);
    if (!words.length) { found.replaceChildren(); told.textContent = ''; return; }
    const sets = await Promise.all(words.map((word, at) => placesOf(word, at === words.length - 1)));
    if (number !== asked) return;
    const [rarest, ...others] = sets.toSorted((a, b) => a.size - b.size);
    const whole = await placesOf(words.at(-1), false);  // first those that say the last word as it stands
    const places = [...rarest].filter((place) => others.every((set) => set.has(place)));
    places.sort((a, b) => whole.has(b) - whole.has(a) || a - b);
    const named = talks.filter((talk) => !talk.item.hidden);
    told.textContent = `${named.length ? `${counted(named.length, 'talk')}, ` : ''}${counted(places.length, 'place')}${places.length > MOST ? `, the first ${MOST} are shown` : ''}`;
    const items = await Promise.all(places.slice(0, MOST).map((place) => shown(place, words)));
    if (number === asked) found.replaceChildren(...items);
  };
  // Say whether terms hold all words, of which the last may not be finished.
  const holds = (terms, words) => words.every((word, at) => terms.some((one) => one === word || (at === words.length - 1 && one.startsWith(word))));
  const counted = (count, noun) => `${count} ${noun}${count === 1 ? '' : 's'}`;
  const shown = async (place, words) => {
    const talk = talkAt(place);
    const [clock, text] = (await load('texts', talk.item.dataset.number) ?? [])[place - talk.first] ?? ['', ''];
    const item = document.createElement('li'), link = document.createElement('a'), title = document.createElement('h2'), quote = document.createElement('blockquote');
    link.href = `${talk.link.getAttribute('href')}#p${place - talk.first}`;
    link.textContent = clock;
    title.textContent = talk.link.textContent;
    quote.lang = talk.item.lang;
    title.dir = quote.dir = 'auto';
    const says = (part) => termsOf(part).some((one) => words.some((word) => one === word || (one.startsWith(word) && word === words.at(-1))));
    const parts = text.split(/([\p{L}\p{N}\p{M}]+)/u), first = parts.findIndex(says), from = Math.max(0, first - BEFORE);
    for (const part of [from ? '… ' : '', ...parts.slice(from, first + BEHIND), first + BEHIND < parts.length ? ' …' : '']) {
      const hit = says(part);
      const node = document.createElement(hit ? 'mark' : 'span');
      node.textContent = part;
      quote.append(hit ? node : part);
    }
    item.append(title, link, quote);
    return item;
  };
  let soon = 0;
  box.addEventListener('input', () => { clearTimeout(soon); soon = setTimeout(search, 120); });
  box.form.addEventListener('submit', (event) => { event.preventDefault(); search(); });
  box.form.hidden = false;
  const given = new URLSearchParams(location.hash.slice(1)).get('q');
  if (given) { box.value = given; search(); }
}
