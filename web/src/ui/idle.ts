/** Call when the page is idle. Returns how to call it off. */
export function idle(act: () => void): () => void {
  if (!("requestIdleCallback" in window)) {
    const timer = setTimeout(act, 50)
    return () => clearTimeout(timer)
  }
  const asked = requestIdleCallback(act, { timeout: 2000 })
  return () => cancelIdleCallback(asked)
}
