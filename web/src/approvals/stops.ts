import type { Approval } from "../api/types"
import { type Action, type Form, formOf } from "./forms"

/** One place where a person is asked: an action of a question about calls, or another question as a whole. */
export interface Stop {
  key: string
  asked: Approval
  form: Form
  action: Action | undefined
  /** The actions that are answered as one: of others, none. */
  batch: Action[]
}

export function stopsOf(open: Approval[]): Stop[] {
  return open.flatMap((asked): Stop[] => {
    const form = formOf(asked)
    if (form.kind !== "actions") return [{ key: asked.interrupt_id, asked, form, action: undefined, batch: [] }]
    const batch = form.actions.length > 1 ? form.actions : []
    return form.actions.map((action) => ({ key: action.key, asked, form, action, batch }))
  })
}

/** The nodes that led to who asks, without those that only call tools. */
export function pathOf(asked: Approval, agent: string): string[] {
  return (asked.agent_path ?? []).filter((one) => one !== "tools" && one !== agent)
}
