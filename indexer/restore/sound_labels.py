"""Sound labels: `[Music]`, `(applause)`, `♪`. What they are in many languages, and cues without them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import compress

from talksearch.indexer.records import Cue, Word

from .markup import Token, says
from .turns import Part

_SOUND_WORDS_TEXT = """
music musik musique música musica muziek musikk musiikki musiikkia muzyka muzică hudba zene müzik muzik glazba
музыка музика μουσική מוזיקה موسيقى موسیقی संगीत เพลง ดนตรี เสียงดนตรี 音楽 音乐 音樂 음악 nhạc applause applaus
applaudissements aplausos applausi applauso applåder bifald oklaski aplauze potlesk taps alkış alkışlar
aplodisman аплодисменты оплески χειροκρότημα χειροκροτήματα suosionosoituksia taputuksia aploditeja תשואות تصفيق
تشویق तालियां तालियाँ ปรบมือ เสียงปรบมือ 拍手 掌声 掌聲 鼓掌 박수 clapping cheering cheers laughter laughs laughing laugh
chuckle chuckles chuckling giggles giggling gelächter lachen rires rire risas risos risate gelach skratt latter
naurua nauru śmiech râsete smích nevetés kahkaha gülüşmeler gülme смех сміх γέλια γέλιο צחוק ضحك خنده हँसी हंसी
หัวเราะ เสียงหัวเราะ 笑い 笑 笑声 笑聲 웃음 coughs coughing cough sneezes sneezing sniffs sniffles sniffling snorts
snorting sighs sighing sigh gasps gasping gasp groans groaning grunts grunting screams screaming scream shouts
shouting whistling whistles whistle cries crying sobbing sobs moans moaning breathing exhales inhales yawns
burps hums humming whispering whispers booing boos beep beeps beeping bell bells ringing rings buzzing buzzer
static silence foreign chatter chattering murmuring jingle fanfare drumroll bleep click clicks clicking clatter
clattering thud thuds knocking typing engine räuspern husten seufzt hustet tos tosse toux soupir kašel vzdech
"""
_SOUND_WORDS = frozenset(_SOUND_WORDS_TEXT.split())
_SOUND_PHRASES = frozenset(
    (
        "clears throat", "clearing throat", "throat clearing", "tepuk tangan", "vỗ tay", "âm nhạc", "tiếng cười",
        "tiếng vỗ tay", "מחיאות כפיים", "no audio", "no speech", "no sound", "background noise",
        "speaking foreign language",
        "speaking in foreign language", "foreign language", "bip", "tertawa", "sound effect", "sound effects",
        "phone rings",
        "phone ringing", "door opens", "door closes", "crowd noise", "audience noise", "blank_audio", "blank audio",
    )
)  # fmt: skip
_SOUND_MANNER_TEXT = """
upbeat soft gentle light dramatic tense calm solemn cheerful lively electronic ambient instrumental rock
classical piano guitar intro outro theme opening closing background playing plays continues fades fade in out
stops starts audience crowd people all everyone both loud loudly quiet quietly heavy heavily deep deeply long
short and the with of a nervous nervously wild scattered rhythmic standing ovation continues singing lyrics
speaker host mic microphone door phone dog
"""
_SOUND_MANNER = frozenset(_SOUND_MANNER_TEXT.split())
_BRACKETED = re.compile(r"\[[^\[\]]{1,60}\]|\([^()]{1,60}\)|【[^【】]{1,30}】|（[^（）]{1,30}）|\*[a-z ]{3,30}\*")
_NOTES = re.compile(r"[♩♪♫♬🎵🎶]+")


def is_sound(label: str) -> bool:
    """Say whether what stands in brackets names a sound that is not speech.

    >>> [is_sound(text) for text in ("Music", "sighs and gasps", "Gelächter", "points to slide", " __ ", "inaudible")]
    [True, True, True, False, False, False]
    """
    text = unicodedata.normalize("NFC", label).strip(" .!:;,♪♫*_\t>-–").lower()
    if text in _SOUND_PHRASES or text in _SOUND_WORDS:
        return True
    words = [word.strip(".,!") for word in text.replace("/", " ").split()]
    if not words or len(words) > 5:
        return False
    for phrase in ("clears throat", "clearing throat"):
        text = text.replace(phrase, "sighs")
    words = [word.strip(".,!") for word in text.replace("/", " ").split()]
    return all(word in _SOUND_WORDS or word in _SOUND_MANNER for word in words) and any(
        word in _SOUND_WORDS for word in words
    )


def without_sounds(part: Part, counts: Counter[str]) -> Cue | None:
    """Make a cue of a part without sound labels and notes; None where nothing else is in it.

    `counts` is added to: `sounds`, `notes` and `cues_of_sound_only`.
    """
    tokens = part.tokens
    text = " ".join([token for token, _ in tokens])
    if "[" in text or "(" in text or "♪" in text or not text.isascii() or "*" in text:
        spans = [match.span() for match in _BRACKETED.finditer(text) if match[0][1:-1] and is_sound(match[0][1:-1])]
        counts["sounds"] += len(spans)
        notes = [match.span() for match in _NOTES.finditer(text)]
        counts["notes"] += len(notes)
        if spans or notes:
            tokens = _cut(tokens, sorted([*spans, *notes]))
            text = " ".join([token for token, _ in tokens])
            if not says(text):
                counts["cues_of_sound_only"] += 1
                return None
    return _cue(part, tokens, text)


def cue_of(part: Part) -> Cue | None:
    """Make a cue of a part; None where it has no words."""
    return _cue(part, part.tokens, " ".join([token for token, _ in part.tokens]))


def _cue(part: Part, tokens: Sequence[Token], text: str) -> Cue | None:
    """Make a cue of those words of a part that stay, and of these as one text; None where none do."""
    if not text:
        return None
    timed = tokens[0][1] is not None and all(time is not None for _, time in tokens)
    words = tuple(Word(token, time) for token, time in tokens if time is not None) if timed else ()
    start = part.start_ms
    if words and tokens[0] is not part.tokens[0] and words[0].start_ms > start:
        start = words[0].start_ms  # a label was cut off in front
    return Cue(start, max(part.end_ms, start), text, part.speaker, part.turn, words, part.pause_after)


def _cut(tokens: Sequence[Token], spans: Sequence[tuple[int, int]]) -> tuple[Token, ...]:
    """Take stretches of characters out of tokens joined by spaces."""
    out: list[Token] = []
    stays = bytearray(b"\x01") * sum(len(text) + 1 for text, _ in tokens)
    for start, end in spans:
        stays[start:end] = bytes(end - start)
    token_start = 0
    for text, time in tokens:
        kept = "".join(compress(text, stays[token_start : token_start + len(text)]))
        token_start += len(text) + 1
        if kept and (says(kept) or kept == text):
            out.append((kept, time))
        elif kept and out:  # punctuation behind a label
            out[-1] = (out[-1][0] + kept, out[-1][1]) if kept in ".,!?;:" and out[-1][0][-1].isalnum() else out[-1]
    return tuple(out)
