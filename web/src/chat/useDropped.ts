import { useEffect, useRef, useState } from "react"

/** Files that are dropped anywhere on the page; true while some are held over it. */
export function useDropped(take: ((files: File[]) => void) | undefined): boolean {
  const [over, setOver] = useState(false)
  const latest = useRef(take)
  useEffect(() => {
    latest.current = take
  })
  useEffect(() => {
    const carries = (event: DragEvent) => !!latest.current && !!event.dataTransfer?.types.includes("Files")
    const hover = (event: DragEvent) => {
      if (event.defaultPrevented || !carries(event)) return
      event.preventDefault()
      setOver(true)
    }
    const leave = (event: DragEvent) => event.relatedTarget === null && setOver(false)
    const drop = (event: DragEvent) => {
      setOver(false)
      if (event.defaultPrevented || !carries(event)) return
      event.preventDefault()
      latest.current?.([...(event.dataTransfer?.files ?? [])])
    }
    window.addEventListener("dragover", hover)
    window.addEventListener("dragleave", leave)
    window.addEventListener("drop", drop)
    return () => {
      window.removeEventListener("dragover", hover)
      window.removeEventListener("dragleave", leave)
      window.removeEventListener("drop", drop)
    }
  }, [])
  return over
}
