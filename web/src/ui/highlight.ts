import highlight from "highlight.js/lib/core"
import bash from "highlight.js/lib/languages/bash"
import css from "highlight.js/lib/languages/css"
import diff from "highlight.js/lib/languages/diff"
import go from "highlight.js/lib/languages/go"
import ini from "highlight.js/lib/languages/ini"
import java from "highlight.js/lib/languages/java"
import json from "highlight.js/lib/languages/json"
import python from "highlight.js/lib/languages/python"
import rust from "highlight.js/lib/languages/rust"
import sql from "highlight.js/lib/languages/sql"
import typescript from "highlight.js/lib/languages/typescript"
import xml from "highlight.js/lib/languages/xml"
import yaml from "highlight.js/lib/languages/yaml"

const LANGUAGES = { bash, css, diff, go, ini, java, json, python, rust, sql, typescript, xml, yaml }
for (const [name, language] of Object.entries(LANGUAGES)) highlight.registerLanguage(name, language)
highlight.registerAliases(["console", "zsh"], { languageName: "bash" })
highlight.registerAliases(["vue", "svelte"], { languageName: "xml" })

const LONGEST = 30_000

/** Code as HTML with classes, or null where its language is not known or it is very long. */
export function colour(code: string, language: string): string | null {
  if (code.length > LONGEST || !highlight.getLanguage(language)) return null
  return highlight.highlight(code, { language, ignoreIllegals: true }).value
}
