import { call, Refused, send } from "./client"
import type { Restored } from "./types"

export interface Listed {
  name: string
  path: string
  kind: "file" | "folder" | "link" | "other"
  size: number
  modified: string | null
  ignored: boolean
  closed: "" | "secret" | "denied"
}

export interface FolderListing {
  workspace: string
  path: string
  entries: Listed[]
  total: number
  truncated: boolean
}

export interface ChangedFile {
  path: string
  kind: "added" | "changed" | "deleted" | "mode"
}

export interface FileText {
  path: string
  /** Null: it is binary. */
  text: string | null
  encoding: string
  sha256: string
  size: number
  editable: boolean
}

export interface Earlier {
  path: string
  there: boolean
  text: string | null
}

export interface Written {
  path: string
  sha256: string
  change_id: string | null
  problems: string[]
}

/** A file that is not what the person had read; `sha256` is that of what is there, null: nothing. */
export interface Clash {
  clash: true
  sha256: string | null
}

/** What a step, or a person, did to the files. */
export interface Step {
  change_id: string
  tool: string
  paths: ChangedFile[]
  undone: boolean
  problem: string | null
  begun_at: string
}

const at = (thread: string) => `/api/v1/threads/${thread}/files`
const query = (fields: Record<string, string | number>) =>
  new URLSearchParams(Object.entries(fields).map(([name, value]) => [name, String(value)])).toString()

export const files = {
  list: (thread: string, path: string, offset = 0) =>
    call<FolderListing>("GET", `${at(thread)}?${query({ path, offset })}`),
  find: (thread: string, words: string) =>
    call<{ paths: string[]; note: string }>("GET", `${at(thread)}/find?${query({ words })}`),
  changed: (thread: string) => call<ChangedFile[]>("GET", `${at(thread)}/changed`),
  read: (thread: string, path: string) => call<FileText>("GET", `${at(thread)}/content?${query({ path })}`),
  earlier: (thread: string, path: string, change: string) =>
    call<Earlier>("GET", `${at(thread)}/earlier?${query(change ? { path, change } : { path })}`),
  steps: (thread: string) => call<Step[]>("GET", `/api/v1/threads/${thread}/changes?limit=200`),
  undo: (thread: string, to: string, path: string, force: boolean) =>
    call<Restored>("POST", `/api/v1/threads/${thread}/undo`, { to, paths: [path], force }),
  write: writeFile,
  pictureUrl: (thread: string, path: string) => `${at(thread)}/picture?${query({ path })}`,
  downloadUrl: (thread: string, path: string) => `${at(thread)}/download?${query({ path })}`,
  patchUrl: (thread: string) => `/api/v1/threads/${thread}/patch`,
}

/** Write a file that is still the one that was read; a clash says that it is not. */
async function writeFile(thread: string, path: string, text: string, sha256: string | null): Promise<Written | Clash> {
  try {
    const response = await send("PUT", `${at(thread)}/content`, { path, text, sha256 })
    return (await response.json()) as Written
  } catch (failure) {
    if (!(failure instanceof Refused) || failure.status !== 409) throw failure
    const now = await files.read(thread, path).catch((other: unknown) => {
      if (other instanceof Refused && other.status === 404) return null
      throw other
    })
    if (now?.sha256 === sha256) throw failure // refused for another reason: a run is on
    return { clash: true, sha256: now?.sha256 ?? null }
  }
}

export const isClash = (done: Written | Clash): done is Clash => "clash" in done
