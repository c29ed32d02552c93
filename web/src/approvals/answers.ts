import type { Answer, Asked, Json } from "../api/types"

/** What a person has chosen and written so far. */
export interface Said {
  options: string[]
  words: string
  /** Words of their own are chosen, beside the options or in their place. */
  other: boolean
  /** It is left to the agent, and that is said. */
  left: boolean
}

export const NOTHING: Said = { options: [], words: "", other: false, left: false }

/** The questions of an interrupt's value, in our own form or in that of Agent Inbox; none if it asks otherwise. */
export function questionsOf(value: Json): Asked[] {
  const told = Array.isArray(value) ? value[0] : value
  if (!told || typeof told !== "object" || Array.isArray(told)) return []
  const request = told["action_request"]
  const args = request && typeof request === "object" && !Array.isArray(request) ? request["args"] : told
  const asked = args && typeof args === "object" && !Array.isArray(args) ? args["questions"] : null
  if (!Array.isArray(asked) || !asked.every(isAsked)) return []
  return asked as unknown as Asked[]
}

function isAsked(one: Json): boolean {
  if (!one || typeof one !== "object" || Array.isArray(one)) return false
  return typeof one["id"] === "string" && typeof one["question"] === "string" && Array.isArray(one["options"])
}

/** Choose or leave an option; of a question that takes one only that stays. */
export function toggled(asked: Asked, said: Said, label: string): Said {
  if (!asked.multiple) return { ...said, options: [label], other: false, left: false }
  const options = asked.options.filter((one) => (one === label ? !said.options.includes(label) : said.options.includes(one)))
  return { ...said, options, left: false }
}

/** Choose words of one's own; of a question that takes one answer they are it. */
export function othered(asked: Asked, said: Said): Said {
  if (!asked.multiple) return { ...said, options: [], other: true, left: false }
  return { ...said, other: !said.other, left: false }
}

/** The questions that need an answer and have none. */
export function missing(questions: Asked[], said: Record<string, Said>): Asked[] {
  return questions.filter((one) => unsaid(one, said[one.id] ?? NOTHING))
}

/** Words that were begun count: who chose "Other" means to say something. */
function unsaid(asked: Asked, said: Said): boolean {
  const meant = asked.required || (said.other && asked.options.length > 0)
  return meant && answerOf(asked, said) === null
}

/** The answers as the server takes them; null leaves a question to the agent. */
export function answersOf(questions: Asked[], said: Record<string, Said>): Record<string, Answer> {
  return Object.fromEntries(questions.map((one) => [one.id, answerOf(one, said[one.id] ?? NOTHING)]))
}

function answerOf(asked: Asked, said: Said): Answer {
  if (said.left) return null
  const words = said.other || !asked.options.length ? said.words.trim() : ""
  return said.options.length || words ? { options: said.options, words } : null
}
