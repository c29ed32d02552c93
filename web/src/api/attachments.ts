import { info, Refused } from "./client"

/** A file as the server keeps it. */
export interface Kept {
  name: string
  path: string
  bytes: number
  sha256: string
}

/** Send a file to a conversation; `told` hears how much is sent, from 0 to 1. */
export function upload(
  thread: string,
  workspace: string,
  file: File,
  told: (part: number) => void,
  signal: AbortSignal,
): Promise<Kept> {
  const query = new URLSearchParams({ name: file.name, workspace })
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest() // fetch does not tell how much is sent
    request.open("POST", `/api/v1/threads/${thread}/attachments?${query}`)
    request.setRequestHeader("Content-Type", "application/octet-stream")
    request.upload.onprogress = (event) => event.lengthComputable && told(event.loaded / event.total)
    request.onload = () => {
      const said = parsed(request.responseText)
      if (request.status === 201) resolve(said as unknown as Kept)
      else reject(new Refused(request.status, String(said["detail"] ?? `${request.status} ${request.statusText}`)))
    }
    request.onerror = () => reject(new TypeError("network"))
    request.onabort = () => reject(new DOMException("", "AbortError"))
    signal.addEventListener("abort", () => request.abort())
    request.send(file)
  })
}

let asked: Promise<number> | undefined

/** How large a file may be, in bytes; 0: none can be attached. */
export function largest(): Promise<number> {
  asked ??= info().then(
    (known) => (known.attachment_mb ?? 0) * 1_048_576,
    () => {
      asked = undefined
      return Infinity // then the server says what is too large
    },
  )
  return asked
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return {}
  }
}
