import type { Say } from "../i18n/language"

/** The words of the editor itself: its search, and what it folds away. */
export function phrasesOf(say: Say): Record<string, string> {
  return {
    Find: say("filesSearchFind"),
    Replace: say("filesSearchReplace"),
    next: say("filesSearchNext"),
    previous: say("filesSearchPrevious"),
    all: say("filesSearchAll"),
    "match case": say("filesSearchCase"),
    "by word": say("filesSearchWord"),
    regexp: say("filesSearchPattern"),
    replace: say("filesSearchReplaceOne"),
    "replace all": say("filesSearchReplaceAll"),
    close: say("filesSearchClose"),
    "current match": say("filesSearchCurrent"),
    "on line": say("filesSearchOnLine"),
    "Go to line": say("filesGoToLine"),
    go: say("filesGo"),
    "Folded lines": say("filesFolded"),
    "Unfolded lines": say("filesUnfolded"),
    "$ unchanged lines": say("filesUnchanged"),
    unfold: say("filesUnfold"),
    to: "–",
  }
}
