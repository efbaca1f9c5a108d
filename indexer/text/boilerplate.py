"""What services and programs write above, below and into transcripts about themselves: credits, notices, adverts.

Every pattern is for a whole line or cue, so a talk about such a service stays as it is. Sources: exports of the
services named, and for what recognition writes into silence the lists that users of Whisper keep
(openai/whisper, discussion 928), which are lines of subtitles that it was trained with.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .lone_names import may_be_a_lone_name

_SERVICES_TEXT = r"""
otter(?:\.ai)?|rev(?:\.com|\.ai)?|temi(?:\.com)?|trint(?:\.com)?|sonix(?:\.ai)?|happy ?scribe(?:\.com)?
  |descript(?:\.com)?|turboscribe(?:\.ai)?|notta(?:\.ai)?|fireflies(?:\.ai)?|fathom(?:\.video|\.ai)?
  |tl;?dv(?:\.io)?|granola(?:\.ai|\.so)?|plaud(?:\.ai)?(?: note)?|macwhisper|whisper(?:x|\.cpp| transcription)?
  |openai whisper|aiko|superwhisper|assembly ?ai|deepgram|speechmatics|verbit(?:\.ai)?|3play(?: ?media)?
  |castingwords(?:\.com)?|scribie(?:\.com)?|gotranscript(?:\.com)?|transcribeme|amberscript(?:\.com)?
  |maestra(?:\.ai)?|veed(?:\.io)?|kapwing|riverside(?:\.fm)?|podcastle|buzzsprout|transistor|zoom|microsoft teams
  |teams|google meet|webex|panopto|kaltura|youtube|vimeo|noota|tactiq(?:\.io)?|read\.ai|grain(?:\.com)?|avoma
  |gong|chorus|airgram|supernormal|jamie|bluedot|krisp|amara\.org|opensubtitles(?:\.org)?|clideo|subly
  |simon ?says|airtable|clova ?note|clovanote\.naver\.com|daglo(?:\.ai)?
"""
_MADE_TEXT = r"""
(?:automatically |auto-?|machine |fully |computer )?(?:transcribed|captioned|subtitled|generated
  |transcript(?:ion)?s?|captions?|captioning|(?:closed )?captions?|subtitles?|subtitling|subs)(?: (?:was|were|is
  |are))?(?: (?:automatically |auto-?)?(?:created|generated|provided|made|produced|powered|exported|transcribed))?
"""
_TOKENS = {
    "ADDRESS": r"(?:https?://|www\.)[^\s]+",
    "SERVICE": _SERVICES_TEXT,
    "MADE": _MADE_TEXT,
    "BY": r"(?:by|with|using|through|from|at|via|in)",
}
"""Words in capitals in the patterns below, and what they stand for."""

_LEADING = r"[\[(*_>\s-]*"
_TRAILING = r"[\])*_.!\s]*"

_ANYWHERE_TEXT = r"""
MADE BY (?:ADDRESS|(?:SERVICE)(?: ai)?)(?: \(?ADDRESS\)?)?
MADE BY (?:[\w-]+\.)+(?:com|org|net|ai|io|tv|co|de|fr|nl|ru|me|app)
MADE BY (?:SERVICE)\. (?:go unlimited|upgrade|visit|try|sign up)\b.{0,80}
this (?:file|recording) is longer than \d+ minutes\. go unlimited at turboscribe.{0,100}
this transcript was exported on \S.{4,90}
this transcript was (?:automatically |ai[- ]|machine[- ])?(?:generated|created) (?:by|using|with
  |automatically)\b[^,.!?]{0,50}(?:\.\w{2,5}|[.,;]? (?:and |it |so )?(?:it )?(?:may|might|can) contain [^.!?]{3,60})?
this (?:editable )?transcript (?:was|is|has been) (?:computer|automatically|machine|auto-?)[ -]?generated\b.{0,160}
(?:this |the )?(?:auto-?(?:matically )?generated|machine[- ]generated|computer[- ]generated) (?:transcript
  |captions?)(?:[.;,:-] [^.!?]{0,140}| (?:may|might|can) contain[^.!?]{0,80})?
