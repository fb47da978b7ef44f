"""Words that multiply a number printed before them: `75 million`, `3,5 Mrd.`, `2 mil millones`, `1億2345万`."""

from __future__ import annotations

import re
from decimal import Decimal

from assay.coerce.calendar import plain

_WORDS = {
    10**2: "hundred hundert cent cien cento honderd hundra",
    10**3: "thousand thousands tausend tsd mille mil mila duizend tusen tys тыс тысяч тысячи thsd",
    10**5: "lakh lakhs lac",
    10
    ** 6: "million millions mio mill millionen millon millones milhao milhoes milione milioni miljoen milion miliony milionow mln "
    "mn млн миллион миллиона миллионов miljoner juta milyon",
    10**7: "crore crores",
    10
    ** 9: "billion bn milliard milliards milliarde milliarden mrd md miljard mld miliard miliardy miliardow миллиард миллиарда "
    "миллиардов млрд miljarder miliar milyar bilhao bilhoes bi",
    10**12: "trillion trillions billionen trn tn bio трлн triliun trilyon",
}
SCALES = {plain(word): Decimal(factor) for factor, words in _WORDS.items() for word in words.split()}
LETTERS = {"k": Decimal(10**3), "m": Decimal(10**6), "b": Decimal(10**9), "g": Decimal(10**9), "t": Decimal(10**12)}
"""Single letters, which are just as often units: a metre, a gram."""

_CHINESE = {
    "百": 10**2,
    "千": 10**3,
    "万": 10**4,
    "萬": 10**4,
    "만": 10**4,
    "億": 10**8,
    "亿": 10**8,
    "억": 10**8,
    "兆": 10**12,
}
_CHINESE["조"] = 10**12
SIGNS = frozenset(_CHINESE)
CHINESE = re.compile(r"(?:\d[\d,]*(?:\.\d+)?\s?[百千万萬만億亿억兆조]+\s?)+(?:\d+)?(?<![\s])")
_STEP = re.compile(r"(\d[\d,]*(?:\.\d+)?)\s?([百千万萬만億亿억兆조]*)")


def scale(word: str) -> Decimal | None:
    """What a word multiplies by; None for any other word."""
    return SCALES.get(plain(word))


def chinese(text: str) -> Decimal:
    """The number of a print with signs for ten thousand and more between its digits."""
    total = Decimal(0)
    for digits, signs in _STEP.findall(text):
        part = Decimal(digits.replace(",", ""))
        for sign in signs:
            part *= _CHINESE[sign]
        total += part
    return total
