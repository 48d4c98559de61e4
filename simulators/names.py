"""Names of people who do not exist, in Japanese with kana and romanisation, and from elsewhere.

Data only: common surnames and given names, older or variant ways to write some of them, and made-up firms.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import NamedTuple


class Name(NamedTuple):
    """One name as written, as read, and as romanised in mailboxes."""

    written: str
    kana: str
    roman: str


def _table(text: str) -> tuple[Name, ...]:
    return tuple(Name(*entry.split("/")) for entry in text.split())


SURNAMES = _table(
    """
    佐藤/サトウ/sato 鈴木/スズキ/suzuki 高橋/タカハシ/takahashi 田中/タナカ/tanaka 伊藤/イトウ/ito
    渡辺/ワタナベ/watanabe 山本/ヤマモト/yamamoto 中村/ナカムラ/nakamura 小林/コバヤシ/kobayashi 加藤/カトウ/kato
    吉田/ヨシダ/yoshida 山田/ヤマダ/yamada 佐々木/ササキ/sasaki 山口/ヤマグチ/yamaguchi 松本/マツモト/matsumoto
    井上/イノウエ/inoue 木村/キムラ/kimura 林/ハヤシ/hayashi 斎藤/サイトウ/saito 清水/シミズ/shimizu
    山崎/ヤマザキ/yamazaki 森/モリ/mori 池田/イケダ/ikeda 橋本/ハシモト/hashimoto 阿部/アベ/abe
    石川/イシカワ/ishikawa 山下/ヤマシタ/yamashita 中島/ナカジマ/nakajima 石井/イシイ/ishii 小川/オガワ/ogawa
    前田/マエダ/maeda 岡田/オカダ/okada 長谷川/ハセガワ/hasegawa 藤田/フジタ/fujita 後藤/ゴトウ/goto
    近藤/コンドウ/kondo 村上/ムラカミ/murakami 遠藤/エンドウ/endo 青木/アオキ/aoki 坂本/サカモト/sakamoto
    福田/フクダ/fukuda 太田/オオタ/ota 西村/ニシムラ/nishimura 藤井/フジイ/fujii 金子/カネコ/kaneko
    岡本/オカモト/okamoto 藤原/フジワラ/fujiwara 中野/ナカノ/nakano 三浦/ミウラ/miura 原田/ハラダ/harada
    中川/ナカガワ/nakagawa 松田/マツダ/matsuda 竹内/タケウチ/takeuchi 小野/オノ/ono 大野/オオノ/ohno
    田村/タムラ/tamura 中山/ナカヤマ/nakayama 和田/ワダ/wada 石田/イシダ/ishida 森田/モリタ/morita
    浜田/ハマダ/hamada 渡部/ワタベ/watabe 柴田/シバタ/shibata 酒井/サカイ/sakai 宮崎/ミヤザキ/miyazaki
    高木/タカギ/takagi 内田/ウチダ/uchida 安藤/アンドウ/ando 島田/シマダ/shimada 小沢/オザワ/ozawa
    """
)

GIVEN_NAMES = _table(
    """
    太郎/タロウ/taro 一郎/イチロウ/ichiro 健/ケン/ken 健一/ケンイチ/kenichi 誠/マコト/makoto 浩/ヒロシ/hiroshi
    修/オサム/osamu 隆/タカシ/takashi 茂/シゲル/shigeru 豊/ユタカ/yutaka 剛/ツヨシ/tsuyoshi 学/マナブ/manabu
    大輔/ダイスケ/daisuke 直樹/ナオキ/naoki 哲也/テツヤ/tetsuya 達也/タツヤ/tatsuya 拓也/タクヤ/takuya
    翔太/ショウタ/shota 大輝/ダイキ/daiki 雄太/ユウタ/yuta 亮/リョウ/ryo 淳/ジュン/jun 純/ジュン/jun
    悠斗/ユウト/yuto 蓮/レン/ren 陽翔/ハルト/haruto 和也/カズヤ/kazuya 正/タダシ/tadashi 勝/マサル/masaru
    博/ヒロシ/hiroshi 進/ススム/susumu 明/アキラ/akira 花子/ハナコ/hanako 陽子/ヨウコ/yoko 恵子/ケイコ/keiko
    裕子/ユウコ/yuko 久美子/クミコ/kumiko 由美子/ユミコ/yumiko 真由美/マユミ/mayumi 智子/トモコ/tomoko
    直美/ナオミ/naomi 明美/アケミ/akemi 幸子/サチコ/sachiko 和子/カズコ/kazuko 洋子/ヨウコ/yoko
    美咲/ミサキ/misaki 愛/アイ/ai 彩/アヤ/aya 舞/マイ/mai 麻衣/マイ/mai 葵/アオイ/aoi 結衣/ユイ/yui
    さくら/サクラ/sakura ひかり/ヒカリ/hikari 千尋/チヒロ/chihiro 優/ユウ/yu 遥/ハルカ/haruka 薫/カオル/kaoru
    里奈/リナ/rina 由紀/ユキ/yuki 香織/カオリ/kaori 沙織/サオリ/saori 奈々/ナナ/nana 美穂/ミホ/miho
    """
)

FOREIGN_SURNAMES = (
    "Smith Miller García Müller Rossi Dubois Novák Kowalski Andersson Nielsen O'Neill Silva Nguyen Kim Chen Singh "
    "van-Dijk Haddad Okafor Petrov Ivanova Papadopoulos Jensen Tanaka-Jones"
).split()
FOREIGN_GIVEN_NAMES = (
    "Anna James José Zoë Luca Chloé Jan Maria Lars Sofie Liam Ana Minh Ji-woo Wei Priya Daan Omar Ada Dmitri "
    "Olga Eleni Mads Emma"
).split()

VARIANTS = {
    "高橋": "髙橋",
    "斎藤": "齋藤",
    "渡辺": "渡邊",
    "渡部": "渡邉",
    "山崎": "山﨑",
    "宮崎": "宮﨑",
    "浜田": "濱田",
    "小沢": "小澤",
    "高木": "髙木",
    "島田": "嶋田",
}
"""Surnames that the same family also writes otherwise."""

FIRMS = (
    "青空 若葉 日の出 三つ星 東雲 北斗 朝凪 緑川 白鷺 富士見 ひまわり 大和橋 銀河 雪割 海原 鳳 竜胆 千早 葛葉 柊"
).split()
TRADES = "商事 電機 工業 建設 製作所 物産 食品 システム サービス 化学".split()
FOREIGN_FIRMS = (
    "Northwind Bluebell Ironbridge Lakeside Granite Juniper Harbour Meadow Quartz Foxglove".split()
)

TITLES = ("部長", "課長", "係長", "主任", "担当", "取締役", "Manager", "Director", "Engineer", "Buyer")
INDUSTRIES = (("製造業", "Manufacturing"), ("建設", "Construction"), ("建設業", "Construction"))
"""Industry as marketing and as sales write it."""
ROLE_MAILBOXES = ("info", "sales", "contact", "support", "soumu")
FOREIGN_COUNTRIES = ("US", "DE", "FR", "GB", "NL")
# A country as marketing and as sales write it.
COUNTRY_WORDS = MappingProxyType(
    {
        "JP": ("日本", "Japan"),
        "US": ("アメリカ", "United States"),
        "DE": ("ドイツ", "Germany"),
        "FR": ("フランス", "France"),
        "GB": ("イギリス", "United Kingdom"),
        "NL": ("オランダ", "Netherlands"),
    }
)
