"""What the offline model says, in two languages."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrases:
    """The sentences of one language."""

    russian: bool
    label: str
    how: str
    greeting: str
    nothing: str
    not_found_file: str
    several_files: str
    here: str
    near: str
    also: str
    defined: str
    used: str
    contents: str
    overview: str
    done: str
    rejected: str
    timeout: str
    denied: str
    failed: str
    no_text: str
    no_line: str
    exists: str
    only_reads: str
    same: str
    too_long: str
    cut: str
    empty: str

    def __call__(self, english: str, russian: str) -> str:
        """Return the one of two sentences that is in this language."""
        return russian if self.russian else english


EN = Phrases(
    russian=False,
    label="Offline model: rules, no language model.",
    how="For that, set `ARTEL_MODEL` to a model, such as `ollama:NAME` (docs/howto/models.md).",
    greeting="Hello. I work in this folder by rules; what I say stands in the files and outputs I name.",
    nothing="I looked for {words} and found nothing about it in this folder.",
    not_found_file="There is no file {file} here.",
    several_files="Several files fit {file}; which one do you mean?",
    here="Most likely here: `{place}`",
    near="Nothing fits all of it; the nearest is `{place}`",
    also="Also:",
    defined="`{name}` is defined in `{place}`",
    used="It is mentioned in {files}.",
    contents="`{file}`, {lines} lines",
    overview="This folder holds:",
    done="Done: {what}",
    rejected="Not done: {what} was rejected. I stop here.{reason}",
    timeout="Not done: nobody answered in time about {what}.",
    denied="Not done: {what}. {why}",
    failed="That did not work: {why}",
    no_text="{file} does not contain {text}.",
    no_line="{file} has {lines} lines, so there is no line {line}.",
    exists="{file} exists already. I can append to it, or replace text in it.",
    only_reads="I only read here. The coder can make this change: ask it the same.",
    same="Nothing to do: {file} is so already.",
    too_long="I looked in too many places without an answer; name a file or a word that stands in the code.",
    cut="… {more} more lines",
    empty="The file is empty.",
)
RU = Phrases(
    russian=True,
    label="Офлайн-модель: правила, без языковой модели.",
    how="Для этого задайте `ARTEL_MODEL`, например `ollama:ИМЯ` (docs/howto/models.md).",
    greeting="Здравствуйте. Я работаю здесь по правилам; сказанное стоит в названных файлах и выводах.",
    nothing="Я искал {words} и ничего об этом в папке не нашёл.",
    not_found_file="Файла {file} здесь нет.",
    several_files="Под {file} подходит несколько файлов; какой имеется в виду?",
    here="Скорее всего, здесь: `{place}`",
    near="Всё вместе не встречается нигде; ближе всего `{place}`",
    also="Ещё:",
    defined="`{name}` определяется в `{place}`",
    used="Упоминается в {files}.",
    contents="`{file}`, строк: {lines}",
    overview="В этой папке:",
    done="Готово: {what}",
    rejected="Не сделано: отклонено ({what}). На этом останавливаюсь.{reason}",
    timeout="Не сделано: никто не ответил вовремя ({what}).",
    denied="Не сделано: {what}. {why}",
    failed="Не получилось: {why}",
    no_text="В файле {file} нет {text}.",
    no_line="В файле {file} строк: {lines}; строки {line} нет.",
    exists="Файл {file} уже есть. Могу дописать в него или заменить текст.",
    only_reads="Здесь я только читаю. Эту правку может сделать coder: попросите его о том же.",
    same="Делать нечего: {file} уже такой.",
    too_long="Я посмотрел слишком много мест и не нашёл ответа; назовите файл или слово из кода.",
    cut="… ещё строк: {more}",
    empty="Файл пуст.",
)


def phrases(*, russian: bool) -> Phrases:
    """Return the sentences of a language."""
    return RU if russian else EN
