import type { Answer, Asked, Json } from "../api/types"

/** What a person has chosen and written so far. */
export interface Said {
  options: string[]
  words: string
}

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
export function toggled(asked: Asked, chosen: string[], label: string): string[] {
  if (!asked.multiple) return [label]
  return asked.options.filter((one) => (one === label ? !chosen.includes(label) : chosen.includes(one)))
}

/** Whether each question that needs an answer has one. */
export function isComplete(questions: Asked[], said: Record<string, Said>): boolean {
  return questions.every((one) => !one.required || answerOf(said[one.id]) !== null)
}

/** The answers as the server takes them; null leaves a question to the agent. */
export function answersOf(questions: Asked[], said: Record<string, Said>): Record<string, Answer> {
  return Object.fromEntries(questions.map((one) => [one.id, answerOf(said[one.id])]))
}

function answerOf(said: Said | undefined): Answer {
  const words = said?.words.trim() ?? ""
  if (!said || (!said.options.length && !words)) return null
  return { options: said.options, words }
}
