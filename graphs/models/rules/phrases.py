"""What the offline model says, in two languages."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrases:
    """The sentences of one language."""

    label: str
    able: str
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
    failed: str
    no_text: str
    no_line: str
    exists: str
    only_reads: str
    same: str
    too_long: str
    cut: str
    empty: str


EN = Phrases(
    label="_Offline model: rules, no language model._",
    able=(
        "I can look and make simple edits:\n"
        "- “where is the path check?”, “what does `resolve` do?”, “explain file tools/tool.py”\n"
        "- “what's in this project?”, “list the files in tools”\n"
        "- “replace 'a' with 'b' in file x.txt”, “add a line 'c' to file x.txt”, “delete line 3 of x.txt”\n"
        "- “create file x.txt with 'text'”"
    ),
    greeting="Hello. I read this folder and answer by rules; what I say stands in the files I name.",
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
    rejected="Not done: the change of {file} was rejected. I stop here.{reason}",
    timeout="Not done: nobody answered in time, so {file} is as it was.",
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
    label="_Офлайн-модель: правила, без языковой модели._",
    able=(
        "Я умею искать и делать простые правки:\n"
        "- «где проверяется путь?», «что делает `resolve`?», «объясни файл tools/tool.py»\n"
        "- «что в этом проекте?», «покажи файлы в tools»\n"
        "- «замени 'a' на 'b' в файле x.txt», «добавь строку 'c' в файл x.txt», «удали строку 3 из x.txt»\n"
        "- «создай файл x.txt с текстом 'text'»"
    ),
    greeting="Здравствуйте. Я читаю эту папку и отвечаю по правилам; сказанное стоит в названных файлах.",
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
    rejected="Не сделано: правка файла {file} отклонена. На этом останавливаюсь.{reason}",
    timeout="Не сделано: никто не ответил вовремя, {file} остался прежним.",
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
