import { type KeyboardEvent, type PointerEvent, useCallback, useEffect, useRef, useState } from "react"

/** How a drawing is moved and scaled. */
export interface View {
  x: number
  y: number
  scale: number
}

interface Size {
  width: number
  height: number
}

const SMALLEST = 0.1
const LARGEST = 4
const STEP = 1.2
const MOVE_PX = 60
const WHEEL = 0.0015
const LARGEST_FIT = 1.25

/** The scale and place at which all of a drawing is seen. */
export function fitted(drawn: Size, seen: Size): View {
  const scale = clamp(Math.min(LARGEST_FIT, seen.width / drawn.width, seen.height / drawn.height))
  return { scale, x: (seen.width - drawn.width * scale) / 2, y: (seen.height - drawn.height * scale) / 2 }
}

/** Scale about a point that stays where it is. */
export function zoomed(view: View, by: number, at: { x: number; y: number }): View {
  const scale = clamp(view.scale * by)
  const part = scale / view.scale
  return { scale, x: at.x - (at.x - view.x) * part, y: at.y - (at.y - view.y) * part }
}

/** Move and scale a drawing with mouse, fingers, wheel and keys. */
export function useView(drawn: Size) {
  const frame = useRef<HTMLDivElement>(null)
  const [view, setView] = useState<View>({ x: 0, y: 0, scale: 1 })
  const fingers = useRef(new Map<number, { x: number; y: number }>())
  const moved = useRef(false)
  const { width, height } = drawn

  const fit = useCallback(() => {
    moved.current = false
    const box = frame.current
    if (box && width) setView(fitted({ width, height }, { width: box.clientWidth, height: box.clientHeight }))
  }, [width, height])

  const zoom = useCallback((by: number, at?: { x: number; y: number }) => {
    moved.current = true
    const box = frame.current
    setView((now) => zoomed(now, by, at ?? { x: (box?.clientWidth ?? 0) / 2, y: (box?.clientHeight ?? 0) / 2 }))
  }, [])

  const move = useCallback((x: number, y: number) => {
    moved.current = true
    setView((now) => ({ ...now, x: now.x + x, y: now.y + y }))
  }, [])

  /** Bring a point of the drawing to the middle. */
  const centre = useCallback((x: number, y: number) => {
    const box = frame.current
    moved.current = true
    if (box) setView(({ scale }) => ({ scale, x: box.clientWidth / 2 - x * scale, y: box.clientHeight / 2 - y * scale }))
  }, [])

  useEffect(() => {
    const box = frame.current
    if (!box) return
    const turn = (event: WheelEvent) => {
      event.preventDefault()
      zoom(Math.exp(-event.deltaY * WHEEL), placeIn(box, event))
    }
    const watch = new ResizeObserver(() => moved.current || fit())
    watch.observe(box)
    box.addEventListener("wheel", turn, { passive: false })
    return () => {
      watch.disconnect()
      box.removeEventListener("wheel", turn)
    }
  }, [fit, zoom])

  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    if (event.target !== event.currentTarget && (event.target as Element).closest("button")) return
    fingers.current.set(event.pointerId, placeIn(event.currentTarget, event))
  }
  const onPointerMove = (event: PointerEvent<HTMLDivElement>) => {
    const before = fingers.current.get(event.pointerId)
    if (!before) return
    const now = placeIn(event.currentTarget, event)
    const other = [...fingers.current].find(([id]) => id !== event.pointerId)?.[1]
    if (other) zoom(distance(now, other) / Math.max(1, distance(before, other)), middle(now, other))
    else if (distance(now, before) < 3 && !event.currentTarget.hasPointerCapture(event.pointerId)) return
    event.currentTarget.setPointerCapture(event.pointerId)
    move((now.x - before.x) / fingers.current.size, (now.y - before.y) / fingers.current.size)
    fingers.current.set(event.pointerId, now)
  }
  const onPointerUp = (event: PointerEvent<HTMLDivElement>) => void fingers.current.delete(event.pointerId)

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return
    const act = KEYS[event.key]
    if (!act) return
    event.preventDefault()
    act({ move, zoom, fit })
  }
  return { frame, view, fit, zoom, centre, handlers: { onPointerDown, onPointerMove, onPointerUp, onPointerCancel: onPointerUp, onKeyDown } }
}

interface Acts {
  move: (x: number, y: number) => void
  zoom: (by: number) => void
  fit: () => void
}

const KEYS: Record<string, (acts: Acts) => void> = {
  ArrowLeft: ({ move }) => move(MOVE_PX, 0),
  ArrowRight: ({ move }) => move(-MOVE_PX, 0),
  ArrowUp: ({ move }) => move(0, MOVE_PX),
  ArrowDown: ({ move }) => move(0, -MOVE_PX),
  "+": ({ zoom }) => zoom(STEP),
  "=": ({ zoom }) => zoom(STEP),
  "-": ({ zoom }) => zoom(1 / STEP),
  "0": ({ fit }) => fit(),
}

function placeIn(box: Element, { clientX, clientY }: { clientX: number; clientY: number }) {
  const { left, top } = box.getBoundingClientRect()
  return { x: clientX - left, y: clientY - top }
}

function distance(a: { x: number; y: number }, b: { x: number; y: number }): number {
  return Math.hypot(a.x - b.x, a.y - b.y)
}

function middle(a: { x: number; y: number }, b: { x: number; y: number }) {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }
}

function clamp(scale: number): number {
  return Math.min(LARGEST, Math.max(SMALLEST, scale))
}
