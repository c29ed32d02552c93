/// <reference lib="webworker" />
// The service worker: the page itself opens without a network. What is said on it is kept by `kept.ts`, not here.
const worker = self as unknown as ServiceWorkerGlobalScope

const SHELL = "%SHELL%" as unknown as string[] // filled in by the build: what the first paint needs
const LATER = "%LATER%" as unknown as string[] // likewise: parts that are opened later
const KEPT = `artel-${SHELL.join(" ").length}-${hash(SHELL.join(" "))}`
const DOCUMENT = "/t" // stands for every view; "/" is a sign of life to all but browsers
const ANY = { ignoreVary: true } // however it was asked for
const PATIENCE_MS = 4_000 // for a document, before the kept one stands in for it

worker.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(KEPT)
      .then((cache) => cache.addAll(SHELL))
      .then(() => worker.skipWaiting()),
  )
})

worker.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name.startsWith("artel-") && name !== KEPT).map((name) => caches.delete(name))))
      .then(() => worker.clients.claim())
      .then(() => caches.open(KEPT))
      .then((cache) => cache.addAll(LATER))
      .catch(() => undefined), // what is missing is fetched when it is needed
  )
})

worker.addEventListener("fetch", (event) => {
  const { request } = event
  const url = new URL(request.url)
  if (request.method !== "GET" || url.origin !== worker.location.origin) return
  if (request.mode === "navigate") event.respondWith(fromNetworkFirst(request))
  else if (url.pathname.startsWith("/assets/") || SHELL.includes(url.pathname)) event.respondWith(fromKeptFirst(request))
})

/** A document: that of the server, or, where it is away or only fails, the kept one, which stands for every view. */
async function fromNetworkFirst(request: Request): Promise<Response> {
  const kept = async () => (await caches.match(DOCUMENT, ANY)) ?? Response.error()
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) })
    return answer.status >= 502 && answer.status <= 504 ? await kept() : answer
  } catch {
    return kept()
  }
}

/** A built file: its name changes with its content. */
async function fromKeptFirst(request: Request): Promise<Response> {
  const kept = await caches.match(request, ANY)
  if (kept) return kept
  const answer = await fetch(request)
  if (answer.ok && new URL(request.url).pathname.startsWith("/assets/")) {
    const cache = await caches.open(KEPT)
    await cache.put(request, answer.clone())
  }
  return answer
}

function hash(text: string): string {
  let sum = 0
  for (let at = 0; at < text.length; at++) sum = (Math.imul(sum, 31) + text.charCodeAt(at)) | 0
  return (sum >>> 0).toString(36)
}
