"""Months and days of the week by their names in many languages, full, inflected and short, regardless of accents and case."""

# ruff: noqa: RUF001  # letters of other scripts

from __future__ import annotations

import unicodedata
from functools import lru_cache

_MONTHS = (
    # en, de, nl, da, no, sv, fr, es, ca, it, pt, ro, pl, cs, sk, hu, fi, tr, id, el, ru, uk, ar
    (
        "january jan januar jänner januari januar janvier janv enero ene gener gen gennaio janeiro ianuarie ian styczeń stycznia sty "
        "leden ledna január januára tammikuu tammikuuta ocak oca ιανουάριος ιανουαρίου ιαν январь января янв січень січня січ يناير"
    ),
    (
        "february feb februar februari februar février févr fév febrero febrer febbraio febb fevereiro fev februarie luty lutego lut "
        "únor února február februára helmikuu helmikuuta şubat şub φεβρουάριος φεβρουαρίου φεβ февраль февраля фев февр лютий лютого "
        "лют فبراير"
    ),
    (
        "march mar märz maerz mrz maart mrt marts mars marzo març março martie marzec marca březen března marec március márc "
        "maaliskuu maaliskuuta mart maret μάρτιος μαρτίου μαρ март марта мар березень березня бер مارس"
    ),
    (
        "april apr avril avr abril abr aprile aprilie kwiecień kwietnia kwi duben dubna apríl apríla április ápr huhtikuu huhtikuuta "
        "nisan nis απρίλιος απριλίου απρ апрель апреля апр квітень квітня квіт أبريل ابريل"
    ),
    (
        "may mai mei maj mayo maig maggio mag maio maj maja květen května máj mája május toukokuu toukokuuta mayıs μάιος μαΐου μάι "
        "май мая травень травня трав مايو"
    ),
    (
        "june jun juni juin junio juny giugno giu junho iunie iun czerwiec czerwca cze červen června jún júna június jún kesäkuu "
        "kesäkuuta haziran haz ιούνιος ιουνίου ιουν июнь июня июн червень червня черв يونيو"
    ),
    (
        "july jul juli juillet juil julio juliol luglio lug julho iulie iul lipiec lipca lip červenec července júl júla július "
        "heinäkuu heinäkuuta temmuz tem ιούλιος ιουλίου ιουλ июль июля июл липень липня лип يوليو"
    ),
    (
        "august aug augustus août agosto ago ag agost agosto août aoû sierpień sierpnia sie srpen srpna augusta augusztus elokuu "
        "elokuuta ağustos ağu agustus agu αύγουστος αυγούστου αυγ август августа авг серпень серпня серп أغسطس اغسطس"
    ),
    (
        "september sept sep septembre septiembre setiembre setembre settembre sett setembro set septembrie wrzesień września wrz "
        "září septembra szeptember szept syyskuu syyskuuta eylül eyl σεπτέμβριος σεπτεμβρίου σεπ сентябрь сентября сен сент вересень "
        "вересня вер سبتمبر"
    ),
    (
        "october oct oktober okt oktober octobre octubre ottobre ott outubro out octombrie październik października paź říjen října "
        "október októbra lokakuu lokakuuta ekim eki οκτώβριος οκτωβρίου οκτ октябрь октября окт жовтень жовтня жовт أكتوبر اكتوبر"
    ),
    (
        "november nov novembre noviembre novembro noiembrie noi listopad listopadu listopada lis novembra marraskuu marraskuuta kasım "
        "kas νοέμβριος νοεμβρίου νοε ноябрь ноября ноя нояб листопад листопада лист نوفمبر"
    ),
    (
        "december dec dezember dez décembre déc diciembre dic desembre desember des dicembre dezembro decembrie grudzień grudnia gru "
        "prosinec prosince decembra joulukuu joulukuuta aralık ara δεκέμβριος δεκεμβρίου δεκ декабрь декабря дек грудень грудня "
        "груд ديسمبر"
    ),
)
_DAYS = (
    "monday mon tuesday tue tues wednesday wed thursday thu thur thurs friday fri saturday sat sunday sun "
    "montag mo dienstag di mittwoch mi donnerstag do freitag fr samstag sonnabend sa sonntag so "
    "maandag ma dinsdag woensdag wo donderdag vrijdag vr zaterdag za zondag zo "
    "lundi lun mardi mar mercredi mer jeudi jeu vendredi ven samedi sam dimanche dim "
    "lunes martes miércoles mié jueves jue viernes vie sábado sáb domingo dom "
    "lunedì martedì mercoledì giovedì gio venerdì sabato domenica "
    "segunda terça quarta quinta sexta segunda-feira terça-feira quarta-feira quinta-feira sexta-feira "
    "poniedziałek wtorek środa czwartek piątek sobota niedziela "
    "mandag tirsdag onsdag torsdag fredag lørdag søndag måndag tisdag lördag söndag "
    "понедельник вторник среда четверг пятница суббота воскресенье "
    "pazartesi salı çarşamba perşembe cuma cumartesi pazar"
)


@lru_cache(maxsize=65536)
def plain(name: str) -> str:
    """A name without case, accents and the dot of an abbreviation."""
    letters = unicodedata.normalize("NFD", name.casefold().rstrip("."))
    return "".join(char for char in letters if unicodedata.category(char) != "Mn").replace("ı", "i")


MONTH = {plain(name): number for number, names in enumerate(_MONTHS, 1) for name in names.split()}
WEEKDAYS = frozenset(plain(name) for name in _DAYS.split())


def month(name: str) -> int | None:
    """1 to 12 for the name of a month, None for any other word."""
    return MONTH.get(plain(name))
