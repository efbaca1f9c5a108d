// Plays a recording at the second of the link that was clicked, and marks the line that is said.
{
  const onDisk = location.protocol === 'file:';
  const box = document.querySelector('.player');
  const media = box?.querySelector('video, audio');
  const host = box?.dataset.frame;  // of an embed, which needs a page that has an address: from a file it refuses
  const lines = [...document.querySelectorAll('[data-s]')];
  let current = null;
  const mark = (line) => {
    if (line === current) return;
    current?.removeAttribute('aria-current');
    (current = line)?.setAttribute('aria-current', 'true');
  };
  const play = (line) => {
    const s = +line.dataset.at;
    if (media && (onDisk || !media.src.startsWith('file:'))) {
      media.currentTime = s;
      media.play().catch(() => {});
    } else if (host && !onDisk) {
      const frame = document.createElement('iframe');
      frame.src = `${host}&start=${Math.floor(s)}`;
      frame.allow = 'autoplay; encrypted-media; picture-in-picture; fullscreen';
      frame.referrerPolicy = 'strict-origin-when-cross-origin';
      frame.title = document.title;
      box.replaceChildren(frame);
    } else {
      return false;
    }
    mark(line);
    return true;
  };
  document.addEventListener('click', (event) => {
    const line = event.target.closest('a[data-s]');
    if (!line || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    if (play(line)) event.preventDefault();
  });
  media?.addEventListener('timeupdate', () => {
    let [low, high] = [0, lines.length];
    while (low < high) { const mid = (low + high) >> 1; if (+lines[mid].dataset.s <= media.currentTime) low = mid + 1; else high = mid; }
    const line = lines[low - 1];
    if (!line || line === current) return;
    mark(line);
    const { top, bottom } = line.getBoundingClientRect();
    if (!media.paused && bottom > 0 && top < innerHeight && bottom > innerHeight * .8) line.scrollIntoView({ block: 'center' });
  });
  if (media?.src.startsWith('file:') && !onDisk) box.querySelector('.note').hidden = false;
  else media?.addEventListener('error', () => { box.querySelector('.broken').hidden = false; });
}
