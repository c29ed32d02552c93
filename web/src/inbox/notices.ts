import type { Ended, Waiting } from "../api/inbox"
import { keyOf, type WhatWaits } from "../run/waiting"

const WANTED = "artel.notify"
const LOOKED = "artel.looked" // when a page of ours was last in sight
const IN_SIGHT_MS = 8_000

export type Permission = "unknown" | "off" | "on" | "denied"

/** Whether the person wants to be told, and the browser lets us. */
export function permission(): Permission {
  if (!("Notification" in window)) return "unknown"
  if (Notification.permission === "denied") return "denied"
  return Notification.permission === "granted" && localStorage.getItem(WANTED) === "yes" ? "on" : "off"
}

/** Turn it on or off; only here the browser asks the person. */
export async function want(on: boolean): Promise<Permission> {
  if (on && Notification.permission === "default") await Notification.requestPermission()
  if (on && Notification.permission === "granted") localStorage.setItem(WANTED, "yes")
  else localStorage.removeItem(WANTED)
  return permission()
}

export interface News {
  waiting: Waiting[]
  ended: Ended[]
}

/** What is new since the last look. */
export function newsOf(before: WhatWaits, now: WhatWaits): News {
  if (!before.known) return { waiting: [], ended: [] }
  const waited = new Set(before.waiting.map(keyOf))
  const over = new Set(before.ended.map((one) => one.run_id))
  return {
    waiting: now.waiting.filter((one) => !waited.has(keyOf(one))),
    ended: now.ended.filter((one) => !over.has(one.run_id)),
  }
}

/** A page of ours is in sight: none has to call the person. */
export function inSight(): void {
  localStorage.setItem(LOOKED, String(Date.now()))
}

/** This page is out of sight; another that is not says so again soon. */
export function outOfSight(): void {
  localStorage.removeItem(LOOKED)
}

export function anyInSight(): boolean {
  return Date.now() - Number(localStorage.getItem(LOOKED) ?? 0) < IN_SIGHT_MS
}

/** Tell the person; the same `tag` from another tab takes this one's place. */
export function notify(title: string, body: string, tag: string, open: () => void): void {
  try {
    const shown = new Notification(title, { body, tag, icon: "/icon.svg" })
    shown.onclick = () => {
      window.focus()
      shown.close()
      open()
    }
  } catch {
    // A phone's browser has them of a service worker only.
    void navigator.serviceWorker?.getRegistration().then((worker) => worker?.showNotification(title, { body, tag }))
  }
}
