/** Whether this browser has been shown round. */
const KEPT = "artel.toured"

export function toured(): boolean {
  return localStorage.getItem(KEPT) === "yes"
}

export function done(): void {
  localStorage.setItem(KEPT, "yes")
}

/** Show everything once more. */
export function again(): void {
  localStorage.setItem(KEPT, "")
}

/** Whether a person asked for it, conversations or not. */
export function wished(): boolean {
  return localStorage.getItem(KEPT) === ""
}
