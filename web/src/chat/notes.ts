import { createContext, type ReactNode } from "react"

/** What another part of the page has to say of a tool call: a line, and more where it unfolds. */
export interface Note {
  line: ReactNode
  more: ReactNode
}

export const Notes = createContext<(callId: string) => Note | null>(() => null)
