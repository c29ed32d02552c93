"""What a clause wants done, by the word it opens with. Texts are plain: small letters, no `ё`."""

import re
from typing import Literal, NamedTuple, TypeAlias

Deed: TypeAlias = Literal[
    "mechanical", "build", "write", "update", "mend", "better", "examine", "propose", "tell", "want"
]


class Verb(NamedTuple):
    """A word that opens a clause, what it wants, and where it ends."""

    word: str
    deed: Deed
    end: int


def _table(**groups: str) -> re.Pattern[str]:
    """One pattern of all verbs: a group a deed."""
    parts = (f"(?P<{deed}>{'|'.join(words.split())})" for deed, words in groups.items())
    return re.compile(f"(?:{'|'.join(parts)})(?!\\w)".replace("_", " "))


VERBS = _table(
    # Moves text about: whoever's file it is, the coder does it
    mechanical=r"""
            replace rename remove delete drop erase put(?!_together) move swap set(?!_up) uncomment
            comment_out undo revert sort(?!_(?:out|this|it)) append insert prepend bump inline merge
            clean_up get_rid_of turn_(?:on|off) enable disable commit push turn_this turn swap use wrap
            have hook_up convert port switch замен(?:и|ите|ить|им|яй) переимен(?:уй|уйте|овать)
            удал(?:и|ите|ить|им|яй) убер(?:и|ите|ем) убрать сотр(?:и|ите) стереть перемест(?:и|ите|ить)
            перенес(?:и|ите|ти) вынес(?:и|ите|ти) выдел(?:и|ите|ить) подстав(?:ь|ьте|ить)
            закомментир(?:уй|уйте|овать) раскомментир(?:уй|уйте|овать) отсортир(?:уй|уйте|овать)
            откат(?:и|ите|ить) встав(?:ь|ьте|ить|им) впи(?:ши|шите|сать) постав(?:ь|ьте|ить)
            поменя(?:й|йте|ть|ем) смен(?:и|ите|ить) включ(?:и|ите|ить) отключ(?:и|ите|ить)
            выключ(?:и|ите|ить) смерж(?:и|ите|ить) объедин(?:и|ите|ить) раздел(?:и|ите|ить) подним(?:и|ите)
            закоммит(?:ь|ьте|ить|и) запуш(?:ь|ьте|ить|и) выкин(?:ь|ьте|уть) подключ(?:и|ите|ить)
            установ(?:и|ите|ить)""",
    # Makes something run that was not there, or makes code into other code
    build=r"""
            add ad implement introduce extend build scaffold change rewrite refactor reformat format edit
            modify split extract migrate apply ensure integrate wire support handle return
            make_(?:it|sure)(?:_(?:so|that))? turn add_in rework redo restructure adjust adapt install let
            limit cache allow добав(?:ь|ьте|ить|им|ляй) добавл?яй(?:те)? реализ(?:уй|уйте|овать|уем)
            внедр(?:и|ите|ить) измен(?:и|ите|ить|им) перепи(?:ши|шите|сать|шем) передела(?:й|йте|ть|ем)
            вне(?:си|сите|сти) отрефактор(?:и|ь|ить|ите|ьте)\w* рефактор(?:и|ь|ить)\w*
            отформатир(?:уй|уйте|овать) упрост(?:и|ите|ить) расшир(?:ь|ьте|ить) прикрут(?:и|ите|ить)
            накод(?:и|ить|ите) сократ(?:и|ите|ить) разбе(?:й|йте) разбить доработа(?:й|йте|ть)
            настро(?:й|йте|ить) увелич(?:ь|ьте|ить) запили(?:те)? запилить адаптир(?:уй|уйте|овать)
            мигрир(?:уй|уйте|овать) интегрир(?:уй|уйте|овать) запрети(?:те)? разреши(?:те)? ограничь(?:те)?
            сделай(?:те)?_так сделать_так (?:нужно|надо|необходимо|хочу|хотим|хотелось_бы)_чтобы отправляй
            показывай возвращай пусть заимпортируй построй(?:те)? запусти(?:те)? прогони(?:те)?""",
    # Brings something new into words or files: the thing decides whose it is
    write=r"""
            write create make generate prepare draft sketch draw do set_up produce compose conduct perform
            run_an? come_up_with think_through define put_together develop parametri[sz]e unit-test cover
            design document comment describe_in test pentest model plan_out write_up leave
            напи(?:ши|шите|сать|шем) созда(?:й|йте|ть|дим) сдела(?:й|йте|ть|ем) сгенерир(?:уй|уйте|овать)
            подготов(?:ь|ьте|ить) состав(?:ь|ьте|ить) нарису(?:й|йте) нарисовать набросай(?:те)? набросать
            оформ(?:и|ите|ить) проведи(?:те)? провести разработай(?:те)? разработать продумай(?:те)?
            продумать придумай(?:те)? придумать покро(?:й|йте) покрыть протестируй(?:те)? протестировать
            параметризуй(?:те)? спроектир(?:уй|уйте|овать|уем) задокументир(?:уй|уйте|овать)
            прокомментир(?:уй|уйте) прокомментировать оставь(?:те)? выполни(?:те)?""",
    update=r"""
            update translate bring upgrade complete обнов(?:и|ите|ить|им) дополн(?:и|ите|ить)
            допи(?:ши|шите|сать|шем) перевед(?:и|ите) перевести актуализируй(?:те)? актуализировать""",
    # Something is wrong with what is there
    mend=r"""
            fix repair correct resolve solve sort_out sort_this_out get hotfix eliminate patch close
            исправ(?:ь|ьте|ить|им|ляй) поправ(?:ь|ьте|ить|им) пофикс(?:и|ить|ите) почин(?:и|ите|ить|им)
            чин(?:и|ите|ить) устран(?:и|ите|ить) закро(?:й|йте) закрыть реши(?:те)?""",
    # It works, and should work better
    better=r"""
            improve increase reduce decrease lower speed_up optimi[sz]e accelerate harden simplify raise
            cut улучш(?:и|ите|ить) снизь(?:те)? снизить уменьш(?:и|ите|ить) оптимизир(?:уй|уйте|овать)
            ускор(?:ь|ьте|ить) повысь(?:те)? повысить""",
    # Looks closely: at what is wrong with it, or how it is
    examine=r"""
            find check look investigate analy[sz]e review inspect debug diagnose reproduce track_down trace
            profile measure benchmark scan audit evaluate assess rate critique compare weigh figure_out
            look_into see_(?:whether|if|what) search grep locate examine give_me_feedback take_a_look
            have_a_look a_second_pair git_bisect bisect find_out troubleshoot най(?:ди|дите|ти)
            провер(?:ь|ьте|ить|им) посмотр(?:и|ите|еть|им) глян(?:ь|ьте|уть) взглян(?:и|ите|уть)
            разбер(?:ись|итесь|и|ите) разобраться выясн(?:и|ите|ить) узна(?:й|йте|ть)
            проанализир(?:уй|уйте|овать) изучи(?:те)? изучить отлад(?:ь|ьте|ить) воспроизвед(?:и|ите)
            воспроизвести отслед(?:и|ите|ить) (?:за)?профилируй(?:те)? (?:за)?профилировать
            замер(?:ь|ьте|ить|яй) измер(?:ь|ьте|ить) оцени(?:те)? оценить сравн(?:и|ите|ить) взвесь(?:те)?
            (?:про)?сканируй(?:те)? поищ(?:и|ите) поискать искать (?:от|по)ревью(?:й|йте|ить|вь|ерь)?
            ревьюн(?:и|ите|уть) ревьюй(?:те)?""",
    propose=r"""
            propose suggest recommend choose_between choose
            how_would_you_(?:design|build|structure|organi[sz]e) предлож(?:и|ите|ить) посоветуй(?:те)?
            выбрать выбери(?:те)? порекомендуй(?:те)?
            как_бы_(?:ты|вы)_(?:построил|спроектировал|организовал|сделал)и?""",
    tell=r"""
            explain describe show list tell summari[sz]e count read open print give walk outline say browse
            help_me_understand understand know translate_for_me remind объясн(?:и|ите|ить)
            поясн(?:и|ите|ить) расскаж(?:и|ите) рассказать покаж(?:и|ите) показать опи(?:ши|шите|сать)
            перечисл(?:и|ите|ить) прочита(?:й|йте|ть) прочт(?:и|ите) выведи(?:те)? вывести
            посчита(?:й|йте|ть) сосчита(?:й|йте|ть) подскаж(?:и|ите) скаж(?:и|ите) дай(?:те)? открой(?:те)?
            ознаком(?:ь|ься|ьтесь) понять процитир(?:уй|уйте) перескажи(?:те)? напомни(?:те)?""",
    want=r"""
            need we_need i_need i_want i'd_like i_would_like we_want want would_love i'm_after
            there_should_be there_must_be нуж(?:ен|на|ны) требуется не_хватает""",
)
QUESTION = re.compile(
    r"""(?:
        what(?:'s|s)?|where(?:'s|s)?|which|who(?:se|m)?|why|how|when|is|are|was|were|does
    |do\ (?:we|you|i|they)|did
    |has|have\ (?:we|you|they)|should|would|any|can|could|given|am\ i
    |что|чего|чему|чем|где|куда|откуда|как(?!\ (?:обычно|всегда|раньше|прежде|есть)\b)
    |каким|како[йемг]\w*|какая|какие|каких|какую|скока
    |каков\w*|зачем|почему|отчего|когда|кто|кого|кому|кем|сколько|чей|чья|чье|чьи|есть\ ли|можно\ ли
    |нужно\ ли|надо\ ли|правда\ ли|верно\ ли|в\ чем|о\ чем|для\ чего|за\ что|на\ каком|нет\ ли
    |стоит\ ли|не\ \w+\ ли|из-за\ чего|есть(?=.*\?)
    |в\ как\w+|из\ чего|с\ чего|по\ как\w+|при\ как\w+|от\ чего|насколько|можно(?=.*\?)|это(?=.*\?)|\w+\ ли
    )(?!\w)""",
    re.VERBOSE,
)
WHY = re.compile(r"(?:why|how come|почему|отчего|из-за чего|what causes|what makes|что вызывает)(?!\w)")
NOT = re.compile(
    r"(?:don't|do not|dont|never|without|no|i don't want|i do not want|не|ничего не|никогда не|без)(?!\w)"
)
SMALL_TALK = re.compile(
    r"(?:hi|hello|hey|thanks|thank you|good (?:morning|evening|day)|who are you|what can you do|help"
    r"|привет\w*|здравствуй\w*|добр(?:ый|ое|ого) \w+|спасибо|благодар\w+|кто ты|что ты умеешь|помощь"
    r"|хай|салют)(?!\w)"
)
SUBORDINATE = re.compile(
    r"\s*(?:me\s+|мне\s+)?,?\s*(?:what|where|which|who|why|how|when|whether"
    r"|что|где|как|какой|какие|зачем|почему|кто|когда|сколько)\b"
)
PRODUCT_OF_LOOKING = re.compile(
    r"\b(?:summary|overview|explanation|description of what|list of|report on"
    r"|обзор\w*|объяснени\w+|пояснени\w+|список|перечень|саммари|сводк\w+|анализ\w*|резюме|пересказ\w*)\b"
)
PRONOUN = re.compile(
    r"\s*(?:it|them|this|that|those|its|их|его|ее|это|найденн\w+|what you find)?(?: up to date)?[\s.!]*$"
)

VAGUE = re.compile(
    r"(?: (?:it|this|all|это|все|так|мне|очень|как-нибудь)|"
    r" (?:nice|nicer|better|good|pretty|great|something|красив\w+"
    r"|хорошо|лучше|нормально|круто|что-нибудь))+[\s.!]*$"
)
NAMES_TOO = frozenset(
    {"push", "set", "format", "edit", "test", "document", "design", "comment", "build", "move", "swap"}
)
"Verbs that name things as well: alone in a list they do."


def verb(clause: str) -> Verb | None:
    """Return the verb that a bare clause opens with, if it is one we know.

    >>> verb("rename foo to bar").deed
    'mechanical'
    """
    found = VERBS.match(clause)
    if found is None or found.lastgroup is None:
        return None
    return Verb(found[0], found.lastgroup, found.end())  # type: ignore[arg-type]  # groups are named by deeds
