"""How hits are graded, and found, where a question is in another language than the answer.

    python benchmarks/grade_languages.py INDEX [--gold FILE] [--foreign FILE]... [--queries N]

Queries in other languages than their talks (`--gold`) are asked as a user asks them, of an index that holds the talks.
For each language are printed MRR@10, how far the jump is from where the answer begins (the median, in seconds), and how
the first hits are graded: of those that are right, how many are strong, fair and weak; of those that are not right, how
many are not weak. Then come queries that no talk answers, in twelve languages, as null queries ask in
English; and `--foreign` gold files, whose talks are not in the index: of both, how many first hits are not weak (false
alarm) and how many are strong. `ACROSS` in search/results/grade.py was fitted on queries of `--gold` and on these null
queries, so that no language is one left out.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from talksearch.cli.pool import process_tuning
from talksearch.search import engine
from talksearch.search.evaluation import measure
from talksearch.search.evaluation.measure import GoldQuery
from talksearch.search.hit import Hit
from talksearch.search.query import Query
from talksearch.search.reader import IndexReader, open_reader

GOLD = Path(__file__).parents[1] / ".." / "shared" / "gold" / "nyu_languages.jsonl"

NULLS = {
    "de": "Brot backen mit Sauerteig; Fahrradreifen wechseln; wie man Rosen schneidet; billige Flüge im Sommer;"
    " Rückenschmerzen nach dem Sport; Steuererklärung für Rentner; Hotels am Meer; Ergebnisse der Bundesliga",
    "fr": "recette de pain au levain; changer un pneu de vélo; comment tailler les rosiers; vols pas chers en été;"
    " mal de dos après le sport; déclaration d'impôts des retraités; hôtels au bord de la mer; mon chat ne mange pas",
    "es": "receta de pan de masa madre; cambiar una rueda de bicicleta; cómo podar rosales; vuelos baratos en verano;"
    " dolor de espalda después de correr; declaración de la renta; hoteles junto al mar; mermelada de ciruelas",
    "it": "ricetta del pane con lievito madre; cambiare la gomma della bicicletta; come potare le rose; voli economici"
    " in estate; mal di schiena; dichiarazione dei redditi; alberghi sul mare; marmellata di prugne",
    "pt": "receita de pão; trocar o pneu da bicicleta; como podar roseiras; voos baratos no verão; dor nas costas;"
    " declaração de imposto de renda; hotéis na praia; meu gato não come",
    "tr": "ekşi mayalı ekmek tarifi; bisiklet lastiği değiştirme; gül nasıl budanır; yazın ucuz uçak biletleri; sırt"
    " ağrısı; gelir vergisi beyannamesi; deniz kenarında oteller; erik reçeli",
    "ru": "рецепт хлеба на закваске; как поменять шину велосипеда; как обрезать розы; дешёвые авиабилеты летом; боль в"
    " спине; налоговая декларация; гостиницы у моря; варенье из слив",
    "zh": "酸面包食谱; 怎么换自行车轮胎; 怎么修剪玫瑰; 夏天便宜机票; 运动后背痛; 退休人员报税; 海边酒店; 李子果酱",
    "ja": "サワードウパンのレシピ; 自転車のタイヤ交換; バラの剪定の仕方; 夏の格安航空券; 運動後の腰痛;"
    " 確定申告のやり方; 海の近くのホテル; 梅ジャムの作り方",
    "ko": "사워도우 빵 만드는 법; 자전거 타이어 교체; 장미 가지치기; 여름 저렴한 항공권;"
    " 운동 후 허리 통증; 세금 신고; 바닷가 호텔; 자두 잼",
    "ar": "وصفة خبز العجين المخمر; تغيير إطار الدراجة; كيفية تقليم الورود; رحلات طيران رخيصة في الصيف; ألم الظهر بعد"
    " الرياضة; الإقرار الضريبي; فنادق على البحر; مربى البرقوق",
    "hi": "खट्टी रोटी बनाने की विधि; साइकिल का टायर कैसे बदलें; गुलाब की छंटाई कैसे करें; गर्मियों में सस्ती उड़ानें;"
    " पीठ दर्द; आयकर रिटर्न; समुद्र किनारे होटल; बेर का जैम",
}
"""What no talk on technical matters answers."""

GRADES = ("strong", "fair", "weak")


def main() -> None:
    """Print a line for each language, and one for all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("index", type=Path)
    parser.add_argument("--gold", type=Path, default=GOLD)
    parser.add_argument("--foreign", type=Path, nargs="*", default=[])
    parser.add_argument("--queries", type=int, default=100, help="queries of each file, drawn at random")
    options = parser.parse_args()
    index = open_reader(options.index)
    process_tuning.tune(options.index)  # as every command that asks many queries does
    golds = list(measure.read_gold(options.gold))
    absent = set(measure.absent_talks(index, golds))
    language_of = _languages(options.gold)
    asked = _drawn([gold for gold in golds if gold.talk not in absent], options.queries)
    answered = [(gold, _ask(index, gold.query)) for gold in asked]
    outcomes = [measure.judge(gold, hits) for gold, hits in answered]
    by_language = defaultdict(list)
    for position, gold in enumerate(asked):
        by_language[language_of[gold.id]].append(position)
    print(f"{'':10}{'queries':>8}{'MRR@10':>8}{'jump s':>8}{'right: strong, fair, weak':>27}{'others not weak':>17}")
    for name, positions in [*sorted(by_language.items()), ("all", list(range(len(asked))))]:
        first = [(outcomes[at].rank == 1, answered[at][1][0].grade) for at in positions if answered[at][1]]
        right = [sum(is_right and grade == word for is_right, grade in first) for word in GRADES]
        wrong = [grade for is_right, grade in first if not is_right]
        figures = measure.metrics([outcomes[at] for at in positions])
        found, jump = figures["mrr@10"].value, figures["jump_error_s_median"].value
        print(f"{name:10}{len(positions):>8}{found:>8.3f}{jump:>8.1f}{', '.join(map(str, right)):>27}"
              f"{_share(wrong, 'weak'):>17.0%}")  # fmt: skip
    print(f"\n{'no answer':24}{'queries':>8}{'alarm':>8}{'strong':>8}")
    for name, queries in [
        *((name, [query.strip() for query in text.split(";")]) for name, text in NULLS.items()),
        *((path.stem, [gold.query for gold in _foreign(index, path, options.queries)]) for path in options.foreign),
    ]:
        grades = [hits[0].grade for hits in map(partial(_ask, index), queries) if hits]
        strong = sum(grade == "strong" for grade in grades) / max(1, len(grades))
        print(f"{name:24}{len(grades):>8}{_share(grades, 'weak'):>8.0%}{strong:>8.0%}")


def _ask(index: IndexReader, text: str) -> Sequence[Hit]:
    return engine.search(index, Query(text, 10, leave_out=("chapter", "description"))).hits


def _share(grades: Sequence[str | None], word: str) -> float:
    """Return the share of grades that are another."""
    return sum(grade != word for grade in grades) / max(1, len(grades))


def _foreign(index: IndexReader, path: Path, count: int) -> list[GoldQuery]:
    golds = list(measure.read_gold(path))
    absent = set(measure.absent_talks(index, golds))
    return _drawn([gold for gold in golds if gold.talk in absent], count)


def _drawn(golds: list[GoldQuery], count: int) -> list[GoldQuery]:
    return random.Random(0).sample(golds, min(count, len(golds)))


def _languages(path: Path) -> dict[str, str]:
    """Return the language of each query of a gold file, by its id."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return {str(row["id"]): str(row["lang"]) for row in rows}


if __name__ == "__main__":
    main()
