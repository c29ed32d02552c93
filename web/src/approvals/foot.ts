/** What answers a question stays in sight while the question itself is scrolled. */
export const FOOT =
  "sticky -bottom-3 z-1 -mx-3 -mb-3 border-t border-line bg-raised px-3 py-2.5 sm:-bottom-4 sm:-mx-4 sm:-mb-4 sm:px-4"
