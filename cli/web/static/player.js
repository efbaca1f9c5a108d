// One face for every player: play, pause, seek, speed, time. Embeds are asked by postMessage, as their sites document it.
const SILENT_MS = 4000;

// Of each embed: how it is opened and greeted, what it calls the verbs, and what its messages say: [second, is playing].
const SITES = {
  youtube: {
    opens: (s) => `&enablejsapi=1&origin=${location.origin}&start=${s}&autoplay=1`,
    hello: [{ event: 'listening', id: 1, channel: 'widget' }],
    verbs: ['playVideo', 'pauseVideo', 'seekTo', 'setPlaybackRate'],
    say: (func, value) => ({ event: 'command', func, args: value === undefined ? [] : [value, true] }),
    hear: ({ info }) => [info?.currentTime, info?.playerState && info.playerState === 1],
  },
  vimeo: {
    opens: (s) => `&autoplay=1#t=${s}s`,
    hello: ['timeupdate', 'play', 'pause'].map((value) => ({ method: 'addEventListener', value })),
    verbs: ['play', 'pause', 'setCurrentTime', 'setPlaybackRate'],
    say: (method, value) => ({ method, value }),
    hear: ({ event, data }) => [data?.seconds, { timeupdate: true, play: true, pause: false }[event]],
  },
  peertube: {
    opens: (s) => `&start=${s}s&autoplay=1`,
    hello: [{ method: 'peertube::__ready', params: { type: 'publish-reply', publish: [] } }],
    verbs: ['play', 'pause', 'seek', 'setPlaybackRate'],
    say: (verb, params) => ({ id: 1, method: `peertube::${verb}`, params }),
    hear: ({ params }) => [params?.position, params?.playbackState && params.playbackState === 'playing'],
  },
};

function local(media, onTime, onSilence) {
  media.addEventListener('timeupdate', () => onTime(media.currentTime));
  media.addEventListener('error', () => onSilence(true));
  if (media.error) onSilence(true);  // it was sooner than this script
  return {
    play: () => media.play().catch(() => {}),
    pause: () => media.pause(),
    seek: (s) => { media.currentTime = s; },
    speed: (rate) => { media.playbackRate = rate; },
    time: () => media.currentTime,
    plays: () => !media.paused,
  };
}

function embedded(frame, { hello, verbs, say, hear }, time, onTime, onSilence) {
  const { origin } = new URL(frame.src);
  frame.className = 'waits';
  let plays = false, answers = false;
  // Nothing that is told is secret, and until it is loaded the frame has another origin.
  const tell = (message) => frame.contentWindow?.postMessage(JSON.stringify(message), '*');
  const knocking = setInterval(() => (answers || !frame.isConnected ? clearInterval(knocking) : hello.forEach(tell)), 250);
  setTimeout(() => {
    if (answers || !frame.isConnected) return;
    frame.className = 'mute';
    onSilence(true);
  }, SILENT_MS);
  addEventListener('message', function listen({ source, origin: from, data }) {
    if (!frame.isConnected) removeEventListener('message', listen);
    if (source !== frame.contentWindow || from !== origin) return;
    try { data = typeof data === 'string' ? JSON.parse(data) : data; } catch { return; }
    if (!answers) hello.forEach(tell);
    onSilence(!(answers = true));
    frame.className = '';
    const [second, is] = hear(data ?? {});
    plays = is ?? plays;
    if (typeof second === 'number') onTime(time = second);
  });
  const [play, pause, seek, speed] = verbs.map((verb) => (value) => tell(say(verb, value)));
  return { play, pause, seek: (s) => seek(time = s), speed, time: () => time, plays: () => plays };
}

// Return the player in a box; null for an embed that nobody has asked for. `asked` says that somebody has.
export function playerIn(box, at, asked, onTime, onSilence) {
  const media = box.querySelector('video, audio'), site = SITES[box.dataset.kind];
  if (media) {
    const player = local(media, onTime, onSilence);
    if (asked) player.play();
    return player;
  }
  if (!site || !(asked || box.querySelector('iframe'))) return null;
  const frame = box.querySelector('template').content.querySelector('iframe').cloneNode();
  frame.src = box.dataset.src + site.opens(Math.floor(at));
  box.replaceChildren(frame);
  return embedded(frame, site, at, onTime, onSilence);
}
