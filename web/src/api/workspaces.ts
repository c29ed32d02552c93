import { call } from "./client"

/** A folder or a repository that conversations choose by name. */
export interface Workspace {
  workspace_id: string
  name: string
  source: string
  mode: "shared" | "copy" | "worktree"
}

export const named = () => call<Workspace[]>("GET", "/api/v1/workspaces")
/** Where a folder really lies; refused with a sentence if no agent may work there. */
export const folder = (path: string) => call<{ path: string }>("GET", `/api/v1/workspaces/folder?path=${encodeURIComponent(path)}`)
