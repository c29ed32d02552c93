"""What a clause is about: the matters that make it another agent's than the coder's or ask's.

A matter has up to four patterns. `told` are words that say it in any statement ("it crashes"); `object` is
what a verb of certain deeds acts on ("write *tests*"); `verb` are verbs that say it alone ("profile");
`asked` is what makes a question more than one of knowledge ("is there an *injection*"). Texts are plain:
small letters, no `ё`.
"""

import re
from dataclasses import dataclass

from artel.graphs.routing.verbs import Deed


@dataclass(frozen=True, slots=True)
class Matter:
    """Whose work it is, and the words that tell."""

    agent: str
    deeds: frozenset[Deed]
    object: re.Pattern[str]
    verb: re.Pattern[str] | None = None
    told: re.Pattern[str] | None = None
    asked: re.Pattern[str] | None = None
    whys: bool = False
    "Whether a question for the cause of what is told is this agent's work."


def _words(text: str) -> re.Pattern[str]:
    """A pattern of stems, at word boundaries: `_` is a blank, `~` any ending, `…` a few words."""
    stems = "|".join(text.split()).replace("_", " ").replace("~", r"\w*").replace("…", r"(?: \S+){0,5}? ")
    return re.compile(rf"(?<!\w)(?:{stems})(?!\w)")