(?:\[)?auto-?generated transcript\. edits may have been applied for clarity\.?(?:\])?
people can also change the text after it was (?:generated|created)
ai[- ]?(?:generated|created) (?:content|transcript|summary|notes?)(?: \S+){0,2} (?:may|might
  |can) (?:not )?(?:always )?(?:be|contain|have) (?:\S+ ){0,2}(?:inaccurate|incorrect|accurate|correct|wrong|errors?
  |mistakes|inaccuracies|incomplete)(?: (?:or|and) \w+)?(?:\. [^.!?]{3,80})?
chat with (?:this |the )?(?:meeting |call )?(?:transcript|notes?)(?: in \w+)?:? ADDRESS
ai can make mistakes\. \w.{3,80}
(?:the )?transcription (?:was )?(?:started|stopped|ended)(?: (?:after|at|by) .{1,40})?
(?:meeting|call|recording) (?:ended|started) (?:after|at) \d[\d:. apm]{2,14}(?: 👋)?
ki-generierte inhalte (?:können|koennen) (?:fehlerhaft|falsch|ungenau) sein
von ki generierte inhalte können .{3,40} sein
(?:le )?contenu généré par (?:l[’']ia|intelligence artificielle) peut être (?:incorrect|inexact)
(?:el )?contenido generado por (?:la )?ia puede (?:ser incorrecto|no ser correcto|contener errores)
(?:o )?conteúdo gerado por ia pode (?:estar|ser) incorreto
(?:il )?contenuto generato (?:dall[’']ia|dall[’']intelligenza artificiale) (?:potrebbe|può) .{3,30}
(?:door )?ai gegenereerde inhoud kan onjuist zijn
ai によって生成されたコンテンツは.{3,20}
dieses (?:bearbeitbare )?transkript wurde (?:computer|automatisch|maschinell).{3,120}
cette transcription (?:modifiable )?a été générée (?:par ordinateur|automatiquement).{0,120}
esta transcripción (?:editable )?(?:se ha generado|fue generada|se generó) (?:por ordenador|automáticamente).{0,120}
die transkription wurde nach [\d:.]+ beendet
la transcripción (?:finalizó|terminó) (?:después de|tras) [\d:.]+
la transcription s[’']est terminée (?:après|au bout de) [\d:.]+
sonix is the world[’']?s most advanced automated transcription\b.{0,160}
the above audio transcript of .{1,120} was transcribed by .{1,80}sonix.{0,120}
(?:automatically|quickly and accurately) convert your (?:mp[34]|audio|video).{5,120}(?:docx|srt|text|sonix).{0,90}
(?:do you have|if you have) .{3,60}(?:zoom|podcasts?|audio|video).{0,60}(?:transcri|convert
  |sonix).{0,120}sonix.{0,60}
sonix (?:has many features that you[’']d love|uses cutting-edge|takes transcription to|is the best online)\b.{5,260}
(?:try|get started with) sonix .{0,80}(?:free|today)\b.{0,40}
view recording - \d+ mins?(?: \(no highlights\))?:? ?(?:https?://\S*)?
(?:subtitles?|captions?|untertitel(?:ung)?|sous-titr(?:es?|age)|subtítulos|legendas?|sottotitoli|ondertitel(?:s|ing)|napisy
  |undertekster|titulky|субтитры|altyazı|字幕) ?(?:\S+ ){0,2}(?:by|der|von|para|por|pela|da|dalla|door|przez|av|af|par
  |von der|from|由) ?(?:\S+ ){0,3}(?:d[’'])?amara\.org.{0,30}
(?:字幕)?由 ?amara\.org.{0,20}
untertitel(?:ung)?(?: im auftrag)?(?: des)? (?:zdf|ard|swr|wdr|br|ndr|mdr|hr|srf|orf)\b.{0,40}
untertitel(?:ung)? (?:von|:) (?:stephanie geiges|.{3,40}\b20\d\d)
copyright (?:wdr|zdf|ndr|swr|ard) 20\d\d
sous-titrage (?:société radio-canada|st[’' ]? ?501|mfp|fr ?\d*|tv5monde|.{2,20}20\d\d)\.?
sous-titres? (?:réalisés?|faits?) (?:para|par) .{3,60}
sous-titrage ?: .{2,40}
субтитры (?:сделал|создавал|подогнал|делал|добавил)[аи]? .{2,40}
редактор субтитров .{2,40}
субтитры (?:создавались|предоставлены) .{2,60}
sottotitoli (?:e revisione )?a cura di .{2,40}
sottotitoli creati dalla comunità .{2,40}
subtítulos (?:por|realizados por|creados por) .{2,60}
legendas? (?:por|pela|adriana zanotto).{0,60}
tekstet av .{2,40}
undertekste[rt] (?:av|af) .{2,40}
textning (?:stina hedin|av)\b.{0,40}
svensktextning\.nu
napisy (?:stworzone przez|wykonane przez).{2,60}
titulky vytvořil .{2,40}
altyazı m\.?k\.?
nederlandse ondertiteling\b.{0,40}
ondertitel(?:d|ing|s) (?:door|ingediend door) .{2,60}
ترجمة نانسي ?قنقر
字幕(?:by|志[愿願]者|制作|製作|组|組|提供)[\s:：]+.{1,30}
字幕by.{1,12}
字幕由.{2,24}(?:提供|制作|製作)
中文字幕(?:志[愿願]者)?[\s:：]+.{1,20}
[请請]不吝[点點][赞贊贊].{0,40}
本字幕由.{2,40}
优优独播剧场.{0,40}
자막 ?(?:제공|제작|by).{0,40}
한글 ?자막 ?(?:by|제공).{0,30}
字幕作成[:：]?.{0,20}
phụ đề (?:được thực hiện|bởi) .{2,60}
subs? by www\.\S+
transcript emily beynon
(?:subtitles? |captions? )?(?:downloaded |provided |ripped |resync(?:ed)? )?(?:from|by
  |at)? ?(?:www\.)?opensubtitles\.(?:org|com)
support us and become (?:a )?vip member.{0,80}
advertise your product or brand here.{0,60}
(?:downloaded|subtitles?|synced|encoded|ripped) (?:from|by|at) .{0,40}\byts\.\w+.{0,20}
official yify movies site:? .{3,40}
please rate this subtitle at .{3,80}
(?:watch|download) any video online .{3,40}subtit.{0,40}
(?:api\.)?opensubtitles\.\w+ is deprecated.{0,100}
(?:\S+ ){0,5}(?:by|from|at)? ?(?:www\.)?(?:addic7ed|subscene)\.com
captioned by the national captioning institute.{0,40}
closed captioning (?:provided|sponsored|made possible) by .{2,60}
"""
"""One pattern a line; a line that is indented goes on. The services first, then what recognition writes into silence
and credits in the languages they are written in, then adverts in files of subtitles."""
_EDGE_TEXT = r"""
MADE BY:? ?\S+(?: \S+){0,6}
(?:sync(?:ed|hronized)?(?: and)?|translated|translation|reviewed|translator|reviewer|proofread|corrected
  |encoded)(?: (?:and|&) \w+)* ?(?:by|:)? \S+(?: \S+){0,4}(?: (?:reviewed|reviewer|translated)(?: by
  |:) \S+(?: \S+){0,4})?
traduction ?: \S+(?: \S+){0,5}
relecteur ?: \S+(?: \S+){0,5}
traductora?: \S+(?: \S+){0,5}
revisora?: \S+(?: \S+){0,5}
übersetzung: \S+(?: \S+){0,5}
lektorat: \S+(?: \S+){0,5}
перевод(?:чик)?: \S+(?: \S+){0,5}
редактор: \S+(?: \S+){0,5}
translator: \S+(?: \S+){0,3} reviewer: \S+(?: \S+){0,3}
summary keywords
speakers
attendees:?
transcript(?:ion)?:?
meeting transcript:?
full transcript:?
transkript(?:ion)?:?
end of transcript(?:ion)?
\[?(?:end|beginning|start) of (?:recording|transcript|audio)\]?
ende der transkription
(?:view|read) (?:the )?(?:original|latest|full) (?:transcript|version)\b.{0,60}
unknown speaker \d+:\d\d
clovanote\.naver\.com|(?:otter|turboscribe|tactiq|fireflies|notta|granola|fathom)\.(?:ai|io|so|video)(?:/\S*)?
(?:copyright )?(?:©|\(c\)|copyright(?= \d{4})) .{2,80}
ADDRESS
"""
"""Patterns of lines that are no speech above the first words and below the last."""
_STARTED = re.compile(
    r"(?P<name>[^\n.!?:]{2,50}?)(?: (?:started|stopped) (?:the )?(?:transcription|recording)"
    r"(?: (?:the )?(?:meeting|call))?"
    r"| hat die (?:transkription|aufzeichnung) (?:gestartet|beendet|angehalten)"
    r"| a (?:démarré|commencé|arrêté|lancé) (?:la transcription|l[’']enregistrement)"
    r"| (?:ha )?(?:inició|iniciado|detuvo|detenido) la (?:transcripción|grabación)"
    r"| (?:iniciou|interrompeu|parou) a (?:transcrição|gravação)"
    r"| ha (?:avviato|interrotto|arrestato) la (?:trascrizione|registrazione)"
    r"| heeft (?:de )?(?:transcriptie|opname) (?:gestart|gestopt))\.?",
    re.IGNORECASE,
)
"""What Teams notes for the one who starts or stops it."""


def _patterns(text: str) -> str:
    """Return one pattern for any of the lines of a text."""
    joined = text.strip().replace("\n  ", "")
    for token, meaning in _TOKENS.items():
        joined = joined.replace(token, meaning.strip().replace("\n  ", ""))
    return "|".join(joined.split("\n"))


def _whole(text: str) -> re.Pattern[str]:
    return re.compile(rf"{_LEADING}(?:{_patterns(text)}){_TRAILING}", re.IGNORECASE)


_BOILERPLATE = _whole(_ANYWHERE_TEXT)
_EDGE = _whole(_EDGE_TEXT)
_KEYS_TEXT = """
transcri, transkri, trascri, caption, subtit, untertit, sous-tit, subtít, legenda, sottotit, undertek,
undertext, tekstet, textning, napisy, titulky, altyazı, ondertit, субтит, 字幕, 자막, phụ đề, amara, opensubtitles,
yts., yify, addic7ed, subscene, otter, sonix, turboscribe, generated, generiert, généré, generado, gerado,
generato, gegenereerd, 生成, ended after, ended at, started after, started at, ai can make, recording, chat with,
aufzeichnung, enregistrement, grabación, registrazione,
gravação, opname, convert your, advertise your, vip member, copyright, ترجمة, 不吝, 优优,
subs by, video online
"""
_KEYS = tuple(key.strip(" \n") for key in _KEYS_TEXT.split(","))
"""One of these stands in every line that is boilerplate, in small letters. Most texts hold none: that shows quickly."""
_LONGEST = 320


def boilerplate_among(lines: Sequence[str]) -> list[str]:
    """Return the lines of a file that are boilerplate, as `is_boilerplate` says, in little time where there are none.

    >>> boilerplate_among(["So it is.", "Transcribed by https://otter.ai"])
    ['Transcribed by https://otter.ai']
    """
    whole = "\n".join(lines).lower()
    keys = [key for key in _KEYS if key in whole]
    if not keys:
        return []
    short = (line for line in lines if len(line) <= _LONGEST)
    return [line for line in short if any(key in line.lower() for key in keys) and is_boilerplate(line)]


def is_boilerplate(line: str) -> bool:
    """Say whether a line is a service's or a program's, wherever it stands.

    >>> [is_boilerplate(line) for line in ("Transcribed by https://otter.ai", "Untertitel der Amara.org-Community")]
    [True, True]
    >>> [is_boilerplate(line) for line in ("We use otter.ai to transcribe our calls.", "Thanks for watching!")]
    [False, False]
    """
    line = line.strip()
    if len(line) > _LONGEST or line[:1].islower():  # what begins with a small letter is a part of a sentence
        return False
    started = _STARTED.fullmatch(line)
    if started and may_be_a_lone_name(started["name"]):
        return len(started["name"].split()) > 1 or "transcription" in line
    return _BOILERPLATE.fullmatch(line) is not None


def is_edge(line: str) -> bool:
    """Say whether a line above the first words or below the last is no speech: a credit, a heading of an export.

    >>> [is_edge(line) for line in ("Translator: Ana Ruiz Reviewer: Ben Okafor", "SUMMARY KEYWORDS", "Thank you.")]
    [True, True, False]
    """
    line = line.strip()
    if is_boilerplate(line):
        return True
    is_part = line[:1].islower() and "://" not in line and " " in line
    return len(line) <= _LONGEST and not is_part and _EDGE.fullmatch(line) is not None


def introduces_a_list(line: str) -> bool:
    """Say whether the line behind is a list of names or keywords, as Otter writes them above a transcript.

    >>> introduces_a_list("SUMMARY KEYWORDS"), introduces_a_list("Speakers are loud")
    (True, False)
    """
    return line.strip(" :*#").lower() in ("summary keywords", "speakers", "keywords", "attendees", "participants")
