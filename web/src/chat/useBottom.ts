import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react"

const NEAR_PX = 80

/** A scrolled part of the page that stays at its bottom if it is there already. */
export function useBottom() {
  const scroller = useRef<HTMLDivElement>(null)
  const stuck = useRef(true)
  const before = useRef({ top: 0, height: 0 })
  const [away, setAway] = useState(false)

  const settle = useCallback(() => {
    if (stuck.current) scroller.current?.scrollTo({ top: scroller.current.scrollHeight })
  }, [])
  useLayoutEffect(settle)
  useEffect(() => {
    const observer = new ResizeObserver(settle)
    const within = scroller.current
    if (within) observer.observe(within)
    if (within?.firstElementChild) observer.observe(within.firstElementChild)
    return () => observer.disconnect()
  }, [settle])

  /** It was scrolled: up by a person, who wants to be left there, or because what is in it changed its height. */
  const scrolled = useCallback(() => {
    const within = scroller.current
    if (!within) return
    const { scrollHeight: height, scrollTop: top, clientHeight } = within
    if (top < before.current.top && height >= before.current.height) stuck.current = false
    else if (height - top - clientHeight < NEAR_PX) stuck.current = true
    before.current = { top, height }
    setAway(!stuck.current)
  }, [])
  const toBottom = useCallback(() => {
    stuck.current = true
    setAway(false)
    settle()
  }, [settle])
  const leave = useCallback(() => {
    stuck.current = false
    setAway(true)
  }, [])
  return { scroller, scrolled, away, toBottom, leave }
}