SECURITY = Matter(
    "security",
    frozenset({"write", "mend", "examine", "better", "want", "update"}),
    object=_words(
        r"""
            vulnerab~ (?:sql_|code_|command_|template_)?injections? xss csrf ssrf xxe cves? (?:in)?security
            threat_model~ path_traversal pen(?:etration)?[-_]?test~
            hard-?coded_(?:passwords?|keys?|secrets?|credentials?) secrets?(?=…(?:leak~|logs?|repo~))
            (?:leak~|commit~)_(?:secrets?|keys?|passwords?|tokens?) exploit~ attack~
            audit(?=…(?:depend~|packages|librar~|auth~|access)) bypass~ privilege_escalation уязвим~
            (?:sql-?_?)?инъекц~ небезопасн~ безопасност~
            секрет(?:ы|ов|а)?(?=…(?:лог~|репозитор~|код~|утек~)) (?:утек~|на)_секрет~
            утечк~_(?:секрет~|токен~|парол~|данн~) угроз захардкожен~_(?:парол~|ключ~|секрет~|токен~)
            аудит(?=_(?:зависимост~|безопасн~|доступ~|авториз~|прав)) атак~ эксплойт~ взлом~ bypass
            риск~(?=…(?:выполнени~|утечк~|взлом~)) пентест~ устойчив~(?=…(?:краж~|атак~|взлом~))"""
    ),
    verb=_words(r"pentest harden (?:про)?сканируй(?=…(?:секрет~|уязвим~))"),
    asked=_words(
        r"""
            vulnerab~ (?:sql_|code_|command_|template_)?injections? xss csrf ssrf xxe cves? secure(?:ly)?
            insecure~ safe(?:ly)?(?=…(?:against|from|to_(?:eval|deserialize|trust|expose))) bypass~
            exploit~ attacker~ hack~ leak~(?=…(?:secrets?|tokens?|keys?|passwords?)) escape(?=…sandbox)
            steal~ brute-?force~ уязвим~ (?:sql-?_?)?инъекц~ безопасно_(?:ли|мы|хран~|у_нас) небезопасн~
            обойти(?=…(?:провер~|авториз~|прав~|защит~)) защищен~ утек~ взлом~ украсть краж~ злоумышленник~
            подобрать_пароль сбежать подделать"""
    ),
)
PROFILER = Matter(
    "profiler",
    frozenset({"write", "mend", "examine", "better", "want"}),
    object=_words(
        r"""
            bottlenecks? slow~ sluggish~ faster benchmark~ latency throughput profil(?:e|ing)_of
            performance memory_(?:usage|use|consumption|footprint) flame_?graphs? n\+1
            how_long(?=…(?:takes?|needs?|lasts?)) cpu(?=_(?:usage|load|time)) hot_(?:loop|path|spot)s?
            узк~_мест~ медлен~ тормоз~ бенчмарк~ замер~ производительност~ быстродействи~ flame_?graph~
            n\+1 (?:потреблени~|расход~|использовани~)_памяти памят~(?=_при)
            нагрузк~_на_(?:процессор|cpu|базу|диск) под_нагрузкой (?:сколько|какое)_времени самые_долгие
            замедля~ быстрее latency"""
    ),
    verb=_words(
        r"""
            profile benchmark measure speed_up accelerate замер(?:ь|ьте|ить|яй) измер(?:ь|ьте|ить)
            ускор(?:ь|ьте|ить) (?:за)?профилируй(?:те)? (?:за)?профилировать"""
    ),
    told=_words(
        r"""
            (?:too_|so_|very_|really_|painfully_)?slow(?:ly|er|s)? sluggish~ laggy lags
            takes_(?:\d+|ages|forever|too_long|minutes|hours|so_long) bottlenecks?
            (?:eats?|uses?|consumes?|takes?)(?:_up)?_(?:too_much|so_much|a_lot_of|all)(?:_the)?_(?:memory|ram|cpu)
            тормоз(?:ит|ят|а) медленно подтормаживает лагает
            (?:жрет|ест|съедает|потребляет)(?:_\S+)?_(?:памят~|процессор|cpu|озу|оператив~) занимает_\d+
            идет_\d+ (?:так|очень|слишком)_(?:долго|медленно) грузится_долго"""
    ),
    asked=_words(
        r"""
            slow(?:est|er|ly)? bottlenecks? latency p9\d throughput performan~ memory_usage faster_than
            самые_(?:медленные|долгие|тяжелые) медленн~ узк~_мест~ тормоз~ n\+1"""
    ),
    whys=True,
)
DEBUG = Matter(
    "debug",
    frozenset({"mend", "examine"}),
    object=_words(
        r"""
            bugs? (?:memory_|connection_|resource_)?leaks? crash~ fail(?:s|ed|ing|ure|ures)? root_cause
            exceptions? error(?!_(?:handling|messages?|pages?|reference))s? traceback deadlocks?
            race_conditions? segfault~ regressions? hangs? broken breaks? broke~ the_build flak~
            infinite_loop stack_trace what_(?:is|went|goes)_wrong what's_wrong the_cause doesn't_work баг~
            ошибк(?:у|и|ой|а)? падени~ падает падают причин~ утечк~ вылет~ краш~ дедлок~ гонк~ сборк~
            трейсбек~ исключени~ flaky флак~ что_(?:не_так|сломалось|случилось) зависани~ регресси~
            не_работает"""
    ),
    verb=_words(
        r"""
            debug diagnose troubleshoot investigate reproduce track_down hotfix git_bisect bisect
            отлад(?:ь|ьте|ить) воспроизвед(?:и|ите) воспроизвести почин(?:и|ите|ить|им) пофикс(?:и|ить|ите)"""
    ),
    told=_words(
        r"""
            crash(?:es|ed|ing)? fail(?:s|ed|ing)? (?:is|are)_(?:broken|red|failing) is_red hang(?:s|ing)?
            freezes
            (?:doesn't|does_not|don't|do_not|didn't|won't|isn't|stopped|not)_(?:work|working|load|open|start|respond|run|compile|build|save|terminate)~
            never_(?:terminates?|finishes|returns|ends) nothing_happens breaks throws? segfaults? deadlock~
            race_condition \w+(?:error|exception) error(?=_?:|_ts\d|_code) exceptions?
            (?:error_|a_|an_|with_|returns?_)(?:4\d\d|5\d\d) exit_code_\d+ traceback flaky
            (?:sent|created|charged|saved)_twice
            (?:returns?|shows?|gives?|prints?|displays?)(?:_\S+){0,3}?_(?:wrong|incorrect|undefined)
            loops?_forever skips_the worked_yesterday something_is_wrong unexpected~ off_by_one lose_their
            cannot_find getting_«» (?:получаю|пишет|выдает)_«» в_логах(?:_\S+){0,3}?_(?:куча|полно|сыпется)
            (?:getting|got|get)_(?:an?_)?(?:errors?|undefined|null|exceptions?) падает падают упал~ вылета~
            вылете~ краш~ зависа~ завис~ сломал~ сломан~ ломает~ сегфолт~ дедлок~ трейсбек~ traceback
            не_(?:работа~|запуска~|открыва~|отправля~|загружа~|сохраня~|стартует|компилиру~|собира~|видит|приход~|отвечает|завершается)
            ошибк(?:а|и|у)(?=_?:) тесты_красные красные_тесты бесконечный_цикл кракозябры exception~
            исключение возвращает_(?:none|null|undefined|пуст~|неправильн~|неверн~)
            (?:получаю|вылезает|отдает|ответ)_(?:500|502|503|404|\d\d\d|ошибк~) неправильно неверно
            перестает_\S+ (?:врет|глючит|багует|баги) (?:создает~|отправляет~|списывает~)_дважды
            на_день_раньше через_раз (?:тест~|все)_(?:упал~|красн~) (?:cannot|can't)_\S+ обваливается"""
    ),
    asked=_words(
        r"""
            what(?:'s|_is|_went|_did_i_do)_wrong what_is_going_on going_on broke(?:n)? failing crash~
            (?:my|this)_loop did_i_do_wrong fail(?:s|ing)?(?=…(?:ci|test|locally|since|after)) что_не_так
            что_за_(?:ошибк~|исключени~|баг~) из-за_чего падает упал~ сломал~ сломан~ вылетает
            что_случилось в_чем_(?:ошибка|проблема)"""
    ),
    whys=True,
)
ARCHITECT = Matter(
    "architect",
    frozenset({"write", "want", "propose"}),
    object=_words(
        r"""
            architectur~ adrs? rfcs? (?:technical|system|high-level)_design design[-_]doc~ design_proposal
            c4(?:-\S+)? (?:\S{1,40}_)?diagrams? trade-?offs? pros_and_cons specification~
            spec(?=_(?:for|of)) requirements~ srs openapi data_model (?:database|db|table)_schema
            schema(?=_(?:for|of)) (?:high-level_)?approach~ (?:migration_)?plan_(?:for|to|of)
            (?:how|ways?)_to_(?:break|split|structure|organi~|divide) interfaces_between architectural~
            user_stories use_cases? nfrs? how_we_(?:could|should|might) архитектур~ adr rfc дизайн~
            design_doc~ c4~ диаграмм~ плюс~_и_минус~ за_и_против спецификаци~ техническ~_задани~ тз
            требовани~ srs openapi схем(?:а|у|ы)(?=_(?:базы|бд|данных|прав|таблиц|хранени~|для))
            модель_данных план_(?:миграц~|перехо~|рефактор~|внедр~)
            как_(?:разбить|организовать|структурировать|построить|разделить|улучшить_архитект~)
            вариант(?:ы|ов) подход~ api_для протокол~_(?:обмена|взаимод~) концепци~ монолит~ микросервис~"""
    ),
    verb=_words(
        r"""
            design how_would_you_(?:design|build|structure|organi[sz]e) choose_between think_through
            propose sketch
            (?:evaluate|assess|compare|оцени(?:те)?|сравни(?:те)?)(?=…(?:architectur~|approach~|database~|framework~|архитектур~|монолит~|микросервис~|подход~))
            describe_the_requirements опи(?:ши|шите)_(?:требования|сценарии_использования)
            спроектир(?:уй|уйте|овать|уем) продумай(?:те)? продумать взвесь(?:те)? weigh
            как_бы_(?:ты|вы)_(?:построил|спроектировал|организовал|сделал)и?"""
    ),
    asked=_words(
        r"""
            should_we_(?:use|move|switch|migrate|split|adopt|choose|go)
            best_(?:way|approach)_to_(?:structure|organi~|design|split|model|build) trade-?offs?
            pros_and_cons design_pattern good_idea_to_(?:move|switch|migrate|split|use|adopt) how_would_you
            (?:какую|какой|какое|какая|что|какие)…(?:лучше|выбрать)
            как_лучше_(?:организовать|построить|спроектировать|структурировать|разделить|хранить)
            стоит_ли_(?:нам_)?(?:переходить|перейти|использовать|выносить|разбивать|мигрировать|внедрять)
            плюсы_и_минусы паттерн~(?=…(?:лучше|подойд~|выбрать)) как_бы_(?:ты|вы)
            (?:какие_)?(?:есть_)?варианты which_(?:database|framework|pattern|queue)…(?:should|better|best)"""
    ),
)
REVIEWER = Matter(
    "reviewer",
    frozenset({"examine", "write", "want"}),
    object=_words(
        r"""
            code_?reviews? review~
            (?:my|the|our|this|these|staged)_(?:last_)?(?:diff|changes?|commits?|pr|mr|pull_requests?|merge_requests?|branch)
            pull_requests? merge_requests? pr_\d+ code_smells? smells? code_quality quality_of_the_code
            feedback style_guide second_pair_of_eyes comments(?=_on) mr_\d+ ревью код-ревью code-ревью
            пулл?-?_?реквест~ мерж-?_?реквест~
            (?:моег?о?|мой|наш|этот|эти|мои)_(?:diff|дифф?|pr|пр|код|изменени~|правк~|коммит~) замечани~
            рецензи~ качеств~_кода код~…на_(?:чистоту|читаемость) по_(?:чистоте|читаемости|стилю)
            code_smells~ запах~_кода изменения_в_ветке свеж~_взглядом критическ~_разбор diff дифф? pr
            наш(?:ему|им|его)_стил~"""
    ),
    verb=_words(
        r"review critique give_me_feedback a_second_pair "
        r"(?:от|по)ревью(?:й|йте|ить|вь|ерь)? ревьюн(?:и|ите|уть) ревьюй(?:те)?"
    ),
    asked=_words(
        r"""
            comments_on(?=_(?:this|my|the))
            (?:could|can|should|would_you)(?:_be)?_improved?(?=…(?:code|function|class|here|this)) lgtm
            improved(?=_in_this)
            (?:pr|pull_request|merge_request|mr|diff|change)…(?:ready|ok|okay|good)(?:_to|_enough)?
            is_this_(?:pr|pull_request|diff) улучшить(?=…(?:код~|функци~|класс~|здесь))
            замечания(?=…(?:к|реализац~)) (?:пулл?-?реквест~|мерж-?реквест~|pr) достаточно_ли_хорош
            бы_ты_улучшил"""
    ),
    told=_words(r"lgtm second_pair_of_eyes свежим_взглядом без_правок"),
)
TESTS = Matter(
    "test_writer",
    frozenset({"write", "build", "better", "update", "want"}),
    object=_words(
        r"""
            (?:unit-?_?|integration_|e2e_|end-to-end_|regression_|property-based_|pytest_|jest_|smoke_|unit_)?tests?
            (?:test_)?coverage test_cases? specs(?=_(?:for|of)) pytest_cases fixtures mocks? mock_server
            unit-?tests? (?:юнит-|автo|e2e-|unit_?-?)?тест(?:ы|ов|ами|а|ик~|у)? покрыти~ тест-?_?кейс~
            фикстур~ мок~ мок-сервер недостающие_проверки проверк~_в_test~"""
    ),
    verb=_words(r"unit-test parametri[sz]e параметризуй(?:те)? test протестируй(?:те)? протестировать"),
    asked=_words(r"(?:which|what)_tests_(?:are_missing|do_we_lack) (?:каких|какие)_тест~_не_хватает"),
    told=_words(
        r"""
            no(?:t_a_single)?_(?:unit_)?tests? нет(?:_ни_одного|_ни_одной|_никаких)?_тест(?:а|ов)?
            unit_tests_are_missing не_покрыт~_тестами"""
    ),
)
DOCS = Matter(
    "document_writer",
    frozenset({"write", "build", "update", "better", "mend", "want"}),
    object=_words(
        r"""
            readme(?:\.\w+)? changelog(?:\.\w+)? docstrings? docs?(?:/\S*)? documentation release_notes
            (?:blog_)?post tutorials? (?:user_|admin_)?guides? user_manual manuals? onboarding
            (?:onboarding_)?instructions \S{1,120}\.(?:md|rst|adoc) how-?to faq_page reference_page
            handbook ридми докстринг~ документаци~ док(?:а|у|е|и|ой|ах) инструкци~ руководств~ туториал~
            заметк~_к_релизу описани~_релиза стать(?:я|ю|и) пост справк(?:а|у|и) гайд~ мануал~"""
    ),
    verb=_words(
        r"""
            document comment(?!_out) write_up задокументир(?:уй|уйте|овать) прокомментир(?:уй|уйте|овать)"""
    ),
    told=_words(
        r"(?:readme|docs?|documentation|документация|дока|ридми)…(?:outdated|out_of_date|stale|устарел~)"
    ),
)

MATTERS: tuple[Matter, ...] = (SECURITY, PROFILER, ARCHITECT, REVIEWER, TESTS, DOCS, DEBUG)
CODE = _words(r"(?:backend|frontend|code|implementation|the_code|бэкенд|фронтенд|код|реализаци~)")
SHAPE = _words(r"(?:api_design|design|дизайн_api|дизайн|проектирование)")
