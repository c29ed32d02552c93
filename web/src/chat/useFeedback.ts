import { useCallback, useEffect, useState } from "react"
import { feedback } from "../api/client"
import type { Feedback } from "../api/types"

/** What was said of the messages of a thread, by their ids. */
export function useFeedback(thread: string) {
  const [words, setWords] = useState<ReadonlyMap<string, Feedback>>(new Map())
  useEffect(() => {
    let gone = false
    feedback
      .of(thread)
      .then((found) => !gone && setWords(new Map(found.flatMap((one) => (one.message_id ? [[one.message_id, one]] : [])))))
      .catch(() => undefined) // no word of it: the thumbs are as if nothing was said
    return () => {
      gone = true
    }
  }, [thread])
  const changed = useCallback((message: string, word: Feedback | undefined) => {
    setWords((before) => {
      const now = new Map(before)
      if (word) now.set(message, word)
      else now.delete(message)
      return now
    })
  }, [])
  return { words, changed }
}
