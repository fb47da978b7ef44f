"""Texts in their source: folded, within borders, and the way back to the characters that they came from."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.ground.find import spots
from assay.ground.fold import Folded, fold
from assay.ground.quotes import quote


def found(value: str, source: str) -> list[tuple[str, str]]:
    return [(source[place.start : place.end], place.match) for place in spots(value, Folded(source))]


@pytest.mark.parametrize(
    ("value", "source", "expected"),
    [
        ("9", "179.85, 9 pieces", [("9", "exact")]),
        ("Anna", "Annabelle and Anna", [("Anna", "exact")]),
        ("AT", "that AT", [("AT", "exact")]),
        ("1", "1/2 3.4 1,240 .1 1", [("1", "exact")]),
        ("1", "1,2,3", [("1", "exact")]),
        ("5", "No.5", [("5", "exact")]),
        ("2 cups", "1 1/2 cups", []),
        ("102", "10²", []),
        ("2026", "04.03.2026", [("2026", "exact")]),
        ("tomato", "tomatoes", [("tomato", "exact")]),
        ("car", "cars", []),
        ("Paul", "Paula", []),
        ("Berlin", "Berlins Mauer", [("Berlin", "exact")]),
        ("lamp", "lampshades", []),
        ("g", "500g", [("g", "exact")]),
        ("café", "cafe\u0301", [("cafe\u0301", "folded")]),
        ("STRASSE", "in der Straße 5", [("Straße", "folded")]),
        ("s", "Straße: s", [("s", "exact")]),
        ("サッカー", "ｻｯｶｰ", [("ｻｯｶｰ", "folded")]),
        ("ガ", "ｶﾞ", [("ｶﾞ", "folded")]),
        ("東京", "昨日東京で", [("東京", "exact")]),
        ("서울", "서울에서", [("서울", "exact")]),
        ("a b", "a \u200b\r\n b", [("a \u200b\r\n b", "folded")]),
        ("example", "exam\u00ad\nple", [("exam\u00ad\nple", "folded")]),
        ("it's", "it’s", [("it’s", "folded")]),
        ("2019-03", "2019–03", [("2019–03", "folded")]),
        ("1/2", "½ and 1½", [("½", "folded")]),
        ("👩", "👩‍👩‍👧 👩🏽 👩", [("👩", "exact")]),
        ("\ud800x", "a \ud800x\x00", [("\ud800x", "exact")]),
        ("", "anything", []),
    ],
)  # fmt: skip
def test_a_text_is_found_whole_and_only_whole(value: str, source: str, expected: list[tuple[str, str]]) -> None:
    assert found(value, source) == expected


TEXT = st.text(st.sampled_from("aB1 .,-\n\r\té\u0301ßｻﾞ가\u1161½²👩\u200d\ufe0f🏽\u00ad\u202e\x00\ud800’“東"), max_size=40)


@given(TEXT, TEXT)
def test_every_place_folds_to_the_value(value: str, around: str) -> None:
    source = f"{around} {value} {around}"
    text = Folded(source)
    for start, end, _, match in spots(value, text):
        assert fold(source[start:end]) == fold(value)
        assert match == ("exact" if source[start:end] == value.strip() else "folded")


@given(st.text(max_size=60))
def test_a_place_leads_back_to_its_characters(source: str) -> None:
    text = Folded(source)
    for at in range(len(text.text)):
        place = text.back(at, at + 1)
        if place is not None:
            assert 0 <= place[0] < place[1] <= len(source)


@given(st.text(max_size=40))
def test_composition_width_and_case_do_not_count(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))


SOURCE = (
    "The committee found no evidence of fraud in the annual report. Payment is due within thirty days of delivery, "
    "and late payments bear interest at two percent per month. 双方同意本合同自签字之日起生效，有效期为三年。"
)


@pytest.mark.parametrize(
    "text",
    [
        "Payment is due within thirty days of delivery",
        '"PAYMENT is  due within\nthirty days of delivery."',
        "Ｐａｙｍｅｎｔ is due within thirty days of delivery",
        "Payment is due within thirti days of delivery",
        "Payment is due within days of delivery, and late payments",
        "no evidence of fraud … interest at two percent",
        "双方同意本合同自签字之日起生效,有效期为 三年",
        "双方同意本合同自签定之日起生效",
    ],
)
def test_a_quote_changed_a_little_is_found(text: str) -> None:
    assert quote(text, Folded(SOURCE))


@pytest.mark.parametrize(
    "text",
    [
        "The supplier shall deliver all goods free of charge",
        "no evidence … of theft of company property",
        "interest at two percent … no evidence of fraud",
        "thirti days",
        "…",
        "",
    ],
)
def test_a_quote_that_does_not_stand_there_is_not_found(text: str) -> None:
    assert not quote(text, Folded(SOURCE))
