import { useEffect, useState } from "react"
import { type Drawn, drawing } from "../api/graph"
import { sentence } from "../run/session"
import { follow, type Shown } from "./follow"
import type { Placed } from "./layout"
import { type Model, modelOf } from "./model"

/** The drawing of an assistant's graph, as the server says it and as it is placed. */
export function useDrawing(assistant: string, inside: boolean, ratio: () => number) {
  const [found, setFound] = useState<{ of: string; model: Model; placed: Placed } | null>(null)
  const [failed, setFailed] = useState("")
  const [again, setAgain] = useState(0)
  const of = assistant && `${assistant} ${inside}`
  useEffect(() => {
    if (!assistant) return
    let worker: Worker | null = null
    let gone = false
    const wrong = (failure: unknown) => gone || setFailed(sentence(failure))
    const begin = (drawn: Drawn) => {
      if (gone) return
      const model = modelOf(drawn)
      worker = new Worker(new URL("./layout.worker.ts", import.meta.url), { type: "module" })
      worker.onmessage = ({ data }: MessageEvent<Placed>) => {
        setFound({ of: `${assistant} ${inside}`, model, placed: data })
        setFailed("")
      }
      worker.onerror = (event) => wrong(event.message)
      worker.postMessage({ model, ratio: ratio() })
    }
    drawing(assistant, inside).then(begin).catch(wrong)
    return () => {
      gone = true
      worker?.terminate()
    }
  }, [assistant, inside, ratio, again])
  return { drawn: found?.of === of ? found : null, failed, retry: () => (setFailed(""), setAgain(again + 1)) }
}

/** The way of the newest work of a thread, while it goes on and after. */
export function useWay(thread: string) {
  const [way, setWay] = useState<(Shown & { thread: string }) | null>(null)
  const [failed, setFailed] = useState("")
  useEffect(() => {
    if (!thread) return
    const control = new AbortController()
    let frame = 0
    const show = (shown: Shown) => {
      cancelAnimationFrame(frame)
      frame = requestAnimationFrame(() => setWay({ ...shown, thread }))
    }
    follow(thread, control.signal, show).catch((failure: unknown) => control.signal.aborted || setFailed(sentence(failure)))
    return () => {
      cancelAnimationFrame(frame)
      control.abort()
    }
  }, [thread])
  return { way: way?.thread === thread ? way : null, failed }
}
