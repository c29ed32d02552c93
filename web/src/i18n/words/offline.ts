export const english = {
  partBroken: "This part of the page could not be shown.",
  offlineSince: "No connection to the server. This is the conversation as it was at {time}; what you write is kept as a draft.",
}

export const russian: Record<keyof typeof english, string> = {
  partBroken: "Эту часть страницы не удалось показать.",
  offlineSince: "Нет связи с сервером. Диалог показан таким, каким был в {time}; написанное сохранится как черновик.",
}
