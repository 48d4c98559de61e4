"""Write a person's name so that two spellings of it are equal.

Decides which differences between names are only differences of writing: width, spaces, middle dots, letter case,
variant forms of a kanji, hiragana against katakana. It does not know families or languages, and two people may share
a key.
"""

import unicodedata
from functools import lru_cache

# Variant and usual form, side by side. Unicode's own normalisation folds none of these. 斉 and 斎 are two characters
# by origin; families and clerks mix them, so they share a key, and a match that rests on it should weigh less.
_VARIANTS = (
    "髙高 﨑崎 嵜崎 齋斎 齊斎 斉斎 邊辺 邉辺 澤沢 德徳 濵浜 濱浜 櫻桜 廣広 國国 眞真 惠恵 榮栄 嶋島 嶌島 瀧滝 龍竜 "
    "黑黒 靑青 藏蔵 瀨瀬 槇槙 槗橋 𣘺橋 𠮷吉 𡈽土 曾曽 增増 條条 與与 彌弥 壽寿 應応 學学 靜静 淸清 渕淵 渊淵 峯峰 "
    "埜野 舘館 冨富 寶宝 寳宝 禮礼 鐵鉄 關関 勳勲 邨村 桒桑 萬万 藪薮 籔薮 檜桧 會会 圓円 壹壱 實実 將将 莊荘 總総 "
    "聰聡 鷗鴎 鹽塩 曻昇 鄕郷 龜亀 薗園 兒児 來来 壯壮 奧奥 巖巌 嚴厳 從従 恆恒 戶戸 收収 曉暁 栢柏 氣気 澁渋 濟済 "
    "爲為 瑤瑶 祿禄 禰祢 稻稲 穗穂 縣県 繩縄 蘆芦 螢蛍 讓譲 豐豊 賴頼 遙遥 釋釈 鎭鎮 閒間 隱隠 雙双 顯顕 鶯鴬 鷄鶏 "
    "麥麦 齡齢"
)
_USUAL = {ord(pair[0]): pair[1] for pair in _VARIANTS.split()}
_UNSEEN = dict.fromkeys(map(ord, " \u200b\u200c\u200d\u2060\ufeff・"))
_KATAKANA = {code: chr(code + 0x60) for code in (*range(0x3041, 0x3097), 0x309D, 0x309E)}


def normalise_name(text: str) -> str:
    """Give the name in ordinary width with single spaces, otherwise as it was written; blank stays blank."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


@lru_cache(maxsize=16_384)
def name_key(text: str) -> str:
    """Give the text by which two names are the same writing: no spaces or middle dots, usual kanji, one letter case.

    A key is for matching only and is never shown or written anywhere as a name. Applying it twice changes nothing.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    joined = "".join(folded.split()).translate(_UNSEEN).translate(_USUAL)
    return unicodedata.normalize("NFKC", joined)  # a lone accent may now stand behind a letter


def kana_key(text: str) -> str:
    """Give the key of a reading (フリガナ): as `name_key`, with hiragana as katakana.

    Equal readings with different kanji are weak evidence: 淳 and 純 are both ジュン.
    """
    return name_key(text).translate(_KATAKANA)
