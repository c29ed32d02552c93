export const english = {}

export const russian: Record<keyof typeof english, string> = {}
