// Writes the README's tables of events, signals, settings, metrics and errors from the code; --check only compares.
import { readFileSync, writeFileSync } from 'node:fs'
import { SETTINGS } from '../src/config.ts'
import { ERRORS } from '../src/errors.ts'
import { EVENTS } from '../src/events/index.ts'
import { TOPICS } from '../src/events/topics.ts'
import { SIGNALS } from '../src/signals/index.ts'
import { METRICS } from '../src/telemetry.ts'

const README = new URL('../README.md', import.meta.url)

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
const table = (header: readonly string[], rows: readonly (readonly string[])[]) =>
  [header, header.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n')
const code = (text: string) => `\`${text}\``

export const TABLES: Readonly<Record<string, () => string>> = {
  events: () =>
    table(
      ['type', 'topic', 'direction', 'what'],
      EVENTS.map((e) => [code(e.type), code(`touchstone.${TOPICS[e.topic].suffix}`), e.direction, e.summary]),
    ),
  signals: () =>
    table(
      ['signal', 'version', 'mode', 'what it looks at'],
      SIGNALS.map((s) => [code(s.name), s.version, s.mode, s.description]),
    ),
  settings: () =>
    table(
      ['setting', 'default', 'what'],
      Object.entries(SETTINGS).map(([name, s]) => [
        code(name),
        s.default === 'unset' ? 'unset' : code(s.default),
        s.doc,
      ]),
    ),
  metrics: () =>
    table(
      ['metric', 'type', 'labels', 'what'],
      Object.entries(METRICS).map(([name, m]) => [code(name), m.kind, m.labels.map(code).join(' '), m.help]),
    ),
  errors: () =>
    table(
      ['code', 'HTTP', 'meaning', 'what to do'],
      Object.entries(ERRORS).map(([name, e]) => [code(name), String(e.status), e.title, e.remedy]),
    ),
}

/** The README with every table between its markers made anew; throws when a marker is missing. */
export function withTables(readme: string): string {
  let text = readme
  for (const [name, make] of Object.entries(TABLES)) {
    const begin = `<!-- table: ${name} -->`
    const end = `<!-- end: ${name} -->`
    const from = text.indexOf(begin)
    const to = text.indexOf(end)
    if (from === -1 || to < from) throw new Error(`README.md has no place for the table ${name}: ${begin} … ${end}`)
    text = `${text.slice(0, from + begin.length)}\n\n${make()}\n\n${text.slice(to)}`
  }
  return text
}

if (import.meta.main) {
  const now = readFileSync(README, 'utf8')
  const wanted = withTables(now)
  if (now === wanted) process.stdout.write('README.md: the tables equal the code\n')
  else if (process.argv.includes('--check')) {
    process.stderr.write('README.md: the tables differ from the code; run: node scripts/readme-tables.ts\n')
    process.exitCode = 1
  } else {
    writeFileSync(README, wanted)
    process.stdout.write('README.md: tables written\n')
  }
}
