import * as common from "./words/common"

/** The words of each part of the page, in both languages; a missing one does not compile. */
export const parts = { common }

export const english = { ...common.english }

export type Key = keyof typeof english

export const russian: Record<Key, string> = { ...common.russian }
