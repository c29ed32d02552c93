import { type LanguageSupport, StreamLanguage, type StreamParser } from "@codemirror/language"
import type { Extension } from "@codemirror/state"

const old = (parser: StreamParser<unknown>): Extension => StreamLanguage.define(parser)
type Load = () => Promise<Extension | LanguageSupport>

const script = (config: { jsx?: boolean; typescript?: boolean }): Load => async () =>
  (await import("@codemirror/lang-javascript")).javascript(config)

const LOADERS: Record<string, Load> = {
  python: async () => (await import("@codemirror/lang-python")).python(),
  json: async () => (await import("@codemirror/lang-json")).json(),
  yaml: async () => (await import("@codemirror/lang-yaml")).yaml(),
  css: async () => (await import("@codemirror/lang-css")).css(),
  html: async () => (await import("@codemirror/lang-html")).html(),
  sql: async () => (await import("@codemirror/lang-sql")).sql(),
  markdown: async () => (await import("@codemirror/lang-markdown")).markdown(),
  js: script({ jsx: true }),
  ts: script({ typescript: true }),
  tsx: script({ jsx: true, typescript: true }),
  shell: async () => old((await import("@codemirror/legacy-modes/mode/shell")).shell),
  toml: async () => old((await import("@codemirror/legacy-modes/mode/toml")).toml),
  docker: async () => old((await import("@codemirror/legacy-modes/mode/dockerfile")).dockerFile),
  go: async () => old((await import("@codemirror/legacy-modes/mode/go")).go),
  rust: async () => old((await import("@codemirror/legacy-modes/mode/rust")).rust),
  ruby: async () => old((await import("@codemirror/legacy-modes/mode/ruby")).ruby),
  c: async () => old((await import("@codemirror/legacy-modes/mode/clike")).c),
  cpp: async () => old((await import("@codemirror/legacy-modes/mode/clike")).cpp),
  java: async () => old((await import("@codemirror/legacy-modes/mode/clike")).java),
  kotlin: async () => old((await import("@codemirror/legacy-modes/mode/clike")).kotlin),
  csharp: async () => old((await import("@codemirror/legacy-modes/mode/clike")).csharp),
  xml: async () => old((await import("@codemirror/legacy-modes/mode/xml")).xml),
  diff: async () => old((await import("@codemirror/legacy-modes/mode/diff")).diff),
  ini: async () => old((await import("@codemirror/legacy-modes/mode/properties")).properties),
  lua: async () => old((await import("@codemirror/legacy-modes/mode/lua")).lua),
}

const ENDINGS: Record<string, string> = {
  ...{ py: "python", pyi: "python", json: "json", jsonl: "json", ipynb: "json", yml: "yaml", yaml: "yaml" },
  ...{ css: "css", scss: "css", html: "html", htm: "html", vue: "html", svg: "xml", xml: "xml", sql: "sql" },
  ...{ md: "markdown", markdown: "markdown", js: "js", mjs: "js", cjs: "js", jsx: "js", ts: "ts", mts: "ts" },
  ...{ tsx: "tsx", sh: "shell", bash: "shell", zsh: "shell", toml: "toml", go: "go", rs: "rust", rb: "ruby" },
  ...{ c: "c", h: "c", cc: "cpp", cpp: "cpp", hpp: "cpp", java: "java", kt: "kotlin", cs: "csharp", lua: "lua" },
  ...{ diff: "diff", patch: "diff", ini: "ini", cfg: "ini", conf: "ini", properties: "ini", dockerfile: "docker" },
}
const NAMES: Record<string, string> = { dockerfile: "docker", makefile: "shell", "package-lock.json": "json" }

/** The grammar of a file by its name, fetched when it is first needed; nothing for one that is not known. */
export async function languageOf(path: string): Promise<Extension> {
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase()
  const known = NAMES[name] ?? ENDINGS[name.slice(name.lastIndexOf(".") + 1)]
  return known && LOADERS[known] ? LOADERS[known]() : []
}
