// One face for every player: play, pause, seek, speed, time. An embed is asked by postMessage, as its site documents it.

const SILENT_MS = 4000;

function local(media) {
  return {
    play: () => media.play().catch(() => {}),
    pause: () => media.pause(),
    seek: (s) => { media.currentTime = s; },
    speed: (rate) => { media.playbackRate = rate; },
    time: () => media.currentTime,
    get playing() { return !media.paused; },
  };
}

// What each embed is told, and how what it says is read: [seconds, playing?], or nothing to be told.
const SITES = {
  youtube: {
    at: (s) => `&enablejsapi=1&origin=${location.origin}&start=${Math.floor(s)}&autoplay=1`,
    hello: { event: 'listening', id: 1, channel: 'widget' },
    play: () => ({ event: 'command', func: 'playVideo', args: [] }),
    pause: () => ({ event: 'command', func: 'pauseVideo', args: [] }),
    seek: (s) => ({ event: 'command', func: 'seekTo', args: [s, true] }),
    speed: (rate) => ({ event: 'command', func: 'setPlaybackRate', args: [rate] }),
    heard: ({ info }) => [info?.currentTime, info?.playerState === undefined ? undefined : info.playerState === 1],
  },
  vimeo: {
    at: (s) => `&autoplay=1#t=${Math.floor(s)}s`,
    hello: { method: 'addEventListener', value: 'timeupdate' },
    play: () => ({ method: 'play' }),
    pause: () => ({ method: 'pause' }),
    seek: (s) => ({ method: 'setCurrentTime', value: s }),
    speed: (rate) => ({ method: 'setPlaybackRate', value: rate }),
    heard: ({ event, data }) => [data?.seconds, { timeupdate: true, play: true, pause: false, ended: false }[event]],
  },
  peertube: {
    at: (s) => `&start=${Math.floor(s)}s&autoplay=1`,
    hello: { method: 'peertube::__ready', params: { type: 'publish-reply', publish: [] } },
    play: () => ({ id: 1, method: 'peertube::play' }),
    pause: () => ({ id: 1, method: 'peertube::pause' }),
    seek: (s) => ({ id: 1, method: 'peertube::seek', params: s }),
    speed: (rate) => ({ id: 1, method: 'peertube::setPlaybackRate', params: rate }),
    heard: ({ params }) => [params?.position, params?.playbackState && params.playbackState === 'playing'],
  },
};

function embedded(frame, site, onTime, onSilence) {
  const origin = new URL(frame.src).origin;
  let [time, playing, answers] = [0, false, false];
  const tell = (message) => frame.contentWindow?.postMessage(JSON.stringify(message), origin);
  const knock = setInterval(() => (answers || !frame.isConnected ? clearInterval(knock) : tell(site.hello)), 250);
  setTimeout(() => answers || (frame.isConnected && onSilence()), SILENT_MS);
  addEventListener('message', function hear(event) {
    if (!frame.isConnected) return removeEventListener('message', hear);
    if (event.source !== frame.contentWindow || event.origin !== origin) return;
    let said = event.data;
    try { if (typeof said === 'string') said = JSON.parse(said); } catch { return; }
    if (!answers) { answers = true; tell(site.hello); onSilence(false); }
    const [s, plays] = site.heard(said ?? {});
    if (plays !== undefined) playing = plays;
    if (typeof s === 'number') onTime(time = s);
  });
  return {
    play: () => tell(site.play()),
    pause: () => tell(site.pause()),
    seek: (s) => { time = s; tell(site.seek(s)); },
    speed: (rate) => tell(site.speed(rate)),
    time: () => time,
    get playing() { return playing; },
  };
}

// Return the player in a box; null where a person has not yet asked for the embed. With `start`, that was asked for.
export function playerIn(box, { at, start, onTime, onSilence }) {
  const media = box.querySelector('video, audio');
  if (media) {
    media.addEventListener('timeupdate', () => onTime(media.currentTime));
    media.addEventListener('error', () => onSilence(true));
    if (media.error) onSilence(true);  // it was sooner than this script
    const player = local(media);
    if (start) player.play();
    return player;
  }
  const site = SITES[box.dataset.kind];
  let frame = box.querySelector('iframe');
  if (!site || !(frame || start)) return null;
  frame?.remove();
  frame = box.querySelector('template').content.firstElementChild.cloneNode();
  frame.src = box.dataset.src + site.at(at);
  box.replaceChildren(frame);
  return embedded(frame, site, onTime, onSilence);
}
