import { call } from "./client"
import type { Thread } from "./types"

/** How many conversations are asked for at once. */
export const PAGE = 100

const LISTED = ["thread_id", "status", "updated_at", "metadata", "interrupts"]
const ORDER = { sort_by: "updated_at", sort_order: "desc", select: LISTED }

export const page = (offset: number, limit = PAGE) => call<Thread[]>("POST", "/threads/search", { limit, offset, ...ORDER })
export const pinned = () => call<Thread[]>("POST", "/threads/search", { limit: PAGE, metadata: { pinned: true }, ...ORDER })
export const amend = (id: string, metadata: Thread["metadata"]) => call<Thread>("PATCH", `/threads/${id}`, { metadata })
export const one = (id: string) => call<Thread[]>("POST", "/threads/search", { limit: 1, ids: [id], ...ORDER })
