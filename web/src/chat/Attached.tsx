import { Paperclip } from "lucide-react"
import { useLanguage } from "../i18n/language"
import type { Attached as File } from "../run/attached"
import { sized } from "../ui/sized"

/** The files that came with a message. */
export function Attached({ files }: { files: File[] }) {
  const { language, say } = useLanguage()
  return (
    <ul aria-label={say("composerAttached")} className="flex max-w-[85%] flex-wrap justify-end gap-1.5">
      {files.map(({ name, path, bytes }) => (
        <li
          key={path}
          title={path}
          className="flex max-w-full items-center gap-1.5 rounded-lg border border-line bg-raised px-2.5 py-1 text-xs"
        >
          <Paperclip size={13} className="shrink-0 text-soft" aria-hidden />
          <span className="truncate">{name}</span>
          <span className="shrink-0 text-soft">{sized(bytes, language)}</span>
        </li>
      ))}
    </ul>
  )
}
