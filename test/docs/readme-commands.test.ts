// The README's table of commands equals the command line, both ways, and no line of it calls what there is not. Real: the command line.
import { readdirSync, readFileSync } from 'node:fs'
import { Command } from 'commander'
import { describe, expect, it } from 'vitest'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
const folder = new URL('../../src/apps/commands/', import.meta.url)

const program = new Command('touchstone')
for (const file of readdirSync(folder).filter((name) => name.endsWith('.ts'))) {
  const module = (await import(new URL(file, folder).href)) as Record<string, unknown>
  for (const [name, register] of Object.entries(module))
    if (name.startsWith('register') && typeof register === 'function') Reflect.apply(register, undefined, [program])
}

/** The command that the words call, and how many of them name it. */
function called(words: readonly string[]): { command: Command; depth: number } {
  let command = program
  let depth = 0
  for (const word of words) {
    const sub = command.commands.find((one) => one.name() === word)
    if (sub === undefined) break
    command = sub
    depth += 1
  }
  return { command, depth }
}
const optionsOf = (command: Command) => command.options.flatMap(({ long, short }) => [long, short])

describe("the README's commands", () => {
  it('are in its table with the commands below them, and no others', () => {
    const section = readme.split('\n## Command line\n')[1]?.split('\n## ')[0] ?? ''
    const rows = [...section.matchAll(/^\| (`.+?`) \| /gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([a-z]+)(?: ([a-z-\\|]+))?(?: [^`]*)?`/g)].map(([, name = '', subs = '']) => ({
        name,
        subs,
      })),
    )
    const there = program.commands.map((command) => ({
      name: command.name(),
      subs: command.commands.map((sub) => sub.name()).toSorted(),
    }))
    const said = rows.map(({ name, subs }) => ({
      name,
      subs: subs === '' ? [] : subs.replaceAll('\\', '').split('|').toSorted(),
    }))
    const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1)
    expect(said.toSorted(byName)).toEqual(there.toSorted(byName))
  })

  const blocks = [...readme.matchAll(/npx touchstone ([a-z][^\n#)`|]*)/g)].map(([, words = '']) => words.trim())

  it.each(blocks)('npx touchstone %s', (line) => {
    const words = line.split(/\s+/)
    const { command, depth } = called(words)
    expect(depth).toBeGreaterThan(0)
    // A command with others below it is called by one of those.
    expect(command.commands).toEqual([])
    for (const word of words.slice(depth).filter((one) => one.startsWith('--')))
      expect(optionsOf(command)).toContain(word)
  })
})
