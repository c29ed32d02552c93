import { createContext } from "react"

/** Opens a file of the workspace beside the conversation, at a line counted from 1. */
export const OpenFile = createContext<(path: string, line?: number) => void>(() => undefined)
