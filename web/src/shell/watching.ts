import { useEffect, useRef } from "react"
import { useLanguage } from "../i18n/language"
import { agentOf } from "../inbox/order"
import { anyInSight, inSight, newsOf, notify, outOfSight, permission } from "../inbox/notices"
import { refresh, useWaiting, type WhatWaits } from "../run/waiting"
import { go } from "./route"

const IN_SIGHT_MS = 3_000
const HIDDEN_MS = 5_000

interface Badged {
  setAppBadge?: (count: number) => Promise<void>
  clearAppBadge?: () => Promise<void>
}

/** Keep an eye on what waits: while the page is in sight, and behind it if the person wants to be told. */
export function useWatch(): WhatWaits {
  const { say } = useLanguage()
  const now = useWaiting()
  const before = useRef(now)

  useEffect(() => {
    let looked = 0
    const look = () => {
      if (!document.hidden) inSight()
      else if (permission() !== "on" || Date.now() - looked < HIDDEN_MS) return
      looked = Date.now()
      void refresh()
    }
    const turned = () => {
      if (document.hidden) outOfSight()
      look()
    }
    look()
    const timer = setInterval(look, IN_SIGHT_MS)
    document.addEventListener("visibilitychange", turned)
    return () => {
      clearInterval(timer)
      document.removeEventListener("visibilitychange", turned)
    }
  }, [])

  useEffect(() => {
    const news = newsOf(before.current, now)
    before.current = now
    if (!document.hidden || anyInSight() || permission() !== "on") return
    for (const one of news.waiting) {
      const title = one.title || say("newThread")
      const body = [agentOf(one), say("asksYou"), one.about].join(" ")
      notify(title, body, one.approval_id ?? one.interrupt_id, () => go(`/t/${one.thread_id}`))
    }
    for (const one of news.ended) {
      const body = say(one.failed ? "inboxFailed" : "inboxFinished")
      notify(one.title || say("newThread"), body, one.run_id, () => go(`/t/${one.thread_id}`))
    }
  }, [now, say])

  const { length } = now.waiting
  useEffect(() => {
    const badged = navigator as Navigator & Badged
    const done = length ? badged.setAppBadge?.(length) : badged.clearAppBadge?.()
    done?.catch(() => undefined) // not installed
  }, [length])
  return now
}
