import { useEffect, useRef } from "react"
import { useLanguage } from "../i18n/language"

/** Asks for more when it is scrolled to, or pressed. */
export function More({ there, go }: { there: boolean; go: () => void }) {
  const { say } = useLanguage()
  const button = useRef<HTMLButtonElement>(null)
  const latest = useRef(go)
  useEffect(() => {
    latest.current = go
  })
  useEffect(() => {
    if (!there || !button.current) return
    const observer = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && latest.current())
    observer.observe(button.current)
    return () => observer.disconnect()
  }, [there])
  return there ? (
    <button ref={button} type="button" onClick={go} className="min-h-9 w-full text-xs text-soft hover:text-ink">
      {say("threadsMore")}
    </button>
  ) : null
}

export function Loading({ word }: { word: string }) {
  return (
    <div className="space-y-2 p-3" role="status">
      <span className="sr-only">{word}</span>
      {[0, 1, 2].map((one) => (
        <div key={one} className="beats h-8 rounded-lg bg-line" aria-hidden />
      ))}
    </div>
  )
}
