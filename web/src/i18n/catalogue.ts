import * as approvals from "./words/approvals"
import * as chat from "./words/chat"
import * as common from "./words/common"
import * as composer from "./words/composer"
import * as files from "./words/files"
import * as graph from "./words/graph"
import * as history from "./words/history"
import * as inbox from "./words/inbox"
import * as offline from "./words/offline"
import * as plan from "./words/plan"
import * as settings from "./words/settings"
import * as tour from "./words/tour"

/** The words of each part of the page, in both languages; a missing one does not compile. */
export const parts = { approvals, chat, common, composer, files, graph, history, inbox, offline, plan, settings, tour }

export const english = {
  ...approvals.english,
  ...chat.english,
  ...common.english,
  ...composer.english,
  ...files.english,
  ...graph.english,
  ...history.english,
  ...inbox.english,
  ...offline.english,
  ...plan.english,
  ...settings.english,
  ...tour.english,
}

export type Key = keyof typeof english

export const russian: Record<Key, string> = {
  ...approvals.russian,
  ...chat.russian,
  ...common.russian,
  ...composer.russian,
  ...files.russian,
  ...graph.russian,
  ...history.russian,
  ...inbox.russian,
  ...offline.russian,
  ...plan.russian,
  ...settings.russian,
  ...tour.russian,
}
